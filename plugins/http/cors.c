#include "plugins/http/cors.h"

#include "plugins/http/request.h"
#include "plugins/http/server.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#define METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define TAKES "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, X-API-Key"
#define SHOWS "ETag, Retry-After, Idempotency-Replayed, WWW-Authenticate"

bool cors_is_origin(const char *s)
{
    size_t n = strcspn(s, ":");

    if (!strcmp(s, "*"))
        return true;
    if (strncmp(s + n, "://", 3) != 0 || !n || !s[n + 3] || strlen(s) > 255)
        return false;
    for (const char *p = s + n + 3; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("/?#@,\\", *p))
            return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == n;
}

bool cors_allows(const struct cors *c, const char *origin)
{
    for (unsigned i = 0; i < c->n; i++)
        if (!strcmp(c->origin[i], origin))
            return true;
    return c->any;
}

static const char *header(struct evhttp_request *http, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(http), name);
}

bool cors_preflight(struct ec_req *r)
{
    const char *origin = header(r->http, "Origin");
    struct text none = { 0 };

    if (strcmp(r->method, "OPTIONS") != 0 || !origin || !header(r->http, "Access-Control-Request-Method"))
        return false;
    if (!r->s->c.cors.n && !r->s->c.cors.any)
        return false;
    if (!cors_allows(&r->s->c.cors, origin)) {
        request_error(r, 403, "this origin may not use the API (http.cors_origins)");
        return true;
    }
    request_set_header(r, "Access-Control-Allow-Methods", METHODS);
    request_set_header(r, "Access-Control-Allow-Headers", TAKES);
    request_set_header(r, "Access-Control-Max-Age", "600");
    request_bytes(r, 204, NULL, &none);
    return true;
}

void cors_headers(const struct cors *c, struct evhttp_request *http, struct evkeyvalq *out)
{
    const char *origin = header(http, "Origin");

    if (!c->n && !c->any)
        return;
    if (!c->any)
        evhttp_add_header(out, "Vary", "Origin");
    if (!origin || !cors_allows(c, origin))
        return;
    evhttp_add_header(out, "Access-Control-Allow-Origin", c->any ? "*" : origin);
    evhttp_add_header(out, "Access-Control-Expose-Headers", SHOWS);
}

void cors_free(struct cors *c)
{
    for (unsigned i = 0; i < c->n; i++)
        free(c->origin[i]);
    c->n = 0;
}
