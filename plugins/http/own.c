#include "plugins/http/own.h"

#include "plugins/http/asset.h"
#include "plugins/http/prom.h"
#include "plugins/http/request.h"
#include "plugins/http/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define READERS "admin,operator,analyst,viewer"
#define TAGGED(t, m, p, id, sum, who, f, shape) \
    { .size = sizeof(struct ec_route), .method = (m), .path = (p), .opid = (id), .summary = (sum), .roles = (who), \
      .run = (f), .schema = (shape), .tag = (t) }
#define ROUTE(m, p, id, sum, who, f, shape) TAGGED(NULL, m, p, id, sum, who, f, shape)
#define OWN(m, p, id, sum, f, shape) TAGGED("server", m, p, id, sum, "", f, shape)

static int32_t send_text(struct ec_req *r, const char *json)
{
    struct text t = { 0 };

    text_puts(&t, json);
    return request_bytes(r, 200, "application/json", &t);
}

static int32_t run_health(void *self, const void *state, struct ec_req *r)
{
    (void)self;
    (void)state;
    return send_text(r, "{\"status\":\"ok\"}");
}

/* Ready: what it needs to answer for users is there. */
static int32_t run_ready(void *self, const void *state, struct ec_req *r)
{
    const struct server *s = self;

    (void)state;
    if (!s->auth || !s->store)
        return request_error(r, 503, !s->auth ? "no plugin offers ec.auth/1" : "no plugin offers ec.store/1");
    return send_text(r, "{\"status\":\"ready\"}");
}

static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    prom_metric(arg, plugin, m, value);
}

static int32_t run_metrics(void *self, const void *state, struct ec_req *r)
{
    const struct server *s = self;
    struct text t = { 0 };

    (void)state;
    if (!s->daemon)
        return request_error(r, 503, "the daemon does not offer ec.daemon/1");
    s->daemon->metrics(s->daemon_self, on_metric, &t);
    return request_bytes(r, 200, "text/plain; version=0.0.4; charset=utf-8", &t);
}

/* [ctl] The daemon's own answer goes out as it is. */
static void on_answer(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct ec_req *r = arg;
    struct text t = { 0 };

    if (err == EC_ENOENT) {
        request_error(r, 404, "Not Found");
    } else if (err) {
        EC_LOG(r->s->host, EC_LOG_WARNING, "%s: the daemon did not answer: %.*s", r->path,
               (int)(len < 300 ? len : 300), json);
        request_error(r, 503, "the daemon cannot answer this now");
    } else {
        text_add(&t, json, len);
        request_bytes(r, 200, "application/json", &t);
    }
}

static int32_t ask(const struct server *s, struct ec_req *r, const char *question)
{
    if (!s->daemon)
        return request_error(r, 503, "the daemon does not offer ec.daemon/1");
    if (s->daemon->ask(s->daemon_self, question, on_answer, r) != EC_OK)
        return request_error(r, 503, "the daemon is busy; try again later");
    return EC_EAGAIN;
}

static int32_t run_stats(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return ask(self, r, "status");
}

static int32_t run_plugins(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return ask(self, r, "plugins");
}

static int32_t run_drops(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return ask(self, r, "drops");
}

struct name_param { struct ec_part part; struct ec_span name; };
static const struct ec_row name_rows[] = {
    { EC_T_TEXT, 0, 0, 0, offsetof(struct name_param, name), "name", NULL, NULL, NULL, NULL, "of a plugin", 1, 32 },
};
static const struct ec_record name_record = EC_RECORD_PART(struct name_param, name_rows);

