#include "plugins/socketio/engine.h"

#include "plugins/socketio/session.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEADLINE_MS 7200000u        /* of a poll: the pings come first */

enum { UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, BAD_VERSION };

static int32_t refuse(struct server *s, struct ec_req *r, int code)
{
    static const char *const message[] = { "Transport unknown", "Session ID unknown", "Bad handshake method",
                                           "Bad request", "Forbidden", "Unsupported protocol version" };
    char json[96];
    int n = snprintf(json, sizeof json, "{\"code\":%d,\"message\":\"%s\"}", code, message[code]);

    server_count(s, M_REFUSED, 1);
    return s->http->bytes(r, code == FORBIDDEN ? 403 : 400, "application/json", json, (uint64_t)n);
}

/* "https://host:1" is of the same origin as a request to "host:1", whatever stands before the server. */
static bool same_origin(const char *origin, const char *host)
{
    const char *p = strstr(origin, "://");

    return p && host && !strcasecmp(p + 3, host);
}

static bool origin_allowed(const struct server *s, const char *origin, const char *host)
{
    if (!origin || same_origin(origin, host))
        return true;
    for (uint32_t i = 0; i < s->c.origins; i++)
        if (!strcmp(s->c.origin[i], "*") || !strcasecmp(s->c.origin[i], origin))
            return true;
    return false;
}

/* On errors too, else the page's script cannot read them. */
static void set_cors(const struct server *s, struct ec_req *r, const char *origin)
{
    s->http->set_header(r, "Vary", "Origin");
    s->http->set_header(r, "Access-Control-Allow-Origin", origin);
    s->http->set_header(r, "Access-Control-Allow-Credentials", "true");
}

static int32_t preflight(const struct server *s, struct ec_req *r)
{
    s->http->set_header(r, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    s->http->set_header(r, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    s->http->set_header(r, "Access-Control-Max-Age", "600");
    return s->http->bytes(r, 204, NULL, "", 0);
}

static int32_t begin(struct engine *e, struct ec_req *r, const struct eio_query *q, const char *method, bool wanted)
{
    if (strcmp(method, "GET") != 0)
        return refuse(e->s, r, BAD_METHOD);
    if (q->transport == EIO_WEBSOCKET && !wanted)
        return refuse(e->s, r, BAD_REQUEST);
    if (q->eio != 4)
        return refuse(e->s, r, BAD_VERSION);
    session_begin(e, r, wanted);
    return EC_EAGAIN;
}

static int32_t go_on(struct engine *e, struct ec_req *r, const struct eio_query *q, const char *method, bool wanted)
{
    struct ec_eio *session = session_find(e->s, e, q->sid);

    if (!session)
        return refuse(e->s, r, UNKNOWN_SID);
    if (wanted)
        session_upgrade(session, r);
    else if (q->transport != EIO_POLLING || !session->polling)
        return refuse(e->s, r, BAD_REQUEST);
    else if (!strcmp(method, "GET"))
        session_poll(session, r);
    else if (!strcmp(method, "POST"))
        session_post(session, r);
    else
        return refuse(e->s, r, BAD_REQUEST);
    return EC_EAGAIN;
}

static int32_t run(void *self, const void *state, struct ec_req *r)
{
    struct engine *e = self;
    struct server *s = e->s;
    const struct ec_raw *raw = s->http->raw(r);
    const char *origin = s->http->header(r, "Origin");
    bool allowed = origin_allowed(s, origin, s->http->header(r, "Host")), wanted;
    struct eio_query q;

    (void)state;
    if (origin && allowed)
        set_cors(s, r, origin);
    if (!strcmp(raw->method, "OPTIONS"))
        return allowed ? preflight(s, r) : refuse(s, r, FORBIDDEN);
    if (!allowed)
        return refuse(s, r, FORBIDDEN);
    if (!s->base)
        return s->http->error(r, 503, "the plugin socketio does not run");
    eio_query(&q, raw->query);
    if (q.transport == EIO_NO_TRANSPORT)
        return refuse(s, r, UNKNOWN_TRANSPORT);
    wanted = q.transport == EIO_WEBSOCKET && websocket_wanted(s->http, r);
    return q.has_sid ? go_on(e, r, &q, raw->method, wanted) : begin(e, r, &q, raw->method, wanted);
}

/* Whoever knows the id of a session that has shown who it is may send it a large body, as over a WebSocket. */
static int32_t large(void *self, const char *query, uint64_t len)
{
    const struct engine *e = self;
    const struct ec_eio *session = NULL;
    struct eio_query q;

    (void)len;
    eio_query(&q, query);
    if (e->s->base && q.transport == EIO_POLLING && q.has_sid)
        session = session_find(e->s, e, q.sid);
    return session && session->known && session->polling;
}

int32_t engine_add(struct server *s, const struct ec_host *h, const struct ec_eio_engine *x, void *self)
{
    static struct ec_route routes[ENGINES_MAX];
    static char opids[ENGINES_MAX][32];
    struct engine *e = &s->engine[s->engines];
    struct ec_route *r = &routes[s->engines];

    if (s->engines == ENGINES_MAX)
        return ec_failf(h, EC_ELIMIT, "there are %u paths of Engine.IO already", ENGINES_MAX);
    if (!x || x->size < sizeof *x || !x->path || !x->open || !x->message || !x->closed)
        return ec_failf(h, EC_EINVAL, "a path of Engine.IO lacks its size, name or functions");
    *e = (struct engine){ .s = s, .x = x, .host = h, .self = self };
    snprintf(opids[s->engines], sizeof opids[0], "engineio_%u", s->engines);
    *r = (struct ec_route){ .size = sizeof *r, .flags = EC_RT_RAW, .method = "*", .path = x->path,
                            .opid = opids[s->engines], .summary = "Engine.IO 4, not HTTP as such", .roles = "",
                            .deadline_ms = DEADLINE_MS, .run = run, .large = large };
    s->engines++;
    return s->http->route(s->http_self, s->host, r, e);
}
