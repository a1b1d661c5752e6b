#include "plugins/http/request.h"

#include "plugins/http/cors.h"
#include "plugins/http/events.h"
#include "plugins/http/guard.h"
#include "plugins/http/input.h"
#include "plugins/http/once.h"
#include "plugins/http/reply.h"
#include "plugins/http/server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "OPTIONS";
    }
}

/* All lines of a header, joined by commas. */
static void join(struct evhttp_request *http, const char *name, struct text *to)
{
    for (struct evkeyval *h = evhttp_request_get_input_headers(http)->tqh_first; h; h = h->next.tqe_next)
        if (!strcasecmp(h->key, name)) {
            text_puts(to, to->n ? "," : "");
            text_puts(to, h->value);
        }
}

/* The client's address: the peer's, or whom a trusted proxy names. */
static void set_peer(struct ec_req *r)
{
    const struct proxies *p = &r->s->c.guard.proxies;
    struct text list = { 0 };
    uint8_t at[16];

    snprintf(r->peer, sizeof r->peer, "local");
    if (r->local || !guard_peer(r->guard, at))
        return;
    if (proxies_have(p, at)) {
        join(r->http, p->forwarded ? "Forwarded" : "X-Forwarded-For", &list);
        if (!list.bad)
            proxies_client(p, at, list.p, list.n);
        text_free(&list);
    }
    net_print(at, r->peer);
}

/* Copied, because a handler may ask for them after the client, and evhttp's request, are gone. */
static void copy_headers(struct ec_req *r)
{
    struct evkeyval *h;

    for (h = evhttp_request_get_input_headers(r->http)->tqh_first; h; h = h->next.tqe_next) {
        text_add(&r->headers, h->key, strlen(h->key) + 1);
        text_add(&r->headers, h->value, strlen(h->value) + 1);
    }
}

