/* cors.h: pages of other origins (WHATWG Fetch §3.2): which of them may read replies. Tokens travel in a header, so
 * credentials of the browser are never allowed. All on the loop's thread. */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H
#include <stdbool.h>

#define CORS_ORIGINS 32u

struct cors { char *origin[CORS_ORIGINS]; unsigned n; bool any; };
struct ec_req;
struct evhttp_request;
struct evkeyvalq;

/* "https://desk.example", "http://[::1]:3000" or "*": scheme, host and port, nothing behind. */
bool cors_is_origin(const char *s);
bool cors_allows(const struct cors *c, const char *origin);
/* A preflight is answered here; true: it was. */
bool cors_preflight(struct ec_req *r);
/* Of any reply to a page of another origin. */
void cors_headers(const struct cors *c, struct evhttp_request *http, struct evkeyvalq *out);
void cors_free(struct cors *c);

#endif
