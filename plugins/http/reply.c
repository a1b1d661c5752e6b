#include "plugins/http/reply.h"

#include "plugins/http/asset.h"
#include "plugins/http/change.h"
#include "plugins/http/chunk.h"
#include "plugins/http/cors.h"
#include "plugins/http/guard.h"
#include "plugins/http/search.h"
#include "plugins/http/server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PART_FIRST 4096u            /* bytes, the first guess for a reply */
#define POLICY "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"

static __thread bool on_loop;

void reply_on_loop(void)
{
    on_loop = true;
}

bool reply_is_on_loop(void)
{
    return on_loop;
}

static void count_status(struct server *s, uint32_t status)
{
    server_count(s, status < 300 ? M_2XX : status < 400 ? M_3XX : status < 500 ? M_4XX : M_5XX, 1);
}

/* Of the status line: those that evhttp has no words for (RFC 9110 §15, RFC 6585). NULL: it has. */
static const char *phrase(uint32_t status)
{
    switch (status) {
    case 308:
        return "Permanent Redirect";
    case 413:
        return "Content Too Large";
    case 422:
        return "Unprocessable Content";
    case 428:
        return "Precondition Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 507:
        return "Insufficient Storage";
    default:
        return NULL;
    }
}

static bool is_set(const struct ec_req *r, const char *name)
{
    for (const char *p = r->set.p, *end = p + r->set.n; p && p < end; ) {
        if (!strcasecmp(p, name))
            return true;
        p += strlen(p) + 1;
        p += strlen(p) + 1;
    }
    return false;
}

static void put_default(struct ec_req *r, struct evkeyvalq *out, const char *name, const char *value)
{
    if (!is_set(r, name))
        evhttp_add_header(out, name, value);
}

static void put_headers(struct ec_req *r)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(r->http);
    char etag[VERSION_ETAG], age[40];

    if (r->version)
        evhttp_add_header(out, "ETag", version_etag(r->version - 1, etag));
    for (const char *p = r->set.p, *end = p + r->set.n; p && p < end; ) {
        const char *value = p + strlen(p) + 1;

        evhttp_add_header(out, p, value);
        p = value + strlen(value) + 1;
    }
    if (r->type)
        put_default(r, out, "Content-Type", r->type);
    put_default(r, out, "Cache-Control", "no-store");
    put_default(r, out, "X-Content-Type-Options", "nosniff");
    put_default(r, out, "Referrer-Policy", "no-referrer");
    put_default(r, out, "X-Frame-Options", "DENY");
    if (r->s->tls && !r->plain)         /* without TLS browsers complain of it */
        put_default(r, out, "Cross-Origin-Opener-Policy", "same-origin");
    put_default(r, out, "Cross-Origin-Resource-Policy",
                r->s->c.cors.n || r->s->c.cors.any ? "cross-origin" : "same-origin");
    if (r->s->c.hsts_s && !r->local && !r->plain) {
        snprintf(age, sizeof age, "max-age=%" PRIu64, r->s->c.hsts_s);
        put_default(r, out, "Strict-Transport-Security", age);
    }
    cors_headers(&r->s->c.cors, r->http, out);
    put_default(r, out, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (r->guard && guard_refused(r->guard)->status)
        evhttp_add_header(out, "Connection", "close");
}

static void free_bytes(const void *p, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    free((void *)(uintptr_t)p);
}

/* The body, moved out of r. HEAD and 304 have its length only (RFC 9110 §9.3.2). */
static struct evbuffer *take_body(struct ec_req *r)
{
    struct evbuffer *b = evbuffer_new();
    char length[24];

    if (b && r->reply.n && (r->head || r->status == 304 || r->status == 204)) {
        snprintf(length, sizeof length, "%zu", r->reply.n);
        if (r->head)
            evhttp_add_header(evhttp_request_get_output_headers(r->http), "Content-Length", length);
    } else if (b && r->reply.n && !evbuffer_add_reference(b, r->reply.p, r->reply.n, free_bytes, NULL)) {
        r->reply = (struct text){ 0 };
    }
    return b;
}

/* [loop] Hand the reply to evhttp, which frees its request when it has left. */
static void send_reply(struct ec_req *r)
{
    struct evhttp_request *http = r->http;
    struct evbuffer *body;

    if (r->reply.bad) {
        text_free(&r->reply);
        r->status = 500;
    }
    put_headers(r);
    count_status(r->s, r->status);
    body = take_body(r);
    r->http = NULL;
    evhttp_send_reply(http, (int)r->status, phrase(r->status), body);
    if (body)
        evbuffer_free(body);
    if (r->guard)
        guard_send(r->guard, http, false);
}

/* [loop] r is answered: by its handler, or by somebody else before. */
static void settle(struct ec_req *r)
{
    audit_reply(r);
    once_keep(r);
    if (r->http && r->guard && evhttp_request_get_connection(r->http)) {
        send_reply(r);
    } else if (r->http) {
        /* The client has left: evhttp frees a request without a connection. */
        evhttp_send_reply(r->http, 500, NULL, NULL);
        if (r->guard)
            guard_wait_no_more(r->guard);
    }
    request_free(r);
}

