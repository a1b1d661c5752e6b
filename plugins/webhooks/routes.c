/* /api/webhooks: who is told of what. All of it is for administrators. */
#include "plugins/webhooks/plugin.h"
#include "lib/url.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct one_param { struct ec_part part; uint64_t id; };
static const struct ec_row one_rows[] = {
    { EC_T_U64, 0, 0, 0, (uint32_t)offsetof(struct one_param, id), "id", NULL, NULL, NULL, NULL, "number of the webhook", 1,
      INT64_MAX },
};
static const struct ec_record one_record = EC_RECORD_PART(struct one_param, one_rows);

struct body {
    struct ec_part part;
    struct ec_span name, url, secret;
    struct ec_list types;
    uint32_t severity;
    uint8_t active, pad[3];
};
enum { HAS_NAME, HAS_URL, HAS_SECRET, HAS_TYPES, HAS_SEVERITY, HAS_ACTIVE };
#define BODY(T, flags, bit, member, name, help, min, max) \
    { EC_T_##T, (uint16_t)(EC_R_OPT | (flags)), (bit), 0, (uint32_t)offsetof(struct body, member), (name), NULL, NULL, NULL, \
      NULL, (help), (min), (max) }
static const struct ec_row body_rows[] = {
    BODY(TEXT, 0, HAS_NAME, name, "name", "how it is called", 1, 64),
    BODY(TEXT, 0, HAS_URL, url, "url", "where to; a new webhook needs it", 1, HOOK_URL - 1),
    BODY(TEXT, EC_R_LIST, HAS_TYPES, types, "events", "types of events, such as alert; a new webhook needs one to 16", 1,
         HOOK_TYPE - 1),
    BODY(U32, 0, HAS_SEVERITY, severity, "severity", "alerts of this severity and more severe ones; 0: all", 0, 255),
    BODY(TEXT, EC_R_SECRET, HAS_SECRET, secret, "secret",
         "that signs: whsec_ and base64 of 24 to 64 bytes; a new webhook without it gets one", 1, SIGN_SECRET - 1),
    BODY(BOOL, 0, HAS_ACTIVE, active, "active", "it is used", 0, 0),
};
static const struct ec_record body_record = EC_RECORD_PART(struct body, body_rows);

struct view {
    uint64_t id, version, at;
    struct ec_span name, url, by;
    struct ec_list types;
    uint32_t severity;
    uint8_t active, pad[3];
};
struct one { struct ec_part part; struct view v; struct ec_span secret; };
struct many { struct ec_part part; struct ec_list items; };
#define VIEW_ROWS(T, M) \
    EC_FIELD(U64, 0, T, M(id), "id", NULL, "number of the webhook"), \
    EC_FIELD(TEXT, 0, T, M(name), "name", NULL, "how it is called"), \
    EC_FIELD(TEXT, 0, T, M(url), "url", NULL, "where to"), \
    EC_FIELD(TEXT, EC_R_LIST, T, M(types), "events", NULL, "types of events"), \
    EC_FIELD(U32, 0, T, M(severity), "severity", NULL, "alerts of this severity and more severe ones; 0: all"), \
    EC_FIELD(BOOL, 0, T, M(active), "active", NULL, "it is used"), \
    EC_FIELD(U64, 0, T, M(version), "version", NULL, "grows with each change"), \
    EC_FIELD(TEXT, 0, T, M(by), "changed_by", NULL, "who changed it last"), \
    EC_FIELD(TIME, 0, T, M(at), "changed_at", NULL, "when")
#define ALONE(member)  member
#define INSIDE(member) v.member
static const struct ec_row view_rows[] = { VIEW_ROWS(struct view, ALONE) };
static const struct ec_record view_record = EC_RECORD_ELEMENT(struct view, view_rows);
static const struct ec_row one_reply_rows[] = { VIEW_ROWS(struct one, INSIDE) };
static const struct ec_record one_reply = EC_RECORD_PART(struct one, one_reply_rows);
static const struct ec_row made_rows[] = {
    VIEW_ROWS(struct one, INSIDE),
    EC_FIELD(TEXT, 0, struct one, secret, "secret", NULL, "that signs; it is not shown again"),
};
static const struct ec_record made_reply = EC_RECORD_PART(struct one, made_rows);
static const struct ec_row many_rows[] = {
    EC_FIELD_LIST(&view_record, struct many, items, "items", "webhooks, by their numbers; at most 100") };
