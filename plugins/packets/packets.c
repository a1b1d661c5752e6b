/* packets: keeps the newest packets of each worker, for people to look at. */
#include "plugins/packets/packets.h"

#include "plugins/packets/api.h"

#include <ecyber/ext/captures.h>
#include <stdlib.h>
#include <string.h>

enum { METRIC_KEPT, METRIC_MISSED, METRICS };
static const struct ec_metric metrics[] = {
    [METRIC_KEPT] = { sizeof(struct ec_metric), EC_METRIC_COUNTER, "kept", "packets",
                      "Packets that were put into the rings of recent packets." },
    [METRIC_MISSED] = { sizeof(struct ec_metric), EC_METRIC_COUNTER, "missed", "packets",
                        "Packets that were not kept because somebody just read the ring." },
};

static const struct ec_row option_rows[] = {
    EC_OPTION(SIZE, 0, "memory", "8MiB", 1 << 20, 1 << 30, "bytes", "of recent packets, for each worker"),
    EC_OPTION(U32, 0, "most", "16384", 16, 1 << 20, "packets", "for each worker; rounded up to a power of two"),
    EC_OPTION(SIZE, 0, "snap", "1536", 64, RING_PACKET_MAX, "bytes", "kept of each packet"),
    EC_OPTION(U32, 0, "captures", "16", 0, JOBS_MAX, "files", "of captures, at once"),
    EC_OPTION(SIZE, 0, "capture_size", "64MiB", 65536, INT64_C(1) << 40, "bytes", "of the file of one capture at most"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

struct state { uint64_t memory, capture_size; uint32_t most, snap, captures; };

static int32_t packets_create(const struct ec_host *h, void **self)
{
    struct packets *k = *self = calloc(1, sizeof *k);

    if (!k)
        return EC_ENOMEM;
    k->host = h;
    return EC_OK;
}

static void on_tick(void *self, const void *state, uint64_t now_ns)
{
    (void)state;
    (void)now_ns;
    jobs_tick(self);
}

static int32_t packets_setup(void *self)
{
    static const struct ec_timer tick = { sizeof tick, 0, UINT64_C(50000000), on_tick };
    struct packets *k = self;
    void *http_self;
    int32_t err = k->host->timer(k->host, &tick);

    if (err)
        return err;
    k->http = k->host->use(k->host, EC_HTTP_ID, &http_self);
    k->store = k->host->use(k->host, EC_STORE_ID, &k->store_self);
    return k->http ? routes_setup(k, http_self) : EC_OK;
}

static int64_t number(const struct packets *k, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    k->host->conf_num(c, name, 0, &v);
    return v;
}

static int32_t packets_configure(void *self, const struct ec_conf *c, void **state)
{
    struct state *s = *state = calloc(1, sizeof *s);

    if (!s)
        return EC_ENOMEM;
    s->memory = (uint64_t)number(self, c, "memory");
    s->most = (uint32_t)number(self, c, "most");
    s->snap = (uint32_t)number(self, c, "snap");
    s->captures = (uint32_t)number(self, c, "captures");
    s->capture_size = (uint64_t)number(self, c, "capture_size");
    return EC_OK;
}

static void packets_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static int32_t packets_start(void *self, const void *state)
{
    const struct state *s = state;
    struct packets *k = self;
    uint32_t n = k->host->workers(k->host), slots = 16;

    while (slots < s->most)
        slots *= 2;
    k->snap = s->snap;
    for (k->n_ring = 0; k->n_ring < n && k->n_ring < PACKETS_WORKERS; k->n_ring++)
        if (!ring_open(&k->ring[k->n_ring], s->memory, slots))
            return ec_failf(k->host, EC_ENOMEM, "there is no memory for the recent packets of %u workers: lower "
                                                "packets.memory or packets.most", n);
    return jobs_open(k, s->captures, s->capture_size);
}

static void packets_stop(void *self)
{
    jobs_stop(self);
}

static void packets_destroy(void *self)
{
    struct packets *k = self;

    jobs_close(k);
    for (uint32_t i = 0; i < k->n_ring; i++)
        ring_close(&k->ring[i]);
    free(k);
}

static void on_packet(void *self, void *w, const void *state, uint32_t worker, uint32_t i, struct ec_frame *f,
                      uint32_t *verdict)
{
    struct packets *k = self;
    struct ring_packet p = { .ts_ns = f->ts_ns, .count = f->count, .wirelen = f->wirelen, .linktype = f->linktype,
                             .iface = f->iface, .flags = f->flags };
    uint32_t snap = atomic_load_explicit(&k->jobs.snap, memory_order_relaxed);

    (void)w;
    (void)state;
    (void)i;
    (void)verdict;
    if (worker >= k->n_ring)
        return;
    if (snap < k->snap)
        snap = k->snap;
    p.caplen = f->caplen < snap ? f->caplen : snap;
    ring_put(&k->ring[worker], &p, f->data);
}

/* What the rings have counted since the last time. */
static void on_idle(void *self, void *w, const void *state, uint32_t worker, uint64_t now_ns)
{
    struct packets *k = self;
    struct ring *r = &k->ring[worker < k->n_ring ? worker : 0];
    uint64_t *cells = k->host->cells(k->host, worker);

    (void)w;
    (void)state;
    (void)now_ns;
    if (worker >= k->n_ring)
        return;
    cells[METRIC_KEPT] = atomic_load_explicit(&r->put, memory_order_relaxed);
    cells[METRIC_MISSED] = atomic_load_explicit(&r->missed, memory_order_relaxed);
}

static const struct ec_stage stage = { .size = sizeof stage, .packet = on_packet, .idle = on_idle };
static const struct ec_captures files = { sizeof files, 0, capture_open, alert_open };
static const struct ec_offer offers[] = {
    { sizeof(struct ec_offer), 0, EC_STAGE_ID, &stage }, { sizeof(struct ec_offer), 0, EC_CAPTURES_ID, &files } };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
};

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.packets", "packets", "0.1.0", "recent packets, with their bytes and layers", "MIT",
    NULL,
    2, sizeof uses[0], 2, sizeof offers[0], METRICS, sizeof metrics[0], uses, offers, metrics, &options,
    packets_create, packets_setup, packets_configure, packets_state_free, packets_start, packets_stop, NULL, NULL,
    packets_destroy };
EC_PLUGIN(plugin)
