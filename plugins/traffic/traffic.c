/* The glue between the traffic engine and the plugin interface. */
#include <stdlib.h>

#include "plugins/traffic/alive.h"
#include "plugins/traffic/engine.h"
#include "plugins/traffic/hosts/hosts.h"
#include "plugins/traffic/hosts/order.h"
#include "plugins/traffic/options.h"
#include "plugins/traffic/proto/app.h"
#include "plugins/traffic/proto/parsers.h"
#include "plugins/traffic/publish.h"
#include "plugins/traffic/routes.h"

#include <ecyber/ext/http.h>
#include <ecyber/ext/stage.h>

#define ROW(symbol, kind, name, unit, help)                                                        \
    {sizeof(struct ec_metric), EC_METRIC_##kind, name, unit, help},
#define DECODE(symbol, name)                                                                       \
    ROW(symbol, COUNTER, "decode." name, "packets", "Packets with this fault.")
#define STREAM(symbol, name)                                                                       \
    ROW(symbol, COUNTER, "stream." name, "events", "Times that a stream did this.")
#define DETECT(symbol, name, metric)                                                               \
    ROW(symbol, COUNTER, "app.detect." metric, "flows", "Flows on which the detection of protocols met this.")
static const struct ec_metric metrics[M_COUNT] = {
    METRICS(ROW) EVENTS_DECODE(DECODE) EVENTS_STREAM(STREAM) EVENTS_DETECT(DETECT)};

/* "dropped.overload" in the metrics of the inspector's plugin, "dropped.overload.NAME" of its second and later ones. */
static int32_t inspector_metric(struct inspector *s, const struct ec_host *h, const char *name)
{
    int32_t rc;

    s->row = (struct ec_metric){
        (uint32_t)sizeof s->row, EC_METRIC_COUNTER, "dropped.overload", "flows",
        "that it was not shown whole, because packets came faster than the workers could read them: use more workers, "
        "a larger buffer of the source for bursts, a filter, or fewer rules" };
    if ((rc = h->metric_add(h, &s->row, &s->metric)) != EC_EEXIST)
        return rc;
    snprintf(s->name, sizeof s->name, "dropped.overload.%s", name);
    s->row.name = s->name;
    return h->metric_add(h, &s->row, &s->metric);
}

static int32_t t_inspect(void *self, const struct ec_host *h, const struct ec_inspector *i,
                         void *insp_self, uint32_t *index)
{
    struct traffic *tr = self;
    struct inspector *s = &tr->inspector[tr->inspectors];
    int32_t rc;

    if (!EC_HAS(i, struct ec_inspector, flow_end) || !i->name)
        return EC_EINVAL;
    if (tr->inspectors == INSPECTORS_MAX)
        return EC_ELIMIT;
    if ((rc = inspector_metric(s, h, i->name)))
        return rc;
    s->hooks = i;
    s->host = h;
    s->self = insp_self;
    if (index)
        *index = tr->inspectors;
    tr->inspectors++;
    return EC_OK;
}

static int32_t t_proto(void *self, const struct ec_host *h, const struct ec_proto *p,
                       void *proto_self, uint32_t *id)
{
    return registry_proto(self, h, p, proto_self, id);
}

static int32_t t_lease(void *self, uint32_t what, uint32_t bytes,
                       void (*drop)(void *lease_self, void *m), void *lease_self, uint32_t *off)
{
    return registry_lease(self, what, bytes, drop, lease_self, off);
}

static int32_t t_slot(void *self, const char *name, uint32_t i, struct ec_slot *out)
{
    return registry_slot(self, name, i, out);
}

static int32_t t_slot_at(void *self, uint32_t i, const char **name, const char **help)
{
    return registry_slot_at(self, i, name, help);
}

static int32_t t_proto_at(void *self, uint32_t i, const char **name, uint32_t *id)
{
    const struct traffic *tr = self;

    if (i >= tr->protos)
        return EC_ENOENT;
    *name = tr->proto[i].def->name;
    *id = tr->proto[i].id;
    return EC_OK;
}

static int32_t t_anomaly_at(void *self, uint32_t i, struct ec_anomaly *out)
{
    return raised_at(self, i, out);
}

static void t_mute(void *self, struct ec_flow *f, uint32_t index)
{
    (void)self;
    f->mute |= UINT32_C(1) << (index & 31);
}

static const struct ec_traffic service = {
    .size = sizeof service,
    .inspect = t_inspect,
    .proto = t_proto,
    .lease = t_lease,
    .slot = t_slot,
    .slot_at = t_slot_at,
    .fill = tx_fill,
    .mute = t_mute,
    .head = publish_head,
    .attach_flow = publish_attach_flow,
    .attach_tx = publish_attach_tx,
    .tx_begin = tx_begin,
    .tx_step = tx_step,
    .tx_end = tx_end,
    .anomaly = tx_anomaly,
    .flow = tx_flow,
    .upgrade = tx_upgrade,
    .proto_at = t_proto_at,
    .file = tx_file, .opaque = tx_opaque, .anomaly_at = t_anomaly_at, .tx_record = tx_record,
};

static int32_t h_space(void *self, const char *name, uint32_t bytes, uint32_t cap, uint64_t idle_ns,
                       uint32_t *id)
{
    return hosts_space(((struct traffic *)self)->hosts, name, bytes, cap, idle_ns, id);
}

static void *h_lock(void *self, uint32_t space, const void *key, uint32_t len, uint64_t now_ns)
{
    struct traffic *tr = self;

    if (tr->order)
        order_wait(tr->order);
    return hosts_lock(tr->hosts, space, key, len, now_ns);
}

static void h_unlock(void *self, void *entry)
{
    (void)self;
    hosts_unlock(entry);
}

static const struct ec_hosts hosts_service = { sizeof hosts_service, 0, h_space, h_lock, h_unlock };

static void s_prepare(void *self, void *w, const void *state, uint32_t worker,
                      struct ec_frame *const *f, uint32_t n)
{
    (void)self;
    (void)worker;
    ((struct worker *)w)->conf = state;
    worker_prepare(w, f, n);
}

static void s_packet(void *self, void *w, const void *state, uint32_t worker, uint32_t i,
                     struct ec_frame *f, uint32_t *verdict)
{
    struct traffic *tr = self;

    (void)state;
    if (tr->order)
        order_at(tr->order, worker, f->flags & EC_FR_REPLAY ? f->count : 0);
    worker_packet(w, i, verdict);
}

/* What the shared tables have counted since the last time. */
static void hosts_account(struct traffic *tr)
{
    static const uint32_t metric[] = {M_HOSTS_REUSED, M_HOSTS_WAITS, M_ORDER_WAITS,
                                      M_ORDER_GIVEN_UP};
    uint64_t now[] = {hosts_reused(tr->hosts), hosts_waits(tr->hosts),
                      tr->order ? order_waits(tr->order) : 0,
                      tr->order ? order_given_up(tr->order) : 0};

    for (unsigned i = 0; i < sizeof now / sizeof now[0]; i++) {
        uint64_t before = atomic_exchange(&tr->accounted[i], now[i]);
        if (now[i] != before)
            tr->host->metric(tr->host, metric[i], (int64_t)(now[i] - before));
    }
}

static void s_idle(void *self, void *w, const void *state, uint32_t worker, uint64_t now_ns)
{
    if (!worker)
        hosts_account(self);
    ((struct worker *)w)->conf = state;
    worker_idle(w, now_ns);
}

static uint32_t s_finish(void *self, void *w, const void *state, uint32_t worker, uint32_t reason)
{
    struct traffic *tr = self;
    uint32_t left;

    if (tr->order)
        order_done(tr->order, worker);
    ((struct worker *)w)->conf = state;
    left = worker_finish(w, reason);
    if (!left)
        hosts_account(tr);
    return left;
}

static const struct ec_stage stage = { sizeof stage, 0, s_prepare, s_packet, s_idle, s_finish };

static const struct ec_offer offers[] = {
    { sizeof(struct ec_offer), 0, EC_STAGE_ID, &stage },
    { sizeof(struct ec_offer), 0, EC_TRAFFIC_ID, &service },
    { sizeof(struct ec_offer), 0, EC_HOSTS_ID, &hosts_service },
};

static int32_t traffic_create(const struct ec_host *h, void **self)
{
    struct traffic *tr = *self = calloc(1, sizeof *tr);

    if (!tr || !(tr->hosts = hosts_new())) {
        free(tr);
        return h->fail(h, EC_ENOMEM, "out of memory");
    }
    tr->host = h;
    pthread_mutex_init(&tr->ask_lock, NULL);
    return EC_OK;
}

static int32_t traffic_setup(void *self)
{
    struct traffic *tr = self;
    int32_t rc = publish_topics(tr);

    routes_declare(tr->host);
    alive_declare(tr);
    return rc ? rc : parsers_register(tr->host, &service, tr);
}

static int32_t traffic_configure(void *self, const struct ec_conf *c, void **state)
{
    struct traffic *tr = self;
    struct tconf *t = malloc(sizeof *t);
    int32_t rc;

    if (!t)
        return tr->host->fail(tr->host, EC_ENOMEM, "out of memory");
    if ((rc = options_read(tr, c, t))) {
        free(t);
        return rc;
    }
    *state = t;
    return EC_OK;
}

static void traffic_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static int32_t traffic_start(void *self, const void *state)
{
    struct traffic *tr = self;
    const struct tconf *c = state;

    tr->seed = c->seed;
    hosts_key(tr->hosts, c->key[0], c->key[1]);
    publish_start(tr);
    if (!tr->ask && (tr->ask = aligned_alloc(64, tr->host->workers(tr->host) * sizeof *tr->ask))) {
        tr->asks = tr->host->workers(tr->host);
        memset(tr->ask, 0, tr->asks * sizeof *tr->ask);
    }
    if (tr->host->workers(tr->host) > 1 && !(tr->order = order_new(tr->host->workers(tr->host))))
        return tr->host->fail(tr->host, EC_ENOMEM, "out of memory");
    return EC_OK;
}

static int32_t traffic_worker_init(void *self, uint32_t worker, void **w)
{
    struct traffic *tr = self;
    int32_t rc = worker_open((struct worker **)w, tr, tr->host->state(tr->host, worker), worker);

    if (rc && tr->order)
        order_done(tr->order, worker);
    if (!rc && tr->ask) {
        tr->ask[worker].thread = pthread_self();
        tr->ask[worker].table = &((struct worker *)*w)->table;
        atomic_store(&tr->ask[worker].runs, true);
    }
    return rc ? tr->host->fail(tr->host, rc, "no memory for a worker's flow table") : EC_OK;
}

static void traffic_worker_fini(void *self, void *w)
{
    struct traffic *tr = self;
    uint32_t index = ((struct worker *)w)->index;

    if (tr->ask) {
        atomic_store(&tr->ask[index].runs, false);
        snapshot_forget(&tr->ask[index].slot);
    }
    worker_close(w);
}

static void traffic_destroy(void *self)
{
    struct traffic *tr = self;

    registry_free(tr);
    pthread_mutex_destroy(&tr->ask_lock);
    free(tr->ask);
    order_free(tr->order);
    hosts_free(tr->hosts);
    free(tr);
}

static const struct ec_use use_http = {
    sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID };
static const struct ec_plugin traffic = {
    EC_PLUGIN_HEAD,
    .id = "org.ecyber.traffic", .name = "traffic", .version = "0.1.0",
    .summary = "decodes packets, follows flows and TCP streams, parses protocols", .license = "MIT",
    .n_use = 1, .use_stride = sizeof use_http, .use = &use_http,
    .n_offer = sizeof offers / sizeof *offers, .offer_stride = sizeof *offers,
    .n_metric = M_COUNT, .metric_stride = sizeof *metrics,
    .offer = offers, .metric = metrics, .options = &traffic_options,
    .create = traffic_create, .setup = traffic_setup, .configure = traffic_configure,
    .state_free = traffic_state_free, .start = traffic_start, .worker_init = traffic_worker_init,
    .worker_fini = traffic_worker_fini, .destroy = traffic_destroy,
};
EC_PLUGIN(traffic)
