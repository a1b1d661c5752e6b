/* auth.h: ec.auth/1, who asks. STATUS: draft 1.
 * One plugin implements it: users, roles, tokens. The HTTP server asks it for each request and knows nothing of
 * passwords; the provider declares its own routes (/api/auth, /api/users). */
#ifndef EC_EXT_AUTH_H
#define EC_EXT_AUTH_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_AUTH_ID "ec.auth/1-draft.1"

struct ec_who {
    uint32_t size, flags;           /* EC_WHO_* */
    uint64_t user;                  /* id of the user's document; 0: the local socket */
    uint64_t until_ns;              /* when what was shown expires; 0: never */
    char name[64], roles[64];       /* "anna"; "admin", "analyst,sensor" */
};
enum { EC_WHO_LOCAL = 1 /* by the credentials of a local socket's peer */ };

struct ec_auth {
    uint32_t size, reserved;
    /* [any] Whose bearer token is this? No I/O, no waiting. token: len bytes from the wire, not trusted.
     * EC_OK, and *who is filled in; EC_EPERM, and why says it for the log: never for the client. */
    int32_t (*bearer)(void *self, const char *token, uint32_t len, struct ec_who *who, char *why, uint32_t n);
    /* [any] A process on the local socket: root, the daemon's own user and the group ecyber are administrators. */
    int32_t (*peer)(void *self, uint32_t uid, uint32_t gid, uint32_t pid, struct ec_who *who);
};

#ifdef __cplusplus
}
#endif
#endif
