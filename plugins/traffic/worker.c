/* One worker's packets: decode and prefetch a whole batch, then each packet to its end. What can be
 * seen depends on the packets alone, never on where a batch began. */
#include <stdlib.h>
#include <time.h>

#include "plugins/traffic/engine.h"
#include "plugins/traffic/inspect.h"
#include "plugins/traffic/proto/app.h"
#include "plugins/traffic/publish.h"
#include "plugins/traffic/stream/stream.h"

#define SWEEP_PACKET 4u             /* flows looked at for each packet */
#define SWEEP_IDLE 256u
#define FINISH_FLOWS 64u
#define LOOK_BUSY 512u              /* places of the table for somebody who looks, for each 64 packets */
#define LOOK_IDLE 65536u            /* where no packet came */
#define ANOMALIES_A_SECOND 100u     /* of one kind, from packets without a flow */

void tconf_defaults(struct tconf *c)
{
    static const uint64_t second = 1000000000u;
    static const uint16_t seconds[CLASSES][3] = {
        {60, 600, 60}, {30, 300, 0}, {30, 300, 0}, {30, 300, 0}};

    memset(c, 0, sizeof *c);
    c->memcap = UINT64_C(512) << 20;
    c->stream_memcap = UINT64_C(64) << 20;
    c->reorder = 256u << 10;
    c->defrag_memcap = UINT64_C(32) << 20;
    c->defrag_timeout = 60 * second;
    c->defrag_policy = c->stream_policy = POLICY_BSD;
    c->max_flows = 1000000;
    c->tx_max = TX_MAX;
    c->anomalies = c->vlans = true;
    decode_conf_defaults(&c->decode);
    c->shed = (struct shed_conf){ true, EC_FILL_MAX / 2, EC_FILL_MAX / 10, second / 20, 5 * second };
    c->shed_bytes = UINT64_C(1) << 20;
    for (uint32_t k = 0; k < CLASSES; k++)
        for (uint32_t s = 0; s < 3; s++)
            c->timeout[k][s] = seconds[k][s] * second;
    for (uint32_t i = 0; i < INSPECTORS_MAX; i++)
        c->order[i] = i;
}

int worker_open(struct worker **out, struct traffic *tr, const struct tconf *c, uint32_t index)
{
    struct worker *w = calloc(1, sizeof *w);
    const struct ec_host *h = tr->host;

    if (!w)
        return EC_ENOMEM;
    w->tr = tr;
    w->conf = c;
    w->index = index;
    w->cells = h ? h->cells(h, index) : w->own_cells;
    pool_init(&w->pool, c->memcap);
    pool_init(&w->segments, c->stream_memcap);
    if (table_init(&w->table, tr->lease_bytes[0], c->key[0], c->key[1], c->vlans)) {
        free(w);
        return EC_ENOMEM;
    }
    if (defrag_init(&w->defrag, c->key[0], c->key[1], c->defrag_memcap)) {
        table_free(&w->table);
        free(w);
        return EC_ENOMEM;
    }
    *out = w;
    return EC_OK;
}

void worker_close(struct worker *w)
{
    table_free(&w->table);
    defrag_free(&w->defrag);
    pool_free(&w->pool);
    pool_free(&w->segments);
    free(w);
}

static void worker_limits(struct worker *w)
{
    w->pool.cap = w->conf->memcap;
    w->segments.cap = w->conf->stream_memcap;
    w->cells[M_MEM] = w->pool.used;
    w->cells[M_STREAM_MEM] = w->segments.used;
    w->defrag.pool.cap = w->conf->defrag_memcap;
    w->cells[M_DEFRAG_MEM] = w->defrag.pool.used;
    inspect_bind(w);
}

/* What is left out from here on. Packets that waited for long come all at once: their clock would not do. */
static void worker_shed(struct worker *w, uint32_t fill)
{
    static const char *const what[SHED_LEVELS] = {
        "all is looked at again", "flows that are large or encrypted are bypassed",
        "optional inspectors are left out, too" };
    static struct ec_site site;
    const struct ec_host *h = w->tr->host;
    uint32_t before = w->shed.level, level;
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    level = shed_look(&w->shed, &w->conf->shed, fill, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
    w->shed_mask = level >= SHED_INSPECTORS ? w->conf->shed_inspectors : 0;
    if (level == before)
        return;
    w->cells[M_SHED_LEVEL] = level;
    w->cells[M_SHED_RAISED] += level > before;
    if (h)
        ec_logf(h, level > before ? EC_LOG_WARNING : EC_LOG_INFO, &site,
                "worker %u: the buffer of the source is %u %% full: %s; level %u of %d (traffic.overload)", w->index,
                fill * 100 / EC_FILL_MAX, what[level], level, SHED_LEVELS - 1);
}

/* Its flow is looked for as soon as its packet is read. */
static void prepare_key(struct worker *w, struct packet *p)
{
    p->pub.worker = w->index;
    if (p->what & PK_KEY) {
        key_hash(&w->table, p);
        table_prefetch_slot(&w->table, p->hash);
    }
}

/* What is inside p, and inside that; never more than there is room for. */
static __attribute__((noinline)) void prepare_inner(struct worker *w, struct packet *p)
{
    while (p->what & PK_INNER) {
        struct packet *q = &w->inner[w->inners++];
        decode_inner(q, p, &w->conf->decode);
        prepare_key(w, q);
        p->inner = q;
        p = q;
    }
}

/* Flows first; while they come, what TCP's point to. */
static void prefetch_flows(struct worker *w, const struct packet *p, uint32_t n)
{
    const struct flow *seen[BATCH_MAX];
    uint32_t tcp = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct flow *f = p[i].what & PK_KEY ? table_prefetch_flow(&w->table, p[i].hash) : NULL;
        if (f && p[i].pub.ip_proto == PROTO_TCP && tcp < BATCH_MAX)
            seen[tcp++] = f;
    }
    for (uint32_t i = 0; i < tcp; i++)
        __builtin_prefetch(seen[i]->dir);
}

