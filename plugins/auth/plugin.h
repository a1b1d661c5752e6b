/* plugin.h: what the parts of the auth plugin share. */
#ifndef AUTH_PLUGIN_H
#define AUTH_PLUGIN_H
#define EC_API_LEVEL 1
#include <ecyber/ext/http.h>
#include <stdatomic.h>

#include "plugins/auth/apikey.h"
#include "plugins/auth/backoff.h"
#include "plugins/auth/jwt.h"
#include "plugins/auth/post.h"
#include "plugins/auth/recovery.h"
#include "plugins/auth/session.h"
#include "plugins/auth/users.h"

#define FIRST_ADMIN "admin"
#define HASHES_AT_ONCE 8 /* log-ins that may wait for the pool; the next one is asked to come again */

enum { M_LOGINS, M_FAILURES, M_BACKOFFS, M_REFUSED, M_REUSES, M_MAILS, M_MAILS_AGAIN, M_MAILS_FAILED, METRICS };

enum { REGISTRATION_CLOSED, REGISTRATION_APPROVAL, REGISTRATION_OPEN };
#define REGISTRATION_WORDS "closed,approval,open"

struct auth {
    const struct ec_host *host;
    const struct ec_http *http; /* NULL: there is no HTTP server */
    const struct ec_store *store;
    void *http_self, *store_self;
    uint32_t kind, session_kind, key_kind, recovery_kind, audit; /* ids of the documents and of the topic */
    struct users *users;
    struct shelf *sessions, *apikeys, *recoveries;
    struct mails *mails; /* from start() to stop(); NULL: no mail server */
    struct token_keys *keys;    /* from start() to destroy() */
    struct backoff *pairs, *accounts, *addresses, *places, *visits, *crowd, *letters; /* of guess.c */
    int64_t life;               /* of a token, in seconds */
    uint64_t refresh_life;      /* of a refresh token, in seconds */
    uint32_t password_min, hash_cost, group; /* group: number of the group ecyber, UINT32_MAX: there is none */
    uint32_t registration;
    atomic_uint hashing;
    char page_url[512];
    char nobody[PASSWORD_HASH]; /* what the password of an unknown user is compared with */
    char first[4096];           /* path of the file with the one-time password */
};

/* [ctl] setup(): declare all routes. */
int32_t routes_declare(struct auth *a);
extern const struct ec_route login_routes[], grant_routes[], session_routes[], apikey_routes[], second_routes[],
    people_routes[], edit_routes[], summary_routes[], recover_routes[], register_routes[];
extern const uint32_t login_route_count, grant_route_count, session_route_count, apikey_route_count,
    second_route_count, people_route_count, edit_route_count, summary_route_count,
    recover_route_count, register_route_count;

/* A handler that goes on with fn on the pool. */
#define LATER(name, fn) \
    static int32_t name(void *self, const void *state, struct ec_req *r) \
    { \
        struct auth *a = self; \
        (void)state; \
        return a->http->work(r, fn, a) ? EC_OK : EC_EAGAIN; \
    }

/* [any] Write into the audit log, before r is answered. actor NULL: who asks; object, detail NULL: left out. */
void audit_say(struct auth *a, struct ec_req *r, const char *action, const char *outcome, const char *actor,
               const char *object, const char *detail);
/* The same without a request, of somebody at this address. */
void audit_from(struct auth *a, const char *address, const char *action, const char *outcome, const char *actor,
                const char *object, const char *detail);
extern const struct ec_topic audit_topic;

/* [ctl] guess.c: the tables. 0, or −1: out of memory. account_hourly: failed log-ins of an account in an hour, from
 * all addresses. */
int guess_new(struct auth *a, uint32_t account_tries, uint32_t account_hourly, uint32_t address_tries,
              uint32_t longest);
void guess_free(struct auth *a);
/* [sub] Let fn compare a password of this account on the pool, where few enough wait there and whoever asks has not
 * failed too often; else 429 is sent. The result is what the handler returns. fn calls guess_done() at its end. */