static int32_t run_plugin(void *self, const void *state, struct ec_req *r)
{
    const struct name_param *p = (const void *)r->param;
    char question[64];
    const char *name = (const char *)ec_bytes(&p->part, p->name);

    (void)state;
    for (uint32_t i = 0; i < p->name.len; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
            return request_error(r, 404, "Not Found");
    snprintf(question, sizeof question, "plugin %.*s", (int)p->name.len, name);
    return ask(self, r, question);
}

static int32_t run_info(void *self, const void *state, struct ec_req *r)
{
    const struct server *s = self;
    struct utsname u;
    struct text t = { 0 };

    (void)state;
    text_puts(&t, "{");
    text_pair(&t, "product", s->host->product);
    text_pair(&t, "version", s->host->version);
    if (!uname(&u)) {
        text_pair(&t, "hostname", u.nodename);
        text_pair(&t, "kernel", u.release);
        text_pair(&t, "machine", u.machine);
    }
    text_key(&t, "pid");
    text_printf(&t, "%ld", (long)getpid());
    text_key(&t, "user");
    text_printf(&t, "%lu", (unsigned long)geteuid());
    text_key(&t, "workers");
    text_printf(&t, "%" PRIu32, s->host->workers(s->host));
    text_key(&t, "processors");
    text_printf(&t, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    text_puts(&t, "}");
    return request_bytes(r, 200, "application/json", &t);
}

static int32_t run_openapi(void *self, const void *state, struct ec_req *r)
{
    const struct server *s = self;
    struct text t = { 0 };

    (void)state;
    request_set_header(r, "ETag", s->etag);
    request_set_header(r, "Cache-Control", "no-cache");
    if (etag_matches(request_header(r, "If-None-Match"), s->etag))
        return request_bytes(r, 304, NULL, &t);
    text_add(&t, s->openapi.p, s->openapi.n);
    return request_bytes(r, 200, "application/json", &t);
}

static void put_html(struct text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            text_puts(t, "&lt;");
        else if (*s == '&')
            text_puts(t, "&amp;");
        else
            text_add(t, s, 1);
    }
}

/* Where no plugin brings a reader for the document, a table of the routes. */
static int32_t run_docs(void *self, const void *state, struct ec_req *r)
{
    const struct server *s = self;
    struct text t = { 0 };

    (void)state;
    text_puts(&t,
              "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>eCyber API</title><h1>eCyber API</h1>"
                  "<p>The whole document: <a href=\"/api/openapi.json\">/api/openapi.json</a></p>"
                  "<table><tr><th>Method<th>Path<th>What<th>Who");
    for (uint32_t i = 0; i < s->routes.n; i++) {
        const struct ec_route *route = s->routes.route[i].r;
        const char *const cells[] = { route->method, route->path, route->summary,
                                      *route->roles ? route->roles : "everybody" };

        text_puts(&t, "<tr>");
        for (unsigned k = 0; k < 4; k++) {
            text_puts(&t, "<td>");
            put_html(&t, cells[k]);
        }
    }
    text_puts(&t, "</table></html>");
    return request_bytes(r, 200, "text/html; charset=utf-8", &t);
}

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/docs", .opid = "get_docs",
      .summary = "This API, to be read", .roles = "", .run = run_docs, .type = "text/html", .tag = "server" },
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/redoc", .opid = "get_redoc",
      .summary = "This API, to be read in one go", .roles = "", .run = run_docs, .type = "text/html", .tag = "server" },
    OWN("GET", "/healthz", "healthz", "Is the server alive?", run_health, SHAPE_STATUS),
    OWN("GET", "/readyz", "readyz", "Can it serve users?", run_ready, SHAPE_STATUS),
    OWN("GET", "/api/health", "get_health", "Is the server alive?", run_health, SHAPE_STATUS),
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/metrics", .opid = "get_metrics",
      .summary = "Every metric, as Prometheus reads it", .roles = "", .run = run_metrics, .type = "text/plain" },
    OWN("GET", "/api/openapi.json", "get_openapi", "This document", run_openapi, SHAPE_DOCUMENT),
    OWN("GET", "/openapi.json", "get_openapi_alias", "This document, at its usual place",
          run_openapi, SHAPE_DOCUMENT),
    ROUTE("GET", "/api/system/info", "get_system_info", "The daemon and the machine", READERS, run_info, SHAPE_INFO),
    ROUTE("GET", "/api/system/stats", "get_system_stats", "Status, packets, events and metrics", READERS,
          run_stats, SHAPE_STATS),
    ROUTE("GET", "/api/system/plugins", "list_plugins", "Every plugin, and why one is left out", READERS,
          run_plugins, SHAPE_PLUGINS),
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/system/plugins/{name}", .opid = "get_plugin",
      .summary = "One plugin: what it uses and offers, its metrics", .roles = READERS, .param = &name_record,
      .run = run_plugin, .errors = "404", .schema = SHAPE_PLUGIN },
    ROUTE("GET", "/api/system/drops", "get_drops", "An exact account of every event and packet", READERS,
          run_drops, SHAPE_DROPS),
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENTS, .method = "GET", .path = "/api/events",
      .opid = "list_events",
      .summary = "Stored events of any type", .roles = READERS },
    { .size = sizeof(struct ec_route), .flags = EC_RT_EVENT, .method = "GET", .path = "/api/events/{id}",
      .opid = "get_event", .summary = "One stored event", .roles = READERS, .errors = "404" },
    { .size = sizeof(struct ec_route), .flags = EC_RT_COUNT, .method = "GET", .path = "/api/events/top",
      .opid = "count_events", .summary = "The most frequent values of a field", .roles = READERS },
    { .size = sizeof(struct ec_route), .flags = EC_RT_STREAM, .method = "GET", .path = "/api/network/events/stream",
      .opid = "stream_events", .summary = "Events as they happen (server-sent events)", .roles = READERS,
      .type = "text/event-stream",
      .description = "With a header `Last-Event-ID`, as browsers send it when they connect again, the stored events "
                     "after that one come first, as far as they fit into half of `http.stream_buffer`; an event `gap` in "
                     "front of them says how many older ones do not.",
      .param = &stream_params, .run = stream_run, .errors = "429" },
};

int32_t own_routes(struct server *s, char *why, uint32_t n)
{
    int32_t err = EC_OK;

    for (unsigned i = 0; !err && i < sizeof routes / sizeof routes[0]; i++)
        err = routes_add(&s->routes, s->host, &routes[i], s, why, n);
    return err;
}