void worker_prepare(struct worker *w, struct ec_frame *const *f, uint32_t n)
{
    if (n > BATCH_MAX)
        n = BATCH_MAX;
    worker_limits(w);
    if (n && (f[n - 1]->fill || w->shed.level || w->shed.high_ns))
        worker_shed(w, f[n - 1]->fill);
    w->batch_n = n;
    w->inners = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct packet *p = &w->batch[i];
        decode_frame(p, f[i], &w->conf->decode);
        prepare_key(w, p);
        if (p->what & PK_INNER)
            prepare_inner(w, p);
    }
    prefetch_flows(w, w->batch, n);
    prefetch_flows(w, w->inner, w->inners);
}

static void count_frame(struct worker *w, const struct packet *p)
{
    count(w, M_PKTS);
    count_add(w, M_BYTES, p->wire);
}

#define PK_ODD (PK_BAD | PK_LINK_UNSUPPORTED | PK_NOT_IP | PK_ARP | PK_OFFLOAD | PK_CUT | PK_FRAGMENT)

/* What hardly any packet is. */
static __attribute__((noinline)) void count_odd(struct worker *w, uint32_t what)
{
    static const struct { uint32_t what, metric; } odd[] = {
        { PK_BAD, M_BAD }, { PK_LINK_UNSUPPORTED, M_LINK_UNSUPPORTED }, { PK_NOT_IP, M_NOT_IP }, { PK_ARP, M_ARP },
        { PK_OFFLOAD, M_OFFLOAD }, { PK_CUT, M_CUT }, { PK_FRAGMENT, M_FRAGS } };

    for (uint32_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (what & odd[i].what)
            count(w, odd[i].metric);
}

static inline void count_packet(struct worker *w, const struct packet *p)
{
    if (p->what & PK_ODD)
        count_odd(w, p->what);
    if (p->vlans)
        count(w, M_VLAN);
    if (!(p->what & PK_IP))
        return;
    count(w, p->pub.ip_version == 4 ? M_IPV4 : M_IPV6);
    if (p->what & PK_KEY)
        count(w, p->pub.ip_proto == PROTO_TCP                                       ? M_TCP
                 : p->pub.ip_proto == PROTO_UDP                                     ? M_UDP
                 : p->pub.ip_proto == PROTO_ICMP || p->pub.ip_proto == PROTO_ICMPV6 ? M_ICMP
                                                                                    : M_OTHER);
}

/* A flood of broken packets shall not become a flood of events. */
static bool anomaly_limited(struct worker *w, uint32_t event, uint64_t ts_ns)
{
    uint64_t second = ts_ns / 1000000000u;

    if (w->anomaly_second[event] != second) {
        w->anomaly_second[event] = second;
        w->anomaly_n[event] = 0;
    }
    if (w->anomaly_n[event] >= ANOMALIES_A_SECOND)
        return true;
    w->anomaly_n[event]++;
    return false;
}

static void decode_anomalies(struct worker *w, const struct packet *p)
{
    struct flow *f = (struct flow *)(void *)p->pub.flow;

    for (uint32_t i = 0; i < p->events; i++) {
        count(w, M_EVENT + p->event[i]);
        count(w, M_ANOMALY);
        raised_note(w, f, p->event[i]);
        if (f ? flow_event_first(w, f, p->event[i])
              : !anomaly_limited(w, p->event[i], p->pub.frame->ts_ns))
            publish_anomaly(w, f, p, ANOMALY_DECODE, event_name(p->event[i]), NULL, NULL);
        else
            count(w, M_ANOMALY_LIMITED);
    }
}

static void packet_tcp(struct worker *w, struct flow *f, struct packet *p)
{
    bool before = f->pub.state >= EC_FLOW_ESTABLISHED;

    tcp_track(w, f, p);
    if (before || (p->pub.payload_len && f->pub.state >= EC_FLOW_ESTABLISHED))
        p->pub.flags |= EC_PK_ESTABLISHED;
    if (!(f->flags & FL_SESSION))
        return;
    stream_packet(w, f, p);
    tcp_track_end(w, f);
}

static void packet_flow(struct worker *w, struct flow *f, struct packet *p)
{
    if (p->pub.flags & EC_PK_ABOUT) {
        p->pub.flags |= f->pub.state >= EC_FLOW_ESTABLISHED ? EC_PK_ESTABLISHED : 0;
        return;                     /* no bytes of the conversation */
    }
    if (f->pub.ip_proto == PROTO_TCP) {
        if (p->pub.flags & EC_PK_BADSUM)
            return;                 /* no receiver would have taken it, and it may be there to mislead us */
        packet_tcp(w, f, p);
        return;
    }
    if (f->pub.state >= EC_FLOW_ESTABLISHED)
        p->pub.flags |= EC_PK_ESTABLISHED;
    if (f->pub.ip_proto == PROTO_UDP && !(p->what & PK_INNER))
        app_datagram(w, f, p);
}

/* Nearly all packets are a frame's own: no call for them. */
static inline __attribute__((always_inline)) void packet_run(struct worker *w, struct packet *p, uint32_t *verdict)
{
    w->now = p;
    count_packet(w, p);
    if (p->what & PK_KEY)
        flow_packet(w, p);
    if (p->events)
        decode_anomalies(w, p);
    if (w->shed_mask && p->pub.flow)
        inspect_shed(w, (struct flow *)(void *)p->pub.flow);
    if (p->pub.flow)
        packet_flow(w, (struct flow *)(void *)p->pub.flow, p);
    inspect_packet(w, p);
    if (p->pub.verdict > *verdict)
        *verdict = p->pub.verdict;
    w->now = NULL;
}

/* The packet inside p, or the datagram that fragment p completed; NULL: there is none. */
static struct packet *packet_next(struct worker *w, struct packet *p, const struct whole *whole)
{
    struct packet *q;

    if (p->what & PK_INNER) {
        p->inner_of = p->pub.flow ? p->pub.flow->id : 0;
        count(w, M_INNER);
        if (p->inner)
            return p->inner;
    } else if (!whole) {
        return NULL;
    }
    q = &w->late[w->lates++];
    if (whole)
        decode_whole(q, p, whole->bytes, whole->l3, whole->len, &w->conf->decode);
    else
        decode_inner(q, p, &w->conf->decode);
    if (q->what & PK_KEY)
        key_hash(&w->table, q);
    return q;
}

/* A packet with others behind it: those inside, and those that it completes. */
static __attribute__((noinline)) void packet_chain(struct worker *w, struct packet *p, uint32_t *verdict)
{
    struct whole whole[DEFRAG_NESTED];
    uint32_t wholes = 0;

    w->lates = 0;
    while (p) {
        bool done = false;
        if ((p->what & PK_FRAGMENT) && wholes == DEFRAG_NESTED)
            decode_event(p, EV_TOO_MANY_LAYERS);    /* IPv6 allows fragments of fragments */
        else if (p->what & PK_FRAGMENT)
            done = defrag_packet(w, p, &whole[wholes]);
        packet_run(w, p, verdict);
        p = packet_next(w, p, done ? &whole[wholes] : NULL);
        wholes += done;
    }
    while (wholes)
        defrag_give_back(&w->defrag, &whole[--wholes]);
}

void worker_packet(struct worker *w, uint32_t i, uint32_t *verdict)
{
    struct packet *p = &w->batch[i];

    if (i >= w->batch_n)
        return;
    w->live = !(p->pub.frame->flags & EC_FR_REPLAY);
    count_frame(w, p);
    if (p->what & (PK_INNER | PK_FRAGMENT))
        packet_chain(w, p, verdict);
    else
        packet_run(w, p, verdict);
    flow_sweep(w, p->pub.frame->ts_ns, SWEEP_PACKET);
}

void worker_idle(struct worker *w, uint64_t now_ns)
{
    bool silent = w->idle_pkts == w->cells[M_PKTS];

    worker_limits(w);
    w->end_ns = now_ns;
    if (w->live && now_ns > w->table.clock_ns)
        flow_sweep(w, now_ns, SWEEP_IDLE);
    if (silent && (w->shed.level || w->shed.high_ns))
        worker_shed(w, 0);
    if (w->tr->ask)
        snapshot_poll(&w->tr->ask[w->index].slot, w->index, &w->table, silent ? LOOK_IDLE : LOOK_BUSY);
    w->idle_pkts = w->cells[M_PKTS];
}

uint32_t worker_finish(struct worker *w, uint32_t reason)
{
    struct flow *f;

    worker_limits(w);
    if (!w->ended && reason == EC_STAGE_END_SOURCE && w->end_ns)
        wheel_clock(&w->table, w->end_ns);
    defrag_flush(w);
    for (uint32_t n = 0; n < FINISH_FLOWS && (f = table_walk(&w->table, &w->ended)); n++)
        flow_end(w, f, flow_is_due(w, f) ? EC_END_TIMEOUT : EC_END_SHUTDOWN);
    worker_limits(w);
    if (!w->table.used) {
        w->ended = 0;
        w->table.clock_ns = 0;      /* the next capture has a clock of its own */
    }
    return w->table.used;
}
