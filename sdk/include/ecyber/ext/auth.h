/* auth.h: ec.auth/1, who asks. STATUS: draft 6.
 * One plugin implements it: users, roles, tokens. The HTTP server asks it for each request and knows nothing of
 * passwords; the provider declares its own routes (/api/auth, /api/users). */
#ifndef EC_EXT_AUTH_H
#define EC_EXT_AUTH_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_AUTH_ID "ec.auth/1-draft.6"

struct ec_who {
    uint32_t size, flags;           /* EC_WHO_* */
    uint64_t user;                  /* id of the user's document; 0: the local socket */
    uint64_t until_ns;              /* when what was shown expires; 0: never */
    char name[64], roles[64];       /* "anna"; "admin", "analyst,sensor" */
    uint64_t session;               /* of the provider, began with a log-in; 0: none (an API key, the local socket) */
};
enum {
    EC_WHO_LOCAL = 1,               /* by the credentials of a local socket's peer */
    EC_WHO_MUST_CHANGE = 2,         /* only for routes with EC_RT_BEFORE_CHANGE, until the password is another one */
    EC_WHO_KEY = 4                  /* by an API key: a program in the name of its user */
};

struct ec_auth {
    uint32_t size, reserved;
    /* [any] Whose bearer token is this? No I/O, no waiting. token: len bytes from the wire, not trusted.
     * EC_OK, and *who is filled in; EC_EPERM, and why says it for the log: never for the client. */
    int32_t (*bearer)(void *self, const char *token, uint32_t len, struct ec_who *who, char *why, uint32_t n);
    /* [any] A process on the local socket: root, the daemon's own user and the group ecyber are administrators. */
    int32_t (*peer)(void *self, uint32_t uid, uint32_t gid, uint32_t pid, struct ec_who *who);
    /* [any] The same as bearer(), of an API key (X-API-Key). address: from where it came, for what is kept of its last
     * use; NULL: it is not used yet, only looked at. */
    int32_t (*key)(void *self, const char *key, uint32_t len, const char *address, struct ec_who *who, char *why,
                   uint32_t n);
};

/* The audit log: who did what from where. The provider declares the topic; any plugin that changes something for
 * somebody finds it with topic_find() (0: there is none, and nothing is written) and publishes into it. */
#define EC_AUDIT_TOPIC "ec.audit/1"

struct ec_audit {                   /* part 0; the event's type is "audit" */
    struct ec_part part;
    struct ec_span action;          /* "login" "user.create" "firewall.ban": NOUN.VERB where there is a noun */
    struct ec_span outcome;         /* "success" "failure" "denied" "partial": done, with what detail says */
    struct ec_span actor;           /* name of who did it, "" where nobody has logged in */
    struct ec_span address;         /* where from: an address, or "local" */
    struct ec_span object;          /* on what: "users/7"; off 0: nothing */
    struct ec_span detail;          /* a sentence; never a password or a token. off 0: none */
    struct ec_span certificate;     /* name in the certificate of the client, verified (http.client_ca). off 0: none */
};

#ifdef __cplusplus
}
#endif
#endif