static const struct ec_record many_reply = EC_RECORD_PART(struct many, many_rows);

struct tested { struct ec_part part; struct ec_span id; };
static const struct ec_row tested_rows[] = {
    EC_FIELD(TEXT, 0, struct tested, id, "delivery_id", NULL, "of the attempt, in the list of deliveries"),
};
static const struct ec_record tested_reply = EC_RECORD_PART(struct tested, tested_rows);

/* --- answers ----------------------------------------------------------------------------------------------------- */

static void view_fill(struct ec_build *b, struct view *to, const struct hook *h)
{
    struct ec_span *type = ec_rows(b, &to->types, h->types, sizeof *type);

    for (uint32_t i = 0; type && i < h->types; i++)
        type[i] = ec_puts(b, h->type[i]);
    to->id = h->id;
    to->version = h->version;
    to->at = h->at_ns;
    to->name = ec_puts(b, h->name);
    to->url = ec_puts(b, h->url);
    to->by = ec_puts(b, h->by);
    to->severity = h->severity;
    to->active = h->active;
}

static void send_one(struct webhooks *w, struct ec_req *r, uint32_t status, const struct hook *h)
{
    union { uint64_t align; uint8_t bytes[8192]; } room = { .bytes = { 0 } };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct one *to;

    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    view_fill(&b, &to->v, h);
    if (status == 201)
        to->secret = ec_puts(&b, h->secret);
    w->http->etag(r, h->version);
    w->http->reply(r, status, &to->part);
    OPENSSL_cleanse(&room, sizeof room);
}

static int32_t get_all(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;
    struct hook *list = calloc(HOOKS_MAX, sizeof *list);
    struct ec_build b = { .base = calloc(1, HOOKS_MAX * 4096), .cap = HOOKS_MAX * 4096 };
    uint32_t n = list ? hooks_page(w->hooks, 0, list, HOOKS_MAX) : 0;
    struct many *to;
    struct view *v;
    int32_t err;

    (void)state;
    if (!list || !b.base) {
        err = w->http->error(r, 503, "out of memory");
    } else {
        ec_grow(&b, sizeof(struct ec_event));
        to = ec_add(&b, 0, sizeof *to);
        v = n ? ec_rows(&b, &to->items, n, sizeof *v) : NULL;
        if (!v)
            to->items.off = (uint32_t)sizeof(struct ec_part);
        for (uint32_t i = 0; v && i < n; i++)
            view_fill(&b, &v[i], &list[i]);
        err = w->http->reply(r, 200, &to->part);
        OPENSSL_cleanse(list, HOOKS_MAX * sizeof *list);
    }
    free(list);
    free(b.base);
    return err;
}

/* The one of the path. 0; else it was answered. */
static int named(struct webhooks *w, struct ec_req *r, struct hook *h)
{
    if (!hooks_get(w->hooks, ((const struct one_param *)w->http->param(r))->id, h))
        return 0;
    w->http->error(r, 404, "there is no such webhook");
    return -1;
}

static int32_t get_one(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;
    struct hook h;

    (void)state;
    if (!named(w, r, &h) && !w->http->match(r, h.version))
        send_one(w, r, 200, &h);
    OPENSSL_cleanse(&h, sizeof h);
    return EC_OK;
}

static bool same_types(const struct hook *a, const struct hook *b)
{
    for (uint32_t i = 0; i < a->types && i < b->types; i++)
        if (strcmp(a->type[i], b->type[i]) != 0)
            return false;
    return a->types == b->types;
}

static void audit_types(FILE *out, const struct hook *h)
{
    for (uint32_t i = 0; i < h->types; i++)
        fprintf(out, "%s%s", i ? "," : "", h->type[i]);
}

/* What it is, or what of it was changed to what. Of a secret only that it is another. */
static void audit_say(FILE *out, const struct hook *old, const struct hook *h)
{
    if (!old || strcmp(old->name, h->name) != 0)
        fprintf(out, "; name %s%s%s", old ? old->name : "", old ? " -> " : "", h->name);
    if (!old || strcmp(old->url, h->url) != 0)
        fprintf(out, "; url %s%s%s", old ? old->url : "", old ? " -> " : "", h->url);
    if (!old || !same_types(old, h)) {
        fputs("; events ", out);
        if (old)
            audit_types(out, old);
        fputs(old ? " -> " : "", out);
        audit_types(out, h);
    }
    if (old && old->severity != h->severity)
        fprintf(out, "; severity %" PRIu32 " -> %" PRIu32, old->severity, h->severity);
    else if (!old)
        fprintf(out, "; severity %" PRIu32, h->severity);
    if (!old || old->active != h->active)
        fprintf(out, "; %s", h->active ? "active" : "not active");
    if (old && strcmp(old->secret, h->secret) != 0)
        fputs("; another secret", out);
}

