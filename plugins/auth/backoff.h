/* backoff.h: how long somebody who guesses has to wait. One bounded table for each kind of key (account, address): what
 * is new takes the place of what has failed least. [any] */
#ifndef AUTH_BACKOFF_H
#define AUTH_BACKOFF_H
#include <stdint.h>

struct backoff;

/* free_tries: attempts without a wait. drain_s 0: then 1 s, 2 s, 4 s … up to max_s after each, and after an hour
 * without a failure all are forgotten. Else one failure is forgotten every drain_s seconds, and who has no free try
 * waits for the next of these. NULL: out of memory. */
struct backoff *backoff_new(uint32_t free_tries, uint32_t max_s, uint32_t drain_s);
void backoff_free(struct backoff *b);
/* An attempt under this key at now_s. 0: go on, and it is counted as failed until backoff_good(); else the seconds to
 * wait, and nothing is counted. */
uint32_t backoff_try(struct backoff *b, const char *key, uint64_t now_s);
void backoff_good(struct backoff *b, const char *key);   /* it succeeded: forget the key */
void backoff_refund(struct backoff *b, const char *key); /* it did not fail: take one back */

/* A table of its own: where log-ins succeeded. Noted keys are known for a month. */
void backoff_note(struct backoff *b, const char *key, uint64_t now_s);
int backoff_noted(struct backoff *b, const char *key, uint64_t now_s);

#define BACKOFF_NET 48 /* with its NUL */
/* Whom an address counts as: itself; of IPv6, but for link-local, its network of 64 bits, for who has one address has
 * all of that. An IPv4 address inside IPv6 counts as itself. */
void backoff_net(const char *address, char to[BACKOFF_NET]);
/* 1: this machine itself. Behind it may stand everybody, by a proxy. */
int backoff_loopback(const char *address);

#endif
