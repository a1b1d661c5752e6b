/* http.h: ec.http/1, one declaration for each route. STATUS: draft 1.
 * One plugin implements it (the HTTP server); any plugin declares routes in setup(). From the declaration come routing,
 * validation, authorisation and the OpenAPI document. */
#ifndef EC_EXT_HTTP_H
#define EC_EXT_HTTP_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_HTTP_ID "ec.http/1-draft.1"

enum {
    EC_RT_UPLOAD = 1,               /* the body is spooled, the handler gets a descriptor */
    EC_RT_STREAM = 2,               /* replies with chunk() */
    EC_RT_ENFORCES = 4,             /* adds dry_run, Idempotency-Key and audit */
    EC_RT_EDITS = 8                 /* adds ETag and If-Match */
};

struct ec_req;
struct ec_route {                   /* static */
    uint32_t size, flags;           /* EC_RT_* */
    const char *method, *path;      /* "GET", "/api/ids/alerts/{id}" */
    const char *opid, *summary;     /* stable; in one line */
    const char *roles;              /* "admin,operator"; "": public */
    const struct ec_record *param;  /* rows of path, query and header; decoded into its struct. NULL: none */
    const struct ec_record *body;   /* NULL: none */
    const struct ec_record *reply;  /* NULL: no body */
    uint32_t body_max, deadline_ms; /* bytes; 0: the server's defaults */
    /* [sub] EC_OK: replied, EC_EAGAIN: will reply later. state: the declaring plugin's. */
    int32_t (*run)(void *self, const void *state, struct ec_req *r);
};

struct ec_who { uint32_t size, reserved; uint64_t user; const char *name, *roles; };

struct ec_http {
    uint32_t size, reserved;
    int32_t (*route)(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self);  /* [ctl] setup */
    const void *(*param)(struct ec_req *r);         /* struct of route->param, until the reply */
    const void *(*body)(struct ec_req *r);
    const struct ec_who *(*who)(struct ec_req *r);  /* NULL: nobody logged in */
    /* [any] Exactly once for each request. p: part of route->reply's shape, copied; NULL: no body. */
    int32_t (*reply)(struct ec_req *r, uint32_t status, const struct ec_part *p);
    int32_t (*error)(struct ec_req *r, uint32_t status, const char *loc, const char *type, const char *msg);
    int32_t (*work)(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg);  /* on the pool, then reply */
    int32_t (*chunk)(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg);
};

#ifdef __cplusplus
}
#endif
#endif