/* Into the audit log, before r is answered. old: NULL: h is new; now: NULL: it is removed. */
static void audit(struct webhooks *w, struct ec_req *r, const struct hook *old, const struct hook *now)
{
    const char *action = !old ? "webhook.create" : now ? "webhook.change" : "webhook.delete";
    char object[40], *detail = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&detail, &n);

    if (out) {
        audit_say(out, now ? old : NULL, now ? now : old);
        if (fclose(out))
            n = 0;
    }
    snprintf(object, sizeof object, "webhooks/%" PRIu64, (now ? now : old)->id);
    w->http->audit(r, action, "success", object, n > 2 ? detail + 2 : "nothing");
    free(detail);
}

/* --- changes ----------------------------------------------------------------------------------------------------- */

static bool has(const struct body *b, unsigned bit)
{
    return b->part.has >> bit & 1;
}

static void text_take(const struct ec_part *p, struct ec_span from, char *to, size_t room)
{
    size_t n = from.off && from.len < room ? from.len : 0;

    if (n)
        memcpy(to, ec_bytes(p, from), n);
    to[n] = '\0';
}

static const struct ec_span *type_at(const struct body *b, uint32_t i)
{
    return (const struct ec_span *)(const void *)((const char *)b + b->types.off + (size_t)i * b->types.stride);
}

/* Is it a type of events, and not that of deliveries, which would be told of for ever? */
static bool type_known(const struct ec_host *h, const char *type)
{
    for (uint32_t id = 1; strcmp(type, DELIVERY_ROOT) != 0 && id <= h->topic_count(h); id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->flags & EC_TOPIC_EVENT && !strcmp(t->root, type))
            return true;
    }
    return false;
}

static int32_t types_wrong(struct webhooks *w, struct ec_req *r, const struct body *b)
{
    char type[HOOK_TYPE], loc[32];

    if (!b->types.n)
        return w->http->invalid(r, "body.events", "too_short",
                                "List should have at least 1 item after validation, not 0"), 1;
    if (b->types.n > HOOK_TYPES)
        return w->http->invalid(r, "body.events", "too_long", "List should have at most 16 items after validation"), 1;
    for (uint32_t i = 0; i < b->types.n; i++) {
        text_take(&b->part, *type_at(b, i), type, sizeof type);
        snprintf(loc, sizeof loc, "body.events.%u", i);
        if (!type_known(w->host, type))
            return w->http->invalid(r, loc, "enum", "Input should be the type of events that a plugin declares"), 1;
    }
    return 0;
}

/* 0; else it was answered. */
static int32_t body_wrong(struct webhooks *w, const struct config *c, struct ec_req *r, const struct body *b)
{
    char url[HOOK_URL];
    const char *why = NULL;

    if (has(b, HAS_URL)) {
        text_take(&b->part, b->url, url, sizeof url);
        why = url_wrong(url, c->plain);
    }
    if (why)
        return w->http->invalid(r, "body.url", "url_parsing", why), 1;
    if (has(b, HAS_SECRET) && !sign_is_secret((const char *)ec_bytes(&b->part, b->secret), b->secret.len))
        return w->http->invalid(r, "body.secret", "value_error",
                                "Value error, it has to be whsec_ and base64 of 24 to 64 bytes"), 1;
    return has(b, HAS_TYPES) ? types_wrong(w, r, b) : 0;
}

static void body_apply(struct hook *h, const struct body *b)
{
    if (has(b, HAS_NAME))
        text_take(&b->part, b->name, h->name, sizeof h->name);
    if (has(b, HAS_URL))
        text_take(&b->part, b->url, h->url, sizeof h->url);
    if (has(b, HAS_SECRET))
        text_take(&b->part, b->secret, h->secret, sizeof h->secret);
    if (has(b, HAS_SEVERITY))
        h->severity = b->severity;
    if (has(b, HAS_ACTIVE))
        h->active = b->active;
    if (!has(b, HAS_TYPES))
        return;
    h->types = b->types.n;
    for (uint32_t i = 0; i < h->types; i++)
        text_take(&b->part, *type_at(b, i), h->type[i], HOOK_TYPE);
}