static int32_t answered(struct ec_req *r)
{
    struct server *s = r->s;

    if (on_loop) {
        settle(r);
        return EC_OK;
    }
    pthread_mutex_lock(&s->lock);
    r->next = s->done;
    s->done = r;
    pthread_mutex_unlock(&s->lock);
    event_active(s->wake, 0, 0);
    return EC_OK;
}

void request_done(struct server *s)
{
    struct ec_req *list, *next;

    chunk_take(s);
    pthread_mutex_lock(&s->lock);
    list = s->done;
    s->done = NULL;
    pthread_mutex_unlock(&s->lock);
    for (; list; list = next) {
        next = list->next;
        settle(list);
    }
}

void reply_instead(struct ec_req *r, uint32_t status, const char *detail)
{
    struct ec_req shadow = { .s = r->s, .http = r->http, .guard = r->guard, .head = r->head, .status = status,
                             .type = "application/json" };

    text_puts(&shadow.reply, "{\"detail\":");
    text_jsons(&shadow.reply, detail);
    text_puts(&shadow.reply, "}");
    r->http = NULL;
    r->guard = NULL;
    send_reply(&shadow);
    text_free(&shadow.reply);
}

int32_t request_bytes(struct ec_req *r, uint32_t status, const char *type, struct text *take)
{
    text_free(&r->reply);
    r->status = status;
    r->type = type;
    r->reply = *take;
    *take = (struct text){ 0 };
    return answered(r);
}

int32_t request_error(struct ec_req *r, uint32_t status, const char *detail)
{
    struct text t = { 0 };

    text_puts(&t, "{\"detail\":");
    text_jsons(&t, detail && *detail ? detail : "Error");
    text_puts(&t, "}");
    if (status == 401)
        request_set_header(r, "WWW-Authenticate", "Bearer");
    return request_bytes(r, status, "application/json", &t);
}

/* A plugin's own page of events. */
static int32_t send_json(struct ec_req *r, uint32_t status, struct text *t)
{
    if (status == 200 && !t->bad && r->search && r->search->pick.n && !pick_page(t, &r->search->pick)) {
        text_free(t);
        return request_error(r, 500, "Internal Server Error");
    }
    return request_bytes(r, status, "application/json", t);
}

int32_t request_json(struct ec_req *r, uint32_t status, const char *json, uint64_t len)
{
    struct text t = { 0 };

    text_add(&t, json, len);
    return send_json(r, status, &t);
}

int32_t request_json_take(struct ec_req *r, uint32_t status, char *json, uint64_t len)
{
    struct text t = { .p = json, .n = len, .cap = len };

    return send_json(r, status, &t);
}

int32_t request_part(struct ec_req *r, uint32_t status, const struct ec_part *p)
{
    const struct server *s = r->s;
    const struct ec_shape *shape;
    struct text t = { 0 };
    int64_t n;

    if (!p)
        return request_bytes(r, status, NULL, &t);
    if (!s->json || !r->match.route->r->reply || !(shape = s->json->shape(s->json_self, r->match.route->r->reply)))
        return request_error(r, 500, "Internal Server Error");
    text_room(&t, PART_FIRST);
    n = t.p ? s->json->part(s->json_self, shape, p, EC_JSON_LISTS, t.p, t.cap) : EC_ENOMEM;
    if (n > (int64_t)t.cap && text_room(&t, (size_t)n))
        n = s->json->part(s->json_self, shape, p, EC_JSON_LISTS, t.p, t.cap);
    if (n < 0 || n > (int64_t)t.cap) {
        text_free(&t);
        return request_error(r, 500, "Internal Server Error");
    }
    t.n = (size_t)n;
    return request_bytes(r, status, "application/json", &t);
}

int32_t request_set_header(struct ec_req *r, const char *name, const char *value)
{
    if (!name || !value || !*name)
        return EC_EINVAL;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *p))
            return EC_EINVAL;
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return EC_EINVAL;
    text_add(&r->set, name, strlen(name) + 1);
    text_add(&r->set, value, strlen(value) + 1);
    return r->set.bad ? EC_ENOMEM : EC_OK;
}

static bool is_index(const char *p, size_t n)
{
    return n && n < 10 && strspn(p, "0123456789") >= n;
}

/* The name of a parameter is one element, though it has dots; what stands behind it is an index of a list. */
static void put_name(struct text *t, const char *at)
{
    const char *dot = strrchr(at, '.');
    bool index = dot && is_index(dot + 1, strlen(dot + 1));
    size_t n = index ? (size_t)(dot - at) : strlen(at);

    if (!n)
        return;
    text_comma(t);
    text_json(t, at, n);
    if (index) {
        text_comma(t);
        text_puts(t, dot + 1);
    }
}

