/* kind_http.c: the service that API providers declare routes with, without a network: once started it asks each route
 * once, on the pool, and publishes the reply as an event. */
#define EC_API_LEVEL 1
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>

#define ROUTES 16

struct reply { struct ec_part part; uint32_t status, pad; struct ec_span method, path, opid, body; };
static const struct ec_row rows[] = {
    EC_FIELD(U32, 0, struct reply, status, "status", NULL, "status code"),
    EC_FIELD(TEXT, 0, struct reply, method, "method", NULL, "method of the route"),
    EC_FIELD(TEXT, 0, struct reply, path, "path", NULL, "path of the route"),
    EC_FIELD(TEXT, 0, struct reply, opid, "opid", NULL, "operation"),
    EC_FIELD(TEXT, 0, struct reply, body, "body", NULL, "fields of the reply, as name=value"),
};
static const struct ec_record record = EC_RECORD_PART(struct reply, rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.ecyber.test.reply/1", "testreply", &record, NULL, "reply of a route" };

struct route { const struct ec_route *r; const struct ec_host *host; void *self; };
struct server { const struct ec_host *host; struct route route[ROUTES]; uint32_t n, topic, asked; };
struct ec_req { struct server *server; const struct route *route; };

static int32_t http_route(void *self, const struct ec_host *h, const struct ec_route *r, void *route_self)
{
    struct server *s = self;
    struct route *route = &s->route[s->n];

    if (s->n == ROUTES)
        return h->fail(h, EC_ELIMIT, "more than 16 routes");
    s->n++;
    route->r = r;
    route->host = h;
    route->self = route_self;
    return EC_OK;
}

static const void *nothing(struct ec_req *r)
{
    (void)r;
    return NULL;
}

static const struct ec_who *nobody(struct ec_req *r)
{
    (void)r;
    return NULL;
}

/* Every number and text of the reply, from its rows alone. */
static void render(const struct ec_record *shape, const struct ec_part *p, char *out, size_t n)
{
    size_t used = 0;

    for (uint32_t i = 0; i < shape->n_row && used < n; i++) {
        const struct ec_row *row =
            (const struct ec_row *)(const void *)((const char *)shape->row + (size_t)i * shape->row_stride);
        const char *at = (const char *)p + row->off;
        if (row->type == EC_T_U64)
            used += (size_t)snprintf(out + used, n - used, "%s%s=%" PRIu64, used ? " " : "", row->name,
                                     *(const uint64_t *)(const void *)at);
        else if (row->type == EC_T_TEXT)
            used += (size_t)snprintf(out + used, n - used, "%s%s=%.*s", used ? " " : "", row->name,
                                     (int)((const struct ec_span *)(const void *)at)->len,
                                     (const char *)p + ((const struct ec_span *)(const void *)at)->off);
    }
}

static int32_t http_reply(struct ec_req *r, uint32_t status, const struct ec_part *p)
{
    struct server *s = r->server;
    char body[512] = "";
    struct reply *e;
    struct ec_build b;

    if (p && r->route->r->reply)
        render(r->route->r->reply, p, body, sizeof body);
    if (s->host->open(s->host, EC_PUB_MAILBOX, s->topic, &b) != EC_OK)
        return EC_EAGAIN;
    if ((e = ec_add(&b, s->topic, sizeof *e))) {
        e->status = status;
        e->method = ec_puts(&b, r->route->r->method);
        e->path = ec_puts(&b, r->route->r->path);
        e->opid = ec_puts(&b, r->route->r->opid);
        e->body = ec_puts(&b, body);
    }
    return s->host->publish(s->host, &b);
}

static int32_t http_error(struct ec_req *r, uint32_t status, const char *detail)
{
    (void)detail;
    return http_reply(r, status, NULL);
}

static int32_t http_work(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg)
{
    fn(r, arg);                     /* on the pool already */
    return EC_OK;
}

static int32_t http_chunk(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg)
{
    (void)r;
    (void)p;
    (void)n;
    (void)more;
    (void)arg;
    return EC_ENOTSUP;
}

static const struct ec_http http = {
    .size = sizeof http, .route = http_route, .param = nothing, .body = nothing, .who = nobody, .reply = http_reply,
    .error = http_error, .work = http_work, .chunk = http_chunk };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_HTTP_ID, &http } };

/* The routes' own state is not reachable from here; a real server asks the host that came with the route. */
static void ask_all(void *self, const void *state, uint64_t now_ns)
{
    struct server *s = self;

    (void)state;
    (void)now_ns;
    if (s->asked++)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        struct ec_req r = { s, &s->route[i] };
        if (s->route[i].r->run)         /* others are answered from a store, which this server does not know */
            s->route[i].r->run(s->route[i].self, NULL, &r);
    }
}

static int32_t server_create(const struct ec_host *h, void **self)
{
    struct server *s = *self = calloc(1, sizeof *s);

    return s ? (s->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t server_setup(void *self)
{
    static const struct ec_timer soon = { sizeof soon, 0, 1000000, ask_all };
    struct server *s = self;
    int32_t err = s->host->topic(s->host, &topic, &s->topic);

    return err ? err : s->host->timer(s->host, &soon);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.http", "kind_http", "1", "asks each route once", "MIT", NULL,
    0, 0, 1, sizeof offers[0], 0, 0, NULL, offers, NULL, NULL,
    server_create, server_setup, NULL, NULL, NULL, NULL, NULL, NULL, free };
EC_PLUGIN(plugin)