/* old: what it was, NULL: a new one. */
static void put(struct webhooks *w, struct ec_req *r, const struct hook *old, struct hook *h)
{
    const struct ec_who *who = w->http->who(r);
    int32_t err;

    snprintf(h->by, sizeof h->by, "%s", who ? who->name : "");
    h->at_ns = w->host->now(w->host);
    err = hooks_put(w->hooks, h);
    if (!err) {
        audit(w, r, old, h);
        send_one(w, r, old ? 200 : 201, h);
    } else if (err == EC_ENOENT) {
        w->http->error(r, 404, "there is no such webhook");
    } else if (err == EC_EAGAIN) {
        w->http->error(r, 409, "the webhook was changed by somebody else: read it again");
    } else if (err == EC_ELIMIT) {
        w->http->error(r, 409, "there are 100 webhooks already");
    } else {
        w->http->error(r, 503, "the store cannot be written at the moment");
    }
}

static void create_work(struct ec_req *r, void *arg)
{
    struct webhooks *w = arg;
    struct hook h = { .active = true };

    if (sign_make_secret(h.secret)) {
        w->http->error(r, 500, "there is no randomness");
        return;
    }
    body_apply(&h, w->http->body(r));
    put(w, r, NULL, &h);
    OPENSSL_cleanse(&h, sizeof h);
}

static int32_t create(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;
    const struct body *b = w->http->body(r);

    if (!has(b, HAS_URL))
        return w->http->invalid(r, "body.url", "missing", "Field required");
    if (!has(b, HAS_TYPES))
        return w->http->invalid(r, "body.events", "missing", "Field required");
    if (body_wrong(w, state, r, b))
        return EC_OK;
    return w->http->work(r, create_work, w) ? EC_OK : EC_EAGAIN;
}

static void change_work(struct ec_req *r, void *arg)
{
    struct webhooks *w = arg;
    struct hook h, old;

    if (named(w, r, &h))
        return;
    old = h;
    if (!w->http->match(r, h.version)) {
        body_apply(&h, w->http->body(r));
        put(w, r, &old, &h);
    }
    OPENSSL_cleanse(&old, sizeof old);
    OPENSSL_cleanse(&h, sizeof h);
}

static int32_t change(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;

    if (body_wrong(w, state, r, w->http->body(r)))
        return EC_OK;
    return w->http->work(r, change_work, w) ? EC_OK : EC_EAGAIN;
}

static void remove_work(struct ec_req *r, void *arg)
{
    struct webhooks *w = arg;
    struct hook h;
    int32_t err;

    if (named(w, r, &h))
        return;
    if (w->http->match(r, h.version)) {
        OPENSSL_cleanse(&h, sizeof h);
        return;
    }
    err = hooks_remove(w->hooks, h.id);
    if (!err || err == EC_ENOENT) {
        audit(w, r, &h, NULL);
        w->http->reply(r, 204, NULL);
    } else {
        w->http->error(r, 503, "the store cannot be written at the moment");
    }
    OPENSSL_cleanse(&h, sizeof h);
}

static int32_t drop(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;

    (void)state;
    return w->http->work(r, remove_work, w) ? EC_OK : EC_EAGAIN;
}

static int32_t test(void *self, const void *state, struct ec_req *r)
{
    static const char json[] = "{\"event_type\":\"test\",\"message\":\"eCyber can reach you\"}";
    union { uint64_t align; uint8_t bytes[512]; } room = { .bytes = { 0 } };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct webhooks *w = self;
    struct delivery *d;
    struct tested *to;
    struct hook h;

    (void)state;
    if (named(w, r, &h))
        return EC_OK;
    OPENSSL_cleanse(h.secret, sizeof h.secret);
    if (!(d = delivery_new(h.id, "test", w->host->now(w->host), 0, json, sizeof json - 1)))
        return w->http->error(r, 503, "out of memory");
    ec_grow(&b, sizeof(struct ec_event));
    to = ec_add(&b, 0, sizeof *to);
    to->id = ec_puts(&b, d->id);
    if (!deliver(w, d))
        return w->http->error(r, 503, "too many deliveries are pending");
    return w->http->reply(r, 202, &to->part);
}

/* --- deliveries -------------------------------------------------------------------------------------------------- */

