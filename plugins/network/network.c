/* network: what goes over the network, in numbers: totals, over time, by host. It counts flows that have ended and
 * reads the metrics once a second, so the workers do nothing for it. This file is the glue. */
#include "plugins/network/net.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000000)

static const struct ec_row option_rows[] = {
    EC_OPTION(U32, 0, "devices", "16384", 16, 1000000, "hosts",
              "that are remembered; when more are seen, the one that was not seen for longest is forgotten"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum { M_DEVICES, M_EVICTED, METRICS };
static const struct ec_metric metrics[METRICS] = {
    [M_DEVICES] = { sizeof(struct ec_metric), EC_METRIC_GAUGE, "devices", "hosts", "that are remembered" },
    [M_EVICTED] = { sizeof(struct ec_metric), EC_METRIC_COUNTER, "devices_evicted", "hosts",
                    "forgotten because there were more than network.devices" },
};

struct state { uint32_t devices; };

static int32_t network_create(const struct ec_host *h, void **self)
{
    struct net *n = calloc(1, sizeof *n);

    if (!n)
        return h->fail(h, EC_ENOMEM, "out of memory");
    n->host = h;
    n->off_pkts = n->off_bytes = UINT32_MAX;
    pthread_mutex_init(&n->lock, NULL);
    *self = n;
    return EC_OK;
}

static void network_destroy(void *self)
{
    struct net *n = self;

    devices_close(&n->devices);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

static int32_t network_configure(void *self, const struct ec_conf *c, void **state)
{
    const struct ec_host *h = ((struct net *)self)->host;
    struct state *s = calloc(1, sizeof *s);
    int64_t v = 0;

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    h->conf_num(c, "devices", 0, &v);
    s->devices = (uint32_t)v;
    *state = s;
    return EC_OK;
}

static void state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

/* --- what the daemon counts --- */
static void on_metric(void *arg, const char *plugin, const struct ec_metric *m, int64_t value)
{
    static const struct { const char *plugin, *name; uint32_t off; } rows[] = {
        { "traffic", "decode.packets", offsetof(struct figures, count[COUNT_PACKETS]) },
        { "traffic", "decode.bytes", offsetof(struct figures, count[COUNT_BYTES]) },
        { "traffic", "decode.tcp.packets", offsetof(struct figures, transport[BY_TCP]) },
        { "traffic", "decode.udp.packets", offsetof(struct figures, transport[BY_UDP]) },
        { "traffic", "decode.icmp.packets", offsetof(struct figures, transport[BY_ICMP]) },
        { "traffic", "decode.other.packets", offsetof(struct figures, transport[BY_OTHER]) },
        { "traffic", "flow.total", offsetof(struct figures, count[COUNT_FLOWS]) },
        { "traffic", "flow.active", offsetof(struct figures, active) },
    };
    struct figures *f = arg;

    if (value <= 0)
        return;
    if (ec_metric_is_loss(m))
        f->count[COUNT_DROPS] += (uint64_t)value;
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(plugin, rows[i].plugin) && !strcmp(m->name, rows[i].name))
            *(uint64_t *)(void *)((uint8_t *)f + rows[i].off) = (uint64_t)value;
}

struct figures net_figures(struct net *n)
{
    struct figures f = { 0 };

    if (n->daemon)
        n->daemon->metrics(n->daemon_self, on_metric, &f);
    return f;
}

static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    struct net *n = self;
    struct figures f = net_figures(n);
    uint64_t delta[COUNTS];

    (void)state;
    pthread_mutex_lock(&n->lock);
    f.count[COUNT_ALERTS] = n->alerts;
    for (uint32_t i = 0; i < COUNTS; i++)
        delta[i] = f.count[i] > n->now.count[i] ? f.count[i] - n->now.count[i] : 0;
    n->now = f;
    series_add(&n->series, now_ns / SECOND, delta);
    n->host->gauge(n->host, M_DEVICES, n->devices.n);
    pthread_mutex_unlock(&n->lock);
}

/* --- flows and alerts --- */
static void app_add(struct net *n, uint32_t app, uint64_t bytes)
{
    uint32_t i = 0;

    while (i < n->apps && n->app[i].app != app)
        i++;
    if (i == PROTOCOLS_MAX)
        i--;                        /* the last one takes what does not fit; there are not that many parsers */
    else if (i == n->apps)
        n->app[n->apps++] = (struct by_app){ .app = app };
    n->app[i].flows++;
    n->app[i].bytes += bytes;
}

static void device_add(struct net *n, const uint8_t ip[16], uint64_t ts, const uint64_t *pkts, const uint64_t *bytes,
                       uint32_t out)
{
    uint64_t evicted = n->devices.evicted;
    struct device *d = devices_see(&n->devices, ip, ts);

    for (uint32_t i = 0; i < 2; i++) {
        d->packets[i] += pkts[out ^ i];
        d->bytes[i] += bytes[out ^ i];
    }
    d->flows++;
    if (n->devices.evicted > evicted)
        n->host->metric(n->host, M_EVICTED, 1);
}

static void on_flow(void *self, const void *state, const struct ec_event *ev)
{
    const struct ec_part *p = ec_part_first(ev);
    struct net *n = self;
    const uint64_t *pkts = (const void *)((const uint8_t *)p + n->off_pkts),
                   *bytes = (const void *)((const uint8_t *)p + n->off_bytes);

    (void)state;
    if (!(ev->flags & EC_EV_IP) || p->size < n->off_pkts + 16 || p->size < n->off_bytes + 16)
        return;
    pthread_mutex_lock(&n->lock);
    device_add(n, ev->src, ev->ts_ns, pkts, bytes, 0);
    if (memcmp(ev->src, ev->dst, 16))
        device_add(n, ev->dst, ev->ts_ns, pkts, bytes, 1);
    app_add(n, ev->app_proto, bytes[0] + bytes[1]);
    pthread_mutex_unlock(&n->lock);
}

static void on_alert(void *self, const void *state, const struct ec_event *ev)
{
    struct net *n = self;
    const uint8_t *const end[] = { ev->src, ev->dst };

    (void)state;
    pthread_mutex_lock(&n->lock);
    n->alerts++;
    for (uint32_t i = 0; ev->flags & EC_EV_IP && i < 2; i++)
        devices_see(&n->devices, end[i], ev->ts_ns)->alerts++;
    pthread_mutex_unlock(&n->lock);
}

/* Where a row of ec.flow/1 stands that is an array of two numbers. */
static uint32_t offset_of(const struct ec_topic *t, const char *first, const char *second)
{
    uint32_t at[2] = { UINT32_MAX, UINT32_MAX };

    for (uint32_t i = 0; t && i < t->record->n_row; i++) {
        const struct ec_row *r = (const void *)((const uint8_t *)t->record->row + (size_t)i * t->record->row_stride);

        if (r->type == EC_T_U64 && (!strcmp(r->name, first) || !strcmp(r->name, second)))
            at[!strcmp(r->name, second)] = r->off;
    }
    return at[0] < UINT32_MAX && at[1] == at[0] + 8 ? at[0] : UINT32_MAX;
}

static int32_t network_start(void *self, const void *state)
{
    struct net *n = self;
    uint32_t id = n->host->topic_find(n->host, "ec.flow/1");
    const struct ec_topic *t = id ? n->host->topic_get(n->host, id) : NULL;

    n->off_pkts = offset_of(t, "pkts_toserver", "pkts_toclient");
    n->off_bytes = offset_of(t, "bytes_toserver", "bytes_toclient");
    if (n->off_pkts == UINT32_MAX || n->off_bytes == UINT32_MAX) {
        EC_LOG(n->host, EC_LOG_INFO, "no plugin publishes flows (ec.flow/1): no devices are seen");
        n->off_pkts = n->off_bytes = UINT32_MAX - 16;
    }
    n->started_ns = n->since_ns = n->host->now(n->host);
    if (!n->devices.d && !devices_open(&n->devices, ((const struct state *)state)->devices))
        return n->host->fail(n->host, EC_ENOMEM, "out of memory");
    return EC_OK;
}

static int32_t network_setup(void *self)
{
    static const struct ec_timer timer = { sizeof timer, EC_TIMER_WALL, SECOND, on_timer };
    static const struct ec_sub flows = { .size = sizeof flows, .mode = EC_SUB_QUEUED, .overflow = EC_OVF_DROP_NEW,
                                         .topic = "ec.flow/1", .fn = on_flow };
    static const struct ec_sub alerts = { .size = sizeof alerts, .mode = EC_SUB_QUEUED, .overflow = EC_OVF_DROP_NEW,
                                          .topic = "ec.alert/1", .fn = on_alert };
    struct net *n = self;
    const struct ec_host *h = n->host;
    int32_t err;

    n->http = h->use(h, EC_HTTP_ID, &n->http_self);
    n->store = h->use(h, EC_STORE_ID, &n->store_self);
    n->daemon = h->use(h, EC_DAEMON_ID, &n->daemon_self);
    if (n->http)
        net_routes(n);
    if ((err = h->subscribe(h, &flows)) || (err = h->subscribe(h, &alerts)))
        return err;
    return h->timer(h, &timer);
}

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_daemon), 0, EC_DAEMON_ID },
};
static const struct ec_plugin network = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.network",
    .name = "network",
    .version = "0.1.0",
    .summary = "what goes over the network, in numbers: totals, over time, by host",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = network_create,
    .setup = network_setup,
    .configure = network_configure,
    .state_free = state_free,
    .start = network_start,
    .destroy = network_destroy,
};
EC_PLUGIN(network)
