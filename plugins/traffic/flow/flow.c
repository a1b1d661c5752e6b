#include "plugins/traffic/flow/flow.h"

#include "plugins/traffic/about.h"
#include "plugins/traffic/engine.h"
#include "plugins/traffic/flow/bypass.h"
#include "plugins/traffic/held.h"
#include "plugins/traffic/inspect.h"
#include "plugins/traffic/proto/app.h"
#include "plugins/traffic/publish.h"
#include "plugins/traffic/stream/stream.h"

#define VICTIM_TRIES 8 /* busy flows that are passed over before one of them has to go */

static uint32_t flow_class(const struct flow *f)
{
    switch (f->pub.ip_proto) {
    case PROTO_TCP:
        return CLASS_TCP;
    case PROTO_UDP:
        return CLASS_UDP;
    case PROTO_ICMP: case PROTO_ICMPV6:
        return CLASS_ICMP;
    default:
        return CLASS_OTHER;
    }
}

uint64_t flow_timeout(const struct worker *w, const struct flow *f)
{
    return w->conf->timeout[flow_class(f)][f->pub.state];
}

static uint64_t flow_due(const struct worker *w, const struct flow *f)
{
    uint64_t due = f->pub.last_ns + flow_timeout(w, f);

    return due < f->pub.last_ns ? UINT64_MAX : due;
}

void flow_state(struct worker *w, struct flow *f, uint32_t state)
{
    uint64_t before = flow_timeout(w, f);

    if (state <= f->pub.state)
        return;
    f->pub.state = (uint8_t)state;
    if (flow_timeout(w, f) < before && (f->flags & FL_WHEEL)) {
        wheel_remove(&w->table, f);
        wheel_add(&w->table, f, flow_due(w, f));
    }
}

static uint64_t flow_more_bytes(const struct flow *f)
{
    return f->pub.ip_proto == PROTO_TCP ? sizeof *f->more
                                        : offsetof(struct flow_more, about) + sizeof f->more->about;
}

struct flow_more *flow_more(struct worker *w, struct flow *f)
{
    if (!f->more && (f->more = pool_zero(&w->pool, flow_more_bytes(f))) && f->pub.ip_proto == PROTO_TCP)
        f->more->tcp.rtt_us[0] = f->more->tcp.rtt_us[1] = RTT_NONE;
    return f->more;
}

static struct icmp_error *error_of(const struct flow *f)
{
    switch (flow_class(f)) {
    case CLASS_ICMP:
        return NULL;
    case CLASS_TCP:
        return f->more ? &f->more->tcp.error : NULL;
    default:
        return f->more ? &f->more->error : NULL;
    }
}

const struct icmp_error *flow_error(const struct flow *f)
{
    const struct icmp_error *e = error_of(f);

    return e && e->n ? e : NULL;
}

const struct about *flow_about(const struct flow *f)
{
    return flow_class(f) == CLASS_ICMP && f->more && f->more->about.ip_proto ? &f->more->about : NULL;
}

bool flow_event_first(struct worker *w, struct flow *f, uint32_t event)
{
    struct flow_more *m = flow_more(w, f);
    uint64_t bit = UINT64_C(1) << (event & 63);

    if (!m || (m->events[event >> 6] & bit))
        return false;
    m->events[event >> 6] |= bit;
    return true;
}

static void leases_drop(struct worker *w, struct flow *f)
{
    const struct traffic *tr = w->tr;

    for (uint32_t i = 0; i < tr->n_lease[0]; i++)
        if (tr->lease[0][i].drop)
            tr->lease[0][i].drop(tr->lease[0][i].self, (uint8_t *)f + tr->lease[0][i].off);
}

void flow_end(struct worker *w, struct flow *f, uint32_t reason)
{
    static const uint16_t counter[] = {0, M_FLOW_TIMEOUT, M_FLOW_SHUTDOWN, M_FLOW_MEMORY,
                                       M_FLOW_REUSED};
    struct packet *now = w->now;

    w->now = NULL;                  /* what happens from here on is not this packet's doing */
    held_flush(w, f);
    stream_end(w, f);
    app_end(w, f);
    bypass_end(w, f);
    inspect_flow_end(w, f, reason);
    publish_flow(w, f, reason);
    leases_drop(w, f);
    pool_put(&w->pool, f->more, flow_more_bytes(f));
    pool_put(&w->pool, f->dir, 2 * sizeof *f->dir);
    pool_put(&w->pool, f->bypass, sizeof *f->bypass);
    count(w, counter[reason]);
    wheel_remove(&w->table, f);
    table_remove(&w->table, f);
    pool_refund(&w->pool, w->table.stride);
    w->cells[M_FLOWS_NOW]--;
    w->now = now;
}