int32_t guess_later(struct auth *a, struct ec_req *r, const char *account, void (*fn)(struct ec_req *r, void *arg));
void guess_done(struct auth *a);
/* [sub] Hash a password on the pool, where few enough wait there; as guess_later() without the guessing. */
int32_t hash_later(struct auth *a, struct ec_req *r, void (*fn)(struct ec_req *r, void *arg));
/* [sub] Somebody who has not logged in wants to register or to recover: 20 at once from an address, then one in 3 min;
 * 200 from all, then one in 18 s. 0; else 429 was sent. */
int32_t guess_visit(struct auth *a, struct ec_req *r);
/* [any] One more letter to this account? Three at once, then one in 20 min: 0; else the seconds to wait. */
uint32_t guess_mail(struct auth *a, const char *account);
/* [pool] The password was right; to be called while it is still that of the account. */
void guess_good(struct auth *a, struct ec_req *r, const char *account);
/* [pool] The password was right, a code is to come: the address and the account have not failed, this account from this
 * address has until the code is right. */
void guess_half(struct auth *a, struct ec_req *r, const char *account);

/* [pool] Begin a session of this user, and reply with its tokens. */
int32_t grant(struct auth *a, struct ec_req *r, const struct user *one);
extern const struct ec_record granted_record;
/* A token that is good for nothing but POST /api/auth/login/verify-2fa, as the reply. [pool] */
int32_t grant_pending(struct auth *a, struct ec_req *r, const struct user *one);
/* [pool] Whoever asks has shown all that this user has to: count it, and grant(). how: for the audit log, or NULL. */
void admit(struct auth *a, struct ec_req *r, const struct user *one, const char *how);
/* [pool] A log-in failed: count it, and reply. why: for the audit log alone. */
int32_t wrong(struct auth *a, struct ec_req *r, const char *name, const char *why);
void second_end(struct user *one); /* forget the second factor; the user is to be written */
/* [pool] Is it the code of this moment, or a recovery code? It is spent in the store then. EC_OK and *how ("by a
 * recovery code" or NULL); EC_EPERM: it is neither; else the store failed. */
int32_t second_factor(struct auth *a, struct user *one, const char *code, uint32_t len, const char **how);
/* [any] The user who asks, by a token. 0; else a reply was sent. */
int32_t asker(struct auth *a, struct ec_req *r, struct user *one);

/* [pool] One user, or a page of them, as a reply. */
extern const struct ec_record user_record, users_record;
int32_t user_reply(struct auth *a, struct ec_req *r, uint32_t status, const struct user *one);
int32_t users_reply(struct auth *a, struct ec_req *r, const struct user *list, uint32_t n, bool more);

/* [pool] Put a password into a user that is to be written: hash and stamp. 0; else a reply was sent. loc: the field of
 * the body that the password came in. */
int32_t password_set(struct auth *a, struct ec_req *r, struct user *one, const char *plain, uint32_t len,
                     const char *loc);
/* [pool] Write it, and answer what went wrong. 0; else a reply was sent. */
int32_t user_write(struct auth *a, struct ec_req *r, struct user *one);
/* [any] Answer what users.h returned; returns err. */
int32_t user_failed(struct auth *a, struct ec_req *r, int32_t err);
/* Once an administrator has used or replaced the one-time password, its file goes. */
void first_done(struct auth *a, const struct user *one);
/* [ctl] start(), where there are no users: the first administrator. EC_OK, or why was said. */
int32_t first_make(struct auth *a);

/* Text of a body's row; "" where it is absent. Not ended by a NUL: *len bytes. */
static inline const char *body_text(const struct ec_part *p, struct ec_span s, uint32_t *len)
{
    *len = s.off ? s.len : 0;
    return s.off ? (const char *)ec_bytes(p, s) : "";
}

#endif
