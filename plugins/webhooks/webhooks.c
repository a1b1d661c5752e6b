/* webhooks: tells other programs of events, by HTTP requests that are signed. This is the glue. */
#include "plugins/webhooks/plugin.h"

#include <curl/curl.h>
#include <ecyber/ext/alert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PENDING_MAX   10000u
#define PENDING_BYTES (UINT64_C(64) << 20)

#define COUNTER(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_COUNTER, name, unit, help }
#define GAUGE(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_GAUGE, name, unit, help }
static const struct ec_metric metrics[] = {
    [M_DELIVERED] = COUNTER("delivered", "deliveries", "Deliveries that were answered with 2xx."),
    [M_FAILED] = COUNTER("failed", "deliveries", "Deliveries that were given up."),
    [M_RETRIED] = COUNTER("retried", "attempts", "Attempts that failed and are made again."),
    [M_REFUSED] = COUNTER("refused", "attempts", "Attempts refused because the address is not public."),
    [M_FULL] = COUNTER("full", "deliveries", "Deliveries lost because too many were pending."),
    [M_REPLAYED] = COUNTER("replayed", "events", "Events of a replay, of which nobody is told."),
    [M_PENDING] = GAUGE("pending", "deliveries", "Deliveries that are to be made."),
};

#define SECOND INT64_C(1000000000)
static const struct ec_row option_rows[] = {
    { EC_T_TEXT, EC_R_LIVE | EC_R_LOCAL | EC_R_LIST, 0, 0, 0, "allow", NULL, "cidr", NULL, NULL,
      "addresses and networks that may be told though they are not public", 1, 63 },
    EC_OPTION(BOOL, EC_R_LIVE | EC_R_LOCAL, "plain", "false", 0, 0, NULL, "http:// is taken as well as https://"),
    EC_OPTION(U32, EC_R_LIVE, "attempts", "6", 1, 20, "attempts", "for each delivery"),
    EC_OPTION(DURATION, EC_R_LIVE, "retry", "10s", SECOND / 10, 3600 * SECOND, NULL,
              "before the second attempt; four times as long before each further one, at most 6h"),
    EC_OPTION(DURATION, EC_R_LIVE, "timeout", "10s", SECOND / 10, 20 * SECOND, NULL, "of one attempt"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

static int32_t webhooks_create(const struct ec_host *h, void **self)
{
    struct webhooks *w = *self = calloc(1, sizeof *w);

    if (!w || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(w);
        *self = NULL;
        return h->fail(h, EC_ENOMEM, "out of memory");
    }
    w->host = h;
    queue_init(&w->queue, PENDING_MAX, PENDING_BYTES);
    return EC_OK;
}

static void stamp(uint64_t ns, char to[48])
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    size_t n = gmtime_r(&seconds, &tm) ? strftime(to, 48, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

    snprintf(to + n, 48 - n, ".%06uZ", (unsigned)(ns / 1000 % 1000000));
}

struct delivery *delivery_new(uint64_t hook, const char *type, uint64_t ts_ns, uint64_t event, const char *json,
                              uint32_t n)
{
    size_t cap = n + 160u;
    struct delivery *d = calloc(1, sizeof *d + cap);
    char when[48];

    if (!d)
        return NULL;
    stamp(ts_ns, when);
    d->hook = hook;
    snprintf(d->type, sizeof d->type, "%s", type);
    if (event)
        snprintf(d->event, sizeof d->event, "%" PRIu64, event);
    snprintf(d->id, sizeof d->id, "%" PRIu64 "-%" PRIu64, hook, event ? event : ts_ns);
    d->len = (uint32_t)snprintf(d->body, cap, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":%.*s}", d->type, when, (int)n,
                                json);
    return d;
}

bool deliver(struct webhooks *w, struct delivery *d)
{
    if (!queue_put(&w->queue, d)) {
        w->host->metric(w->host, M_FULL, 1);
        return false;
    }
    pump_wake(w, w->host->now(w->host));
    return true;
}

/* The event's object, with its id in front, as the store and the stream have it. NULL: out of memory. */
static char *event_json(struct webhooks *w, const struct ec_event *ev, uint32_t *n)
{
    size_t cap = 8192;
    char *text = NULL, *grown;
    int64_t len;
    int head;

    for (;;) {
        if (!(grown = realloc(text, cap)))
            break;
        text = grown;
        head = snprintf(text, cap, "{\"id\":\"%" PRIu64 "\",", ev->id);
        len = w->json->event(w->json_self, ev, 0, text + head - 1, cap - (size_t)head, NULL);
        if (len < 3)
            break;
        if ((uint64_t)len <= cap - (size_t)head) {
            text[head - 1] = ',';   /* in place of its own brace */
            *n = (uint32_t)(head - 1 + len);
            return text;
        }
        cap = (size_t)len + (size_t)head + 1;
    }
    free(text);
    return NULL;
}

static uint32_t severity_of(const struct webhooks *w, const struct ec_part *p)
{
    return w->alert_topic && p->topic == w->alert_topic && p->size >= sizeof(struct ec_alert)
        ? ((const struct ec_alert *)(const void *)p)->severity : 0;
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    struct webhooks *w = self;
    const struct ec_part *p = ev->parts ? ec_part_first(ev) : NULL;
    const struct ec_topic *t = p ? w->host->topic_get(w->host, p->topic) : NULL;
    uint64_t hook[HOOKS_MAX];
    uint32_t len = 0, n = t && t->root && w->ready && p->topic != w->topic
        ? hooks_wanting(w->hooks, t->root, severity_of(w, p), hook) : 0;
    char *json;

    (void)state;
    if (!n)
        return;
    if (ev->flags & EC_EV_REPLAY) {
        w->host->metric(w->host, M_REPLAYED, 1);
        return;
    }
    json = event_json(w, ev, &len);
    for (uint32_t i = 0; i < n; i++) {
        struct delivery *d = json ? delivery_new(hook[i], t->root, ev->ts_ns, ev->id, json, len) : NULL;

        if (d)
            deliver(w, d);
        else
            w->host->metric(w->host, M_FULL, 1);
    }
    free(json);
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    struct webhooks *w = self;

    (void)state;
    pump_wake(w, now_ns);
    w->host->gauge(w->host, M_PENDING, queue_count(&w->queue));
}

static int32_t webhooks_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, 200000000, on_timer };
    static const struct ec_sub everything = { .size = sizeof everything, .mode = EC_SUB_QUEUED, .topic = "*",
                                              .overflow = EC_OVF_DROP_NEW, .fn = on_event };
    struct webhooks *w = self;
    const struct ec_host *h = w->host;
    int32_t err;

    w->http = h->use(h, EC_HTTP_ID, &w->http_self);
    w->store = h->use(h, EC_STORE_ID, &w->store_self);
    w->json = h->use(h, EC_JSON_ID, &w->json_self);
    if (!w->store || !w->json)
        return h->fail(h, EC_ENOENT, "there is no store that could keep webhooks");
    if (!(w->hooks = hooks_new(w->store, w->store_self)))
        return h->fail(h, EC_ENOMEM, "out of memory");
    if ((err = hooks_declare(w->hooks, h)) || (err = h->topic(h, &delivery_topic, &w->topic)) ||
        (err = h->subscribe(h, &everything)))
        return err;
    if (w->http)
        routes_declare(w);
    return h->timer(h, &timer);
}

