/* kind_inspector.c: the kind 'inspector': counts what each hook sees, keeps bytes of its own in each flow, and publishes
 * an event of its own for each flow that ends, with the flow attached. It can take its time. */
#define EC_API_LEVEL 1
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

struct seen { struct ec_part part; uint64_t packets, chunk_bytes, transactions; };
static const struct ec_row rows[] = {
    EC_FIELD(U64, 0, struct seen, packets, "packets", NULL, "packet hooks of this flow"),
    EC_FIELD(U64, 0, struct seen, chunk_bytes, "chunk_bytes", "bytes", "stream bytes of this flow"),
    EC_FIELD(U64, 0, struct seen, transactions, "transactions", NULL, "transactions that ended in this flow"),
};
static const struct ec_record record = EC_RECORD_PART(struct seen, rows);
static const char *const carries[] = { "ec.flow/1", NULL };
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "org.ecyber.test.seen/1", "seen", &record, carries, "what an inspector saw" };

static const struct ec_metric metrics[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "packets", "packets", "packet hooks" },
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "flow_ends", "flows", "flow_end hooks" },
};

static const struct ec_row option_rows[] = {
    EC_OPTION(BOOL, 0, "every_packet", "false", 0, 0, NULL, "publish an event for each packet too: load for the bus"),
    EC_OPTION(DURATION, 0, "delay", "0s", 0, 1000000000, NULL, "spend this long with each packet"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct lease { uint64_t packets, chunk_bytes, transactions; };
struct inspector {
    const struct ec_host *host;
    const struct ec_traffic *traffic;
    void *traffic_self;
    uint32_t topic, lease, index;
};
struct state { bool every; int64_t delay; };
struct worker { uint32_t number; uint64_t *cells; };

static struct lease *lease_of(const struct inspector *i, struct ec_flow *f) { return EC_LEASED(f, i->lease, struct lease); }

static void publish(struct inspector *i, uint32_t worker, struct ec_flow *f, const struct ec_packet *p)
{
    struct lease *l = lease_of(i, f);
    struct seen *s;
    struct ec_build b;

    if (i->host->open(i->host, worker, i->topic, &b) != EC_OK)
        return;
    i->traffic->head(i->traffic_self, &b, f, p);
    if ((s = ec_add(&b, i->topic, sizeof *s))) {
        s->packets = l->packets;
        s->chunk_bytes = l->chunk_bytes;
        s->transactions = l->transactions;
        if (!p)
            i->traffic->attach_flow(i->traffic_self, &b, f);
    }
    i->host->publish(i->host, &b);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    struct inspector *i = self;
    const struct state *state = st;
    struct worker *worker = w;
    int64_t end = state->delay ? now() + state->delay : 0;

    (void)gen;
    worker->cells[0]++;
    while (end && now() < end) {}
    if (!p->flow)
        return;
    lease_of(i, p->flow)->packets++;
    if (state->every)
        publish(i, worker->number, p->flow, p);
}

static void on_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k)
{
    (void)w;
    (void)st;
    (void)gen;
    lease_of(self, f)->chunk_bytes += k->len;
}

static void on_tx(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, struct ec_tx *x,
                  struct ec_packet *p)
{
    (void)w;
    (void)st;
    (void)gen;
    (void)p;
    if (x->flags & EC_TX_END)
        lease_of(self, f)->transactions++;
}

static void on_flow_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    struct worker *worker = w;

    (void)st;
    (void)gen;
    (void)reason;
    worker->cells[1]++;
    publish(self, worker->number, f, NULL);
}

static const struct ec_inspector hooks = {
    sizeof hooks, EC_INSPECT_OPTIONAL, "kind_inspector", on_packet, on_chunk, on_tx, on_flow_end };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_traffic), 0, EC_TRAFFIC_ID } };

static int32_t inspector_create(const struct ec_host *h, void **self)
{
    struct inspector *i = *self = calloc(1, sizeof *i);

    return i ? (i->host = h, EC_OK) : EC_ENOMEM;
}

static int32_t inspector_setup(void *self)
{
    struct inspector *i = self;
    int32_t err;

    i->traffic = i->host->use(i->host, EC_TRAFFIC_ID, &i->traffic_self);
    if ((err = i->host->topic(i->host, &topic, &i->topic)))
        return err;
    err = i->traffic->lease(i->traffic_self, EC_LEASE_FLOW, sizeof(struct lease), NULL, NULL, &i->lease);
    return err ? err : i->traffic->inspect(i->traffic_self, i->host, &hooks, i, &i->index);
}

static int32_t inspector_configure(void *self, const struct ec_conf *c, void **state)
{
    struct inspector *i = self;
    struct state *s = *state = calloc(1, sizeof *s);
    int64_t every = 0;

    if (!s)
        return EC_ENOMEM;
    i->host->conf_num(c, "every_packet", 0, &every);
    i->host->conf_num(c, "delay", 0, &s->delay);
    s->every = every != 0;
    return EC_OK;
}

static void inspector_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static int32_t inspector_worker_init(void *self, uint32_t number, void **w)
{
    struct inspector *i = self;
    struct worker *worker = *w = calloc(1, sizeof *worker);

    if (!worker)
        return EC_ENOMEM;
    worker->number = number;
    worker->cells = i->host->cells(i->host, number);
    return EC_OK;
}

static void inspector_worker_fini(void *self, void *w)
{
    (void)self;
    free(w);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.inspector", "kind_inspector", "1", "counts what its hooks see", "MIT", NULL,
    1, sizeof uses[0], 0, 0, 2, sizeof metrics[0], uses, NULL, metrics, &options,
    inspector_create, inspector_setup, inspector_configure, inspector_state_free, NULL, NULL, inspector_worker_init, inspector_worker_fini, free };
EC_PLUGIN(plugin)
