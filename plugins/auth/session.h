/* session.h: what began with a log-in. Access tokens name it and end with it; a refresh token goes on with it, is good
 * for one time, and shown again ends it (RFC 9700 §4.14.2). */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H
#include "plugins/auth/shelf.h"
#include "plugins/auth/users.h"

#define SESSION_TEXT    128 /* of a refresh token, with its NUL */
#define SESSION_DIGEST  65  /* as of digest.h */
#define SESSION_ADDRESS 48
#define SESSION_AGENT   129
#define SESSIONS_MAX    20000
#define SESSIONS_USER   500 /* the one that was used least recently makes room */

struct session {
    uint64_t id;
    uint64_t user, stamp;            /* ended where the user's stamp is another one */
    uint64_t created, used, expires; /* ns since 1970 */
    char family[SESSION_DIGEST];     /* of what all its refresh tokens have in common; "": there are none */
    char secret[SESSION_DIGEST];     /* of what the newest one has alone */
    char address[SESSION_ADDRESS], agent[SESSION_AGENT]; /* of who used it last */
};

extern const struct shelf_form session_form;

/* A new one in `one`, whose user, stamp, address and agent are filled in, at now_ns: good for life_ns, and where refresh
 * is not NULL with the refresh token in it. EC_OK; EC_ENOMEM: no randomness, no memory. Where the store fails, it lives
 * in memory, without a refresh token. [pool] */
int32_t session_begin(struct shelf *s, struct session *one, uint64_t now_ns, uint64_t life_ns, char *refresh);
/* Take a refresh token (len bytes from the wire) and put its successor into `next`; *one is the session then, with
 * address and agent of `by`. EC_EPERM: it is none, or its session has ended; EC_EEXIST: it was used before, and the
 * session is ended now (one->user says whose it was); else the store failed and the token is as good as before. [pool]
 */
int32_t session_refresh(struct shelf *s, const char *text, uint32_t len, const struct session *by, uint64_t now_ns,
                        uint64_t life_ns, struct session *one, char next[SESSION_TEXT]);
/* [any] Is it a session of this user as he is now? EC_OK; EC_EPERM. */
int32_t session_judge(struct shelf *s, uint64_t id, uint64_t user, uint64_t stamp, uint64_t now_ns);
/* [pool] End those of a user, but for one (0: all). Returns how many. */
uint32_t session_end_all(struct shelf *s, uint64_t user, uint64_t but);
/* [pool] Forget those that have ended. */
void session_sweep(struct shelf *s, struct users *users, uint64_t now_ns);

#endif