static int32_t webhooks_configure(void *self, const struct ec_conf *c, void **state)
{
    struct webhooks *w = self;
    const struct ec_host *h = w->host;
    struct config *o = calloc(1, sizeof *o);
    uint32_t n = h->conf_count(c, "allow");
    int64_t v;

    if (!o)
        return h->fail(h, EC_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        const char *net = h->conf_text(c, "allow", i);

        if (o->guard.n == sizeof o->guard.allow / sizeof o->guard.allow[0] ||
            guard_parse(net, &o->guard.allow[o->guard.n++])) {
            int32_t err = ec_failf(h, EC_EINVAL, "%s: webhooks.allow: %s is no network such as 10.0.0.0/8, or there are more than 64",
                                   h->conf_where(c, "allow", i), net);
            free(o);
            return err;
        }
    }
    o->plain = !h->conf_num(c, "plain", 0, &v) && v;
    o->attempts = h->conf_num(c, "attempts", 0, &v) ? 1 : (uint32_t)v;
    o->retry_ns = h->conf_num(c, "retry", 0, &v) ? (uint64_t)SECOND : (uint64_t)v;
    o->timeout_ms = h->conf_num(c, "timeout", 0, &v) ? 10000 : (uint32_t)(v / 1000000);
    *state = o;
    return EC_OK;
}

static void webhooks_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static void load_pending(struct webhooks *w)
{
    const struct ec_host *h = w->host;
    const char *folder = h->state_dir(h);
    uint32_t lost;
    int64_t n;

    if (!folder || snprintf(w->pending, sizeof w->pending, "%s/pending", folder) >= (int)sizeof w->pending) {
        *w->pending = '\0';
        return;
    }
    n = pending_load(&w->queue, w->pending, &lost);
    if (n < 0)
        EC_LOG(h, EC_LOG_ERROR, "%s cannot be read: %s; what was pending at the last stop is not delivered", w->pending,
               strerror(errno));
    else if (n || lost)
        EC_LOG(h, lost ? EC_LOG_WARNING : EC_LOG_INFO, "%" PRId64 " deliveries were pending at the last stop%s", n,
               lost ? "; some are lost, for the file is damaged or too much waits" : "");
    h->metric(h, M_FULL, (int64_t)lost);
}

static int32_t webhooks_start(void *self, const void *state)
{
    struct webhooks *w = self;
    int32_t err = hooks_load(w->hooks);

    (void)state;
    w->alert_topic = ec_alert_topic(w->host);
    if (err)
        return w->host->fail(w->host, err, "the webhooks could not be read from the store");
    load_pending(w);
    w->ready = true;
    return EC_OK;
}

static void webhooks_stop(void *self)
{
    atomic_store(&((struct webhooks *)self)->stopping, true);
}

static void webhooks_destroy(void *self)
{
    struct webhooks *w = self;
    int64_t n = *w->pending ? pending_save(&w->queue, w->pending) : 0;

    if (n < 0)
        EC_LOG(w->host, EC_LOG_ERROR, "%s cannot be written: %s; what is pending is lost", w->pending, strerror(errno));
    else if (n)
        EC_LOG(w->host, EC_LOG_INFO, "%" PRId64 " deliveries are kept for the next start", n);
    queue_fini(&w->queue);
    hooks_free(w->hooks);
    free(w);
    curl_global_cleanup();
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP, sizeof(struct ec_json), 0, EC_JSON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
};
static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.webhooks", .name = "webhooks", .version = "0.1.0",
    .summary = "tells other programs of events, signed", .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0], .use_stride = sizeof uses[0], .use = uses,
    .n_metric = METRICS, .metric_stride = sizeof metrics[0], .metric = metrics, .options = &options,
    .create = webhooks_create, .setup = webhooks_setup, .configure = webhooks_configure,
    .state_free = webhooks_state_free, .start = webhooks_start, .stop = webhooks_stop, .destroy = webhooks_destroy,
};
EC_PLUGIN(plugin)
