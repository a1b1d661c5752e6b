/* users.h: the users: documents of ec.store/1, and all of them in memory, so that a token is judged without any I/O. */
#ifndef AUTH_USERS_H
#define AUTH_USERS_H
#include <ecyber/ext/auth.h>
#include <ecyber/ext/store.h>
#include <stdbool.h>

#include "plugins/auth/password.h"
#include "plugins/auth/seal.h"
#include "plugins/auth/totp.h"

#define USERS_MAX  10000
#define USER_NAME  64 /* with its NUL, as in struct ec_who */
#define USER_EMAIL 255
#define USER_FULL  513 /* 128 characters of up to four bytes, and a NUL */
#define RECOVERY   10  /* codes in place of the second factor */
#define RECOVERY_HASH 33 /* of a code, with its NUL or a comma */

/* Of a password that the daemon made: it logs in once. */
enum { ONCE_NOT, ONCE_UNUSED, ONCE_USED };

struct user {
    uint64_t id, version; /* of its document */
    uint64_t stamp;       /* drawn anew when the password, the roles or is_active change: older tokens end with it */
    uint64_t created, updated; /* ns since 1970 */
    uint32_t roles;       /* ROLE_* */
    uint32_t once;        /* ONCE_* */
    bool active, must_change;
    bool two_factor;      /* a code is asked for, beside the password */
    uint64_t totp_step;   /* of the last code that was taken */
    bool plain;           /* its document has the secret unsealed: of an older version */
    char sealed[SEAL_TEXT]; /* a secret that could not be opened, as it stands in the document; else "" */
    char totp[TOTP_SECRET], recovery[RECOVERY * RECOVERY_HASH]; /* hashes, separated by commas */
    char name[USER_NAME], email[USER_EMAIL], full_name[USER_FULL], hash[PASSWORD_HASH];
};

struct users;
struct token;

extern const struct ec_kind users_kind; /* to be declared to the store in setup() */

struct users *users_new(void);
void users_free(struct users *u);
/* [ctl] start(): read them all from the store. seal: for the secrets of second factors, copied. EC_OK, or what the store
 * returned; EC_ELIMIT: more than USERS_MAX. */
int32_t users_load(struct users *u, const struct seal *seal, const struct ec_store *store, void *store_self,
                   uint32_t kind);
/* [ctl] start(): write those anew whose secret is not sealed yet. Returns how many; *closed: secrets that cannot be
 * opened, by this key at least. */
uint32_t users_seal(struct users *u, uint32_t *closed);
uint32_t users_count(struct users *u); /* [any] */

/* [any] Copies; EC_ENOENT: there is none. */
int32_t users_get(struct users *u, uint64_t id, struct user *to);
int32_t users_named(struct users *u, const char *name, struct user *to);
/* [any] At most n users with an id above `after`, in the order of their ids; returns how many. */
uint32_t users_page(struct users *u, uint64_t after, struct user *to, uint32_t n);
/* [any] Is this the token of a user who may use it now? EC_OK and *who, or EC_EPERM and why. */
int32_t users_judge(struct users *u, const struct token *t, struct ec_who *who, char *why, uint32_t n);

void users_each(struct users *u, void (*fn)(const struct user *one, void *arg), void *arg); /* [any] under the lock */
/* [any] The user of this e-mail address, in any case; of several the first. */
int32_t users_mailed(struct users *u, const char *email, struct user *to);

enum { USERS_EMAIL = 1 }; /* of users_put() alone: another user has this e-mail address */
/* [pool] Write to the store, then to memory. id 0: a new one, and its id is set. EC_EEXIST: the name is taken;
 * USERS_EMAIL: the e-mail address is, and it is a new one of this user;
 * EC_EAGAIN: changed by somebody else since it was read (its version); EC_EPERM: it would leave no active
 * administrator; EC_ELIMIT: USERS_MAX; EC_ENOENT: it is gone; else the store failed. */
int32_t users_put(struct users *u, struct user *one, uint64_t now_ns);
int32_t users_remove(struct users *u, uint64_t id);
int users_stamp(struct user *one); /* draw a new stamp. 0, or −1: no randomness */

/* A name as it is kept: small letters. 0, or −1: not [a-z0-9][a-z0-9._@-]{0,62} in any case. */
int user_name(const char *text, size_t len, char to[USER_NAME]);
/* [any] May it stand in an envelope? Visible ASCII, one @ with a name before it and a host behind, at most 254 bytes
 * (RFC 5321 §4.5.3.1.3), and nothing of "<>,;:\()[] and of control. */
bool user_email(const char *text, size_t len);

#endif