/* "ports.0" as JSON elements: numbers are indexes. */
static void put_path(struct text *t, const char *at)
{
    while (*at) {
        size_t n = strcspn(at, ".");

        text_comma(t);
        if (is_index(at, n))
            text_add(t, at, n);
        else
            text_json(t, at, n);
        at += n + (at[n] == '.');
    }
}

void request_note(struct ec_req *r, const char *where, const char *at, const char *type, const char *msg,
                  const char *input, const char *ctx)
{
    struct text *t = &r->detail;

    text_puts(t, t->n ? ",{" : "{");
    text_pair(t, "type", type);
    text_key(t, "loc");
    text_puts(t, "[");
    text_jsons(t, where);
    if (strcmp(where, "body"))
        put_name(t, at);
    else
        put_path(t, at);
    text_puts(t, "]");
    text_pair(t, "msg", msg);
    text_key(t, "input");
    text_puts(t, input ? input : "null");
    if (ctx) {
        text_key(t, "ctx");
        text_puts(t, ctx);
    }
    text_puts(t, "}");
}

int32_t request_invalid(struct ec_req *r)
{
    struct text t = { 0 };

    text_puts(&t, "{\"detail\":[");
    text_add(&t, r->detail.p, r->detail.n);
    text_puts(&t, "]}");
    t.bad |= r->detail.bad;
    return request_bytes(r, 422, "application/json", &t);
}

int32_t request_invalid_at(struct ec_req *r, const char *loc, const char *type, const char *msg)
{
    const char *dot = strchr(loc, '.');
    char where[16];

    snprintf(where, sizeof where, "%.*s", (int)(dot ? dot - loc : (ptrdiff_t)strlen(loc)), loc);
    request_note(r, where, dot ? dot + 1 : "", type, msg, NULL, NULL);
    return request_invalid(r);
}

void reply_asset(struct ec_req *r, const struct asset *a)
{
    struct text t = { 0 };
    bool gzip = accepts_gzip(request_header(r, "Accept-Encoding"));

    request_set_header(r, "ETag", a->etag);
    request_set_header(r, "Cache-Control", "no-cache");
    request_set_header(r, "Vary", "Accept-Encoding");
    request_set_header(r, "Content-Security-Policy", a->a->policy ? a->a->policy : POLICY);
    r->type = a->a->type;
    if (etag_matches(request_header(r, "If-None-Match"), a->etag)) {
        request_bytes(r, 304, NULL, &t);
        return;
    }
    if (gzip) {
        request_set_header(r, "Content-Encoding", "gzip");
        text_add(&t, a->a->gzip, a->a->len);
    } else if (!asset_inflate(a, &t)) {
        text_free(&t);
        request_error(r, 500, "Internal Server Error");
        return;
    }
    request_bytes(r, 200, a->a->type, &t);
}

/* --- streams ------------------------------------------------------------------------------------ */

static void stream_gone(void *arg)
{
    struct ec_req *r = arg;

    r->guard = NULL;
    if (r->left)
        r->left(r->left_arg);
    if (r->http)
        evhttp_send_reply_end(r->http);     /* it has no connection: this frees it */
    r->http = NULL;
    request_free(r);
}

void request_stream(struct ec_req *r, void (*left)(void *arg), void *arg)
{
    r->left = left;
    r->left_arg = arg;
    evhttp_add_header(evhttp_request_get_output_headers(r->http), "Connection", "close");
    put_headers(r);
    count_status(r->s, r->status);
    evhttp_send_reply_start(r->http, (int)r->status, NULL);
    guard_send(r->guard, r->http, true);
    guard_wait(r->guard, 0, NULL, stream_gone, r);
}

size_t request_waiting(const struct ec_req *r)
{
    return r->guard && r->http ? guard_waiting(r->guard) : 0;
}

void request_push(struct ec_req *r, const void *p, size_t n)
{
    struct evbuffer *b = r->guard && r->http && n ? evbuffer_new() : NULL;

    if (!b)
        return;
    evbuffer_add(b, p, n);
    evhttp_send_reply_chunk(r->http, b);
    evbuffer_free(b);
    guard_push(r->guard);
}

void request_end(struct ec_req *r)
{
    if (r->guard && r->http)
        guard_close(r->guard, GUARD_LEFT);  /* which ends in stream_gone() */
}

int32_t request_upload(struct ec_req *r, uint64_t *len)
{
    *len = r->upload_len;
    return r->upload;
}

const void *request_param(struct ec_req *r)
{
    return r->param;
}

const void *request_body(struct ec_req *r)
{
    return r->body;
}

const struct ec_who *request_who(struct ec_req *r)
{
    return r->known ? &r->who : NULL;
}

const char *request_certificate(struct ec_req *r)
{
    return r->certificate;
}

const char *request_peer(struct ec_req *r)
{
    return r->peer;
}