struct page { FILE *out; uint32_t n; };

static int32_t on_event(void *arg, uint64_t id, const char *json, uint32_t n)
{
    struct page *p = arg;

    (void)id;
    fputs(p->n++ ? "," : "", p->out);
    fwrite(json, 1, n, p->out);
    return EC_OK;
}

/* What was asked for, of this webhook alone. */
static void list_work(struct ec_req *r, void *arg)
{
    struct webhooks *w = arg;
    struct ec_query q = *w->http->query(r);
    struct ec_filter *f = calloc(q.n_filter + 1u, sizeof *f);
    struct ec_page got = { .size = sizeof got };
    char id[24], why[256] = "", *bytes = NULL;
    size_t n = 0;
    struct page p = { .out = open_memstream(&bytes, &n) };
    int32_t err = f && p.out ? EC_OK : EC_ENOMEM;

    snprintf(id, sizeof id, "%" PRIu64, ((const struct one_param *)w->http->param(r))->id);
    for (uint32_t i = 0; !err && i < q.n_filter; i++)
        f[i + 1] = *(const struct ec_filter *)(const void *)((const char *)q.filter + (size_t)i * q.filter_stride);
    if (!err) {
        f[0] = (struct ec_filter){ sizeof *f, EC_F_EQ, DELIVERY_ROOT ".webhook_id", id };
        q.filter = f;
        q.filter_stride = sizeof *f;
        q.n_filter++;
        fputs("{\"items\":[", p.out);
        err = w->store->events(w->store_self, &q, on_event, &p, &got, why, sizeof why);
        fprintf(p.out, "],\"next_cursor\":%s%s%s,\"partial\":%s}", *got.next ? "\"" : "", *got.next ? got.next : "null",
                *got.next ? "\"" : "", got.flags & EC_PAGE_PARTIAL ? "true" : "false");
    }
    if (p.out && fclose(p.out))
        err = EC_ENOMEM;
    if (!err)
        w->http->json(r, 200, bytes, n);
    else if (err == EC_EINVAL)
        w->http->invalid(r, "query", "value_error", why);
    else
        w->http->error(r, 503, "the store cannot be read at the moment");
    free(bytes);
    free(f);
}

static int32_t list(void *self, const void *state, struct ec_req *r)
{
    struct webhooks *w = self;
    struct hook h;

    (void)state;
    if (named(w, r, &h))
        return EC_OK;
    OPENSSL_cleanse(h.secret, sizeof h.secret);
    return w->http->work(r, list_work, w) ? EC_OK : EC_EAGAIN;
}

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = "/api/webhooks" p, .opid = id, .summary = text, .roles = "admin"
static const struct ec_route routes[] = {
    { ROUTE("GET", "", "list_webhooks", "The webhooks"), .reply = &many_reply, .run = get_all },
    { ROUTE("POST", "", "create_webhook", "Make a webhook; its secret is in the answer alone"), .body = &body_record,
      .body_max = 16384, .reply = &made_reply, .run = create, .status = 201, .errors = "409" },
    { ROUTE("GET", "/{id}", "read_webhook", "One webhook"), .flags = EC_RT_EDITS, .param = &one_record, .reply = &one_reply, .run = get_one,
      .errors = "404" },
    { ROUTE("PATCH", "/{id}", "change_webhook", "Change a webhook"), .flags = EC_RT_EDITS,
      .param = &one_record, .body = &body_record, .body_max = 16384, .reply = &one_reply, .run = change,
      .errors = "404,409" },
    { ROUTE("DELETE", "/{id}", "delete_webhook", "Remove a webhook"), .flags = EC_RT_EDITS, .param = &one_record, .run = drop, .status = 204,
      .errors = "404" },
    { ROUTE("POST", "/{id}/test", "test_webhook", "Send it an event of the type test, active or not"),
      .param = &one_record, .reply = &tested_reply, .run = test, .status = 202, .errors = "404" },
    { ROUTE("GET", "/{id}/deliveries", "list_deliveries", "Attempts to deliver, the newest first"), .flags = EC_RT_EVENTS,
      .topic = DELIVERY_TOPIC, .param = &one_record, .run = list, .errors = "404",
      .alias = "outcome=" DELIVERY_ROOT ".outcome,status=" DELIVERY_ROOT ".status" },
};

void routes_declare(struct webhooks *w)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (w->http->route(w->http_self, w->host, &routes[i], w))
            EC_LOG(w->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
