/* backoff.h: how long somebody who guesses has to wait. One bounded table for each kind of key (account, address): what
 * is new takes the place of what has failed least. [any] */
#ifndef AUTH_BACKOFF_H
#define AUTH_BACKOFF_H
#include <stdint.h>

struct backoff;

/* free_tries: attempts without a wait; then 1 s, 2 s, 4 s … up to max_s after each. NULL: out of memory. */
struct backoff *backoff_new(uint32_t free_tries, uint32_t max_s);
void backoff_free(struct backoff *b);
/* An attempt under this key at now_s. 0: go on, and it is counted as failed until backoff_good(); else the seconds to
 * wait, and nothing is counted. */
uint32_t backoff_try(struct backoff *b, const char *key, uint64_t now_s);
void backoff_good(struct backoff *b, const char *key);   /* it succeeded: forget the key */
void backoff_refund(struct backoff *b, const char *key); /* it did not fail: take one back */

#endif