/* Room for one more: end the flow whose time comes first. */
static bool flow_evict(struct worker *w)
{
    struct flow *f = NULL;

    for (uint32_t i = 0; i < VICTIM_TRIES; i++) {
        struct flow *g = wheel_first(&w->table);
        uint16_t bucket;
        if (!g)
            return false;
        f = g;
        bucket = g->bucket;
        wheel_remove(&w->table, g);
        wheel_add(&w->table, g, flow_due(w, g));
        if (g->bucket == bucket)
            break;
    }
    if (!f)
        return false;
    flow_end(w, f, EC_END_MEMORY);
    return true;
}

/* What its protocol needs of memory; NULL: there is none. */
static struct flow *flow_take(struct worker *w, bool tcp)
{
    struct sdir *dir = NULL;
    struct flow *f = NULL;

    if (tcp && !(dir = pool_zero(&w->pool, 2 * sizeof *dir)))
        return NULL;
    if (pool_charge(&w->pool, w->table.stride)) {
        if ((f = table_new(&w->table)))
            f->dir = dir;
        else
            pool_refund(&w->pool, w->table.stride);
    }
    if (!f)
        pool_put(&w->pool, dir, 2 * sizeof *dir);
    return f;
}

static struct flow *flow_room(struct worker *w, bool tcp)
{
    struct flow *f = NULL;

    while (!f) {
        if (w->table.used < w->conf->max_flows)
            f = flow_take(w, tcp);
        if (!f && !flow_evict(w))
            return NULL;
    }
    return f;
}