const char *request_header(struct ec_req *r, const char *name)
{
    const char *p = r->headers.p, *end = p + r->headers.n;

    while (p && p < end) {
        const char *value = p + strlen(p) + 1;

        if (!strcasecmp(p, name))
            return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

static struct ec_req *request_new(struct server *s, struct evhttp_request *http, struct guard *g, bool local)
{
    struct ec_req *r = calloc(1, sizeof *r);
    const char *uri = evhttp_request_get_uri(http);

    if (!r || !(r->uri = strdup(uri ? uri : "/"))) {
        free(r);
        return NULL;
    }
    r->s = s;
    r->http = http;
    r->guard = g;
    r->local = local;
    r->head = evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
    r->method = method_name(evhttp_request_get_command(http));
    r->path = r->uri;
    r->path_len = strcspn(r->uri, "?");
    r->query = r->uri + r->path_len + (r->uri[r->path_len] == '?');
    r->query_len = strlen(r->query);
    r->status = 500;
    r->upload = -1;
    s->open++;
    return r;
}

void request_free(struct ec_req *r)
{
    r->s->open--;
    once_drop(r);
    if (r->upload >= 0)
        input_upload_close(r->s, r->upload);
    decode_free(&r->q);
    free(r->search);
    free(r->param);
    free(r->body);
    free(r->uri);
    text_free(&r->headers);
    text_free(&r->raw);
    text_free(&r->detail);
    text_free(&r->reply);
    text_free(&r->set);
    free(r);
}

/* The handler has not answered in time: somebody has to. Its own answer will be dropped. */
static void on_late(void *arg)
{
    struct ec_req *r = arg;

    server_count(r->s, M_TIMEOUT, 1);
    reply_instead(r, 503, "the server took too long to answer");
}

static void on_gone(void *arg)
{
    struct ec_req *r = arg;

    server_count(r->s, M_GONE, 1);
    r->guard = NULL;
    if (r->left)
        r->left(r->left_arg);       /* which may reply, so that r is gone */
}

static bool serve_asset(struct ec_req *r)
{
    const struct asset *a = assets_find(&r->s->assets, r->path, r->path_len);

    if (!a)
        return false;
    copy_headers(r);
    if (strcmp(r->method, "GET") != 0 && !r->head) {
        request_set_header(r, "Allow", "GET, HEAD");
        request_error(r, 405, "Method Not Allowed");
    } else {
        reply_asset(r, a);
    }
    return true;
}

/* With the state of the plugin that declared the route. */
static void run_handler(struct ec_req *r)
{
    const struct route *t = r->match.route;
    uint32_t ms = t->r->deadline_ms ? t->r->deadline_ms : r->s->c.deadline_ms;
    int32_t err;

    guard_wait(r->guard, ms, on_late, on_gone, r);
    if (route_from_store(t)) {
        events_answer(r);
        return;
    }
    if (t->r->flags & EC_RT_EVENTS && !events_read(r))
        return;
    err = t->r->run(t->self, t->host->state(t->host, EC_PUB_MAILBOX), r);
    if (err != EC_OK && err != EC_EAGAIN) {
        EC_LOG(r->s->host, EC_LOG_WARNING, "%s %s: its handler failed (%d)", t->r->method, t->r->path, (int)err);
        request_error(r, 500, "Internal Server Error");
    }
}

static void serve_route(struct ec_req *r)
{
    routes_match(&r->s->routes, r->method, r->path, r->path_len, &r->match);
    if (!r->match.route && !*r->match.allow) {
        request_error(r, 404, "Not Found");
        return;
    }
    if (!r->match.route) {
        request_set_header(r, "Allow", r->match.allow);
        request_error(r, 405, "Method Not Allowed");
        return;
    }
    copy_headers(r);
    r->upload = guard_take_upload(r->guard, &r->upload_len);
    if (input_read(r, evhttp_request_get_input_buffer(r->http)) && once_begin(r))
        run_handler(r);
}

static void count_refusal(const struct server *s, int status)
{
    server_count(s, status == 408 ? M_LATE : status == 401 || status == 503 ? M_BODIES : M_MALFORMED, 1);
}

/* A host as a URL has it: name, IPv4, or [IPv6]; without its port. 0: it is none. */
static size_t host_length(const char *host)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t n = *host == '[' ? strspn(host + 1, "0123456789abcdefABCDEF:.") + 2 : strspn(host, name);

    if (*host == '[' && host[n - 1] != ']')
        return 0;
    return n < 254 && (!host[n] || host[n] == ':') ? n : 0;
}

/* To the same place by HTTPS, with the same method (RFC 9110 §15.4.9). */
static void redirect(struct ec_req *r)
{
    const char *host, *port = strrchr(r->s->c.listen, ':') + 1;
    struct text to = { 0 };
    size_t n;

    copy_headers(r);
    host = request_header(r, "Host");
    n = host ? host_length(host) : 0;
    if (!n) {
        request_error(r, 400, "the header Host names nothing that could be asked by HTTPS");
        return;
    }
    text_puts(&to, "https://");
    text_add(&to, host, n);
    if (strcmp(port, "443") != 0) {
        text_puts(&to, ":");
        text_puts(&to, port);
    }
    text_puts(&to, *r->uri == '/' ? r->uri : "/");
    text_add(&to, "", 1);
    if (to.bad || request_set_header(r, "Location", to.p))
        request_error(r, 400, "the target cannot be asked by HTTPS");
    else
        request_error(r, 308, "this is asked by HTTPS only");
    text_free(&to);
}

static void handle(struct server *s, struct evhttp_request *http, struct guards *guards, bool local)
{
    struct guard *g = guard_of(guards, http);
    struct ec_mark *mark = s->host->mark(s->host, EC_PUB_MAILBOX), old = *mark;
    struct ec_req *r = g ? request_new(s, http, g, local) : NULL;

    if (!r) {
        evhttp_send_error(http, 503, NULL);
        return;
    }
    mark->plugin = "http";
    mark->callback = "request";
    reply_on_loop();
    set_peer(r);
    guard_client(g, r->certificate);
    if (guard_refused(g)->status) {
        count_refusal(s, guard_refused(g)->status);
        if (guard_refused(g)->status == 503)
            request_set_header(r, "Retry-After", "5");
        request_error(r, (uint32_t)guard_refused(g)->status, guard_refused(g)->why);
    } else if ((r->plain = guards == &s->plains)) {
        redirect(r);
    } else if (!cors_preflight(r) && !serve_asset(r)) {
        serve_route(r);
    }
    *mark = old;
}

void request_tcp(struct evhttp_request *http, void *server)
{
    struct server *s = server;

    handle(s, http, &s->guards, false);
}

void request_local(struct evhttp_request *http, void *server)
{
    struct server *s = server;

    handle(s, http, &s->locals, true);
}

void request_plain(struct evhttp_request *http, void *server)
{
    struct server *s = server;

    handle(s, http, &s->plains, false);
}

/* A job of the route's plugin, so that a crash names it. */
struct job { struct ec_req *r; void (*fn)(struct ec_req *r, void *arg); void *arg; };

static void job_run(void *self, const void *state, void *arg)
{
    struct job j = *(struct job *)arg;

    (void)self;
    (void)state;
    free(arg);
    j.fn(j.r, j.arg);
}

int32_t request_work(struct ec_req *r, void (*fn)(struct ec_req *r, void *arg), void *arg)
{
    struct job *j = malloc(sizeof *j);
    const struct ec_host *h = r->match.route->host;

    if (j) {
        *j = (struct job){ r, fn, arg };
        if (h->work(h, job_run, j) == EC_OK)
            return EC_OK;
    }
    free(j);
    request_error(r, 503, "the server is busy; try again later");
    return EC_EAGAIN;
}
