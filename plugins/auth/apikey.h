/* apikey.h: keys for programs, in the name of a user and with no more than his roles. Only a hash of each is kept. */
#ifndef AUTH_APIKEY_H
#define AUTH_APIKEY_H
#include "plugins/auth/shelf.h"
#include "plugins/auth/users.h"

#define APIKEY_TEXT   96 /* with its NUL */
#define APIKEY_NAME   257 /* 64 characters of up to four bytes, and a NUL */
#define APIKEY_DIGEST 65
#define APIKEY_ADDRESS 48
#define APIKEYS_MAX   10000
#define APIKEYS_USER  100

struct apikey {
    uint64_t id;
    uint64_t user, created, expires; /* ns since 1970; expires 0: never */
    uint64_t used, written;          /* when it was used last, 0: never; and as far as the store knows */
    uint32_t roles, reserved;        /* ROLE_*, at most; those that the user has lost do not count */
    char name[APIKEY_NAME], digest[APIKEY_DIGEST], address[APIKEY_ADDRESS]; /* address: where it was used last */
};

extern const struct shelf_form apikey_form;

/* [pool] A new one: user, created, expires, roles and name are filled in, the rest is set. EC_OK, and `text` is the key;
 * EC_ELIMIT: the user has APIKEYS_USER already; EC_ENOMEM; else the store failed. */
int32_t apikey_make(struct shelf *s, struct apikey *one, char text[APIKEY_TEXT]);
/* [any] Whose key is this (len bytes from the wire)? EC_OK and *who, or EC_EPERM and why (never for the client). That it
 * was used now from this address (NULL: it was not) is kept in memory until apikey_flush(). */
int32_t apikey_judge(struct shelf *s, struct users *users, const char *text, uint32_t len, uint64_t now_ns,
                     const char *address, struct ec_who *who, char *why, uint32_t n);
void apikey_flush(struct shelf *s); /* [pool] [ctl] stop(): write when those were used that were since the last time */
uint32_t apikey_end_all(struct shelf *s, uint64_t user); /* [pool] those of a user who goes */

#endif
