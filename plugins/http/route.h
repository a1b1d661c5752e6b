/* route.h: which declaration answers a method and a path. Filled in setup(), read-only afterwards. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H
#include "plugins/http/decode.h"
#include "plugins/http/sdk.h"


#define ROUTE_PARAMS 8u             /* {x} in one path */

struct route {
    const struct ec_route *r;
    const struct ec_host *host;     /* of the plugin that declared it */
    void *self;
    const char *segment[24];        /* of the path; "{" for a parameter */
    uint16_t segment_len[24];
    uint32_t segments;
    const char *param[ROUTE_PARAMS];    /* names of the parameters, in the order of the path */
    uint16_t param_len[ROUTE_PARAMS];
    uint32_t params;
};
struct routes { struct route *route; uint32_t n; };

struct route_match {
    const struct route *route;      /* NULL: none */
    char allow[96];                 /* the path's methods, where only the method is wrong; "": no such path */
    const char *value[ROUTE_PARAMS];    /* percent-encoded, in the path that was given */
    uint32_t value_len[ROUTE_PARAMS];
};

/* EC_OK; EC_EEXIST, EC_EINVAL or EC_ENOMEM with a sentence. */
int32_t routes_add(struct routes *all, const struct ec_host *h, const struct ec_route *r, void *self, char *why,
                   uint32_t n);
void routes_free(struct routes *all);
/* path: n bytes without the query. Fixed segments win over parameters. HEAD is answered by GET. */
void routes_match(const struct routes *all, const char *method, const char *path, size_t n, struct route_match *m);
/* Does the server itself answer it, from the store? */
bool route_from_store(const struct route *r);
/* Has the record of its own parameters a row of this name? Of routes with run. */
bool route_pages_events(const struct ec_route *r);      /* answers {"items":[events]} */
bool route_has_row(const struct ec_route *r, const char *name);
/* Does its plugin itself see to dry_run, if there is one? */
bool route_runs_dry(const struct ec_route *r);
/* Is `name` a parameter of the path? */
bool route_has_param(const struct route *r, const char *name);

#endif