static bool is_syn_ack(const struct packet *p)
{
    return p->pub.ip_proto == PROTO_TCP &&
           (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/* Who sent p began the conversation; but a SYN-ACK is an answer, where it counts without its SYN.
 */
static uint32_t flow_ends(struct flow *f, const struct packet *p, bool answer)
{
    const struct ec_packet *q = &p->pub;

    memcpy(f->pub.src, answer ? q->dst : q->src, 16);
    memcpy(f->pub.dst, answer ? q->src : q->dst, 16);
    f->pub.sport = answer ? q->dport : q->sport;
    f->pub.dport = answer ? q->sport : q->dport;
    return answer ? EC_TO_CLIENT : EC_TO_SERVER;
}

struct outer outer_of(const struct packet *p)
{
    const struct packet *up = p->outer, *root = up;
    struct outer o = { .kind = up->inner_kind, .depth = p->pub.depth,
                       .flow_id = up->inner_of };

    while (root->outer)
        root = root->outer;
    memcpy(o.src, root->pub.src, sizeof o.src);
    memcpy(o.dst, root->pub.dst, sizeof o.dst);
    o.sport = root->pub.sport;
    o.dport = root->pub.dport;
    o.ip_proto = root->pub.ip_proto;
    return o;
}

/* dir: p's in the flow that was reopened; p's in the new one */
static struct flow *flow_make(struct worker *w, const struct packet *p, bool reopened,
                              uint32_t *dir)
{
    const struct ec_packet *q = &p->pub;
    struct flow *f = flow_room(w, q->ip_proto == PROTO_TCP);

    if (!f) {
        count(w, M_FLOW_NOMEM);
        return NULL;
    }
    *dir = flow_ends(f, p, reopened ? *dir == EC_TO_CLIENT : w->conf->midstream && is_syn_ack(p));
    f->pub.ip_proto = q->ip_proto;
    f->pub.vlans = p->vlans;
    memcpy(f->pub.vlan, p->vlan, sizeof f->pub.vlan);
    f->vlan_third = p->vlan[2];
    f->pub.id = key_flow_id(p);
    f->pub.first_ns = f->pub.last_ns = q->frame->ts_ns;
    f->hash = p->hash;
    f->count = q->frame->count;
    f->iface = q->frame->iface;
    f->flags =
        (uint8_t)((q->frame->flags & EC_FR_REPLAY ? FL_REPLAY : 0) | (reopened ? FL_SESSION : 0));
    f->depth = (uint8_t)q->depth;
    if (p->outer && flow_more(w, f))
        f->more->outer = outer_of(p);
    if ((p->what & PK_ICMP_ABOUT) && flow_more(w, f))
        f->more->about = about_of(p);
    table_enter(&w->table, f);
    wheel_add(&w->table, f, flow_due(w, f));
    count(w, M_FLOWS);
    w->cells[M_FLOWS_NOW]++;
    return f;
}

static bool is_syn(const struct packet *p)
{
    return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Was the server's answer a reset? */
static bool flow_refused(const struct flow *f)
{
    return (f->flags & FL_RST) && !(f->tcp_flags[EC_TO_CLIENT] & TCP_SYN) && !f->dir[0].offset && !f->dir[1].offset;
}

/* Does p begin a new connection on the addresses of f? Where the beginning of f was not seen any SYN does, for nobody
 * looks at f's bytes. A client that was refused and tries again with the same number still asks for the same. */
static bool flow_reused(const struct flow *f, const struct packet *p, uint32_t dir)
{
    if (f->pub.ip_proto != PROTO_TCP || !is_syn(p))
        return false;
    if (!(f->flags & FL_SESSION))
        return true;
    return f->pub.state == EC_FLOW_CLOSED &&
           !(flow_refused(f) && dir == EC_TO_SERVER && stream_first(f, dir) == p->seq + 1);
}

/* Does p answer a SYN that came amid f? Then both ends have left the old connection, whose end was not seen. Or is it
 * more than one more refusal, after a client was refused? */
static bool flow_reopened(const struct flow *f, const struct packet *p, uint32_t dir)
{
    bool again = f->sflags[EC_TO_SERVER] & SD_SYN_AGAIN;

    if (f->pub.ip_proto != PROTO_TCP || !(f->flags & FL_SESSION))
        return false;
    if (flow_refused(f))
        return is_syn_ack(p) ? dir == EC_TO_CLIENT : again && !is_syn(p) && !(p->tcp_flags & TCP_RST);
    return again && is_syn_ack(p) && dir == EC_TO_CLIENT && stream_first(f, dir) != p->seq + 1;
}

/* A flow that is over by p's clock ends here. */
static struct flow *flow_live(struct worker *w, const struct packet *p, uint32_t *dir)
{
    struct flow *f = table_find(&w->table, p, dir);
    uint64_t ts = p->pub.frame->ts_ns;

    if (!f || ts <= f->pub.last_ns || flow_due(w, f) > ts)
        return f;
    flow_end(w, f, EC_END_TIMEOUT);
    return NULL;
}

/* One whose addresses p takes anew ends here, too. */
static struct flow *flow_find(struct worker *w, const struct packet *p, uint32_t *dir,
                              bool *reopened)
{
    struct flow *f = flow_live(w, p, dir);

    if (!f)
        return NULL;
    *reopened = flow_reopened(f, p, *dir);
    if (*reopened || flow_reused(f, p, *dir)) {
        flow_end(w, f, EC_END_REUSED);
        return NULL;
    }
    return f;
}

/* The flow that ICMP error p is about, which p then is a packet of: against the direction of the one that it quotes. */
static __attribute__((noinline)) struct flow *flow_quoted(struct worker *w, struct packet *p, uint32_t *dir)
{
    struct packet q = about_packet(p);
    struct icmp_error *e;
    struct flow *f;

    key_hash(&w->table, &q);
    f = flow_live(w, &q, dir);
    if (!f)
        return NULL;
    *dir = *dir == EC_TO_SERVER ? EC_TO_CLIENT : EC_TO_SERVER;
    p->pub.flags |= EC_PK_ABOUT;
    count(w, M_FLOW_ERRORS);
    if (flow_more(w, f) && (e = error_of(f)) && !e->n++) {
        memcpy(e->src, p->pub.src, sizeof e->src);
        e->type = (uint8_t)p->pub.sport;
        e->code = (uint8_t)p->pub.dport;
    }
    return f;
}

void flow_packet(struct worker *w, struct packet *p)
{
    uint64_t ts = p->pub.frame->ts_ns;
    uint32_t dir = EC_TO_SERVER;
    struct flow *f = NULL;
    bool reopened = false;

    wheel_clock(&w->table, ts);
    if (p->what & PK_ICMP_ABOUT)
        f = flow_quoted(w, p, &dir);
    if (!f)
        f = flow_find(w, p, &dir, &reopened);
    if (!f && !(f = flow_make(w, p, reopened, &dir)))
        return;
    p->pub.flow = &f->pub;
    p->pub.dir = (uint8_t)dir;
    if (ts > f->pub.last_ns)
        f->pub.last_ns = ts;
    f->pub.pkts[dir]++;
    f->pub.bytes[dir] += p->wire;
    if (!(f->pub.pkts[dir] & (BYPASS_EVERY - 1)))
        bypass_look(w, f, p);
    /* whoever begins a conversation without TCP is its client; an error answers nothing */
    if (dir == EC_TO_CLIENT && f->pub.ip_proto != PROTO_TCP && f->pub.state == EC_FLOW_NEW &&
        !(p->pub.flags & EC_PK_ABOUT))
        flow_state(w, f, EC_FLOW_ESTABLISHED);
}

bool flow_is_due(const struct worker *w, const struct flow *f)
{
    return flow_due(w, f) <= w->table.clock_ns;
}

void flow_sweep(struct worker *w, uint64_t now_ns, uint32_t budget)
{
    struct flow *f;

    wheel_clock(&w->table, now_ns);
    while (budget-- && (f = wheel_next(&w->table))) {
        if (flow_is_due(w, f)) {
            flow_end(w, f, EC_END_TIMEOUT);
        } else {
            wheel_remove(&w->table, f);
            wheel_add(&w->table, f, flow_due(w, f));
        }
    }
}
