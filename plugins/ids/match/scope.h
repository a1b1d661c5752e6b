/* scope.h: what one inspection is about, and what a worker keeps between inspections. */
#ifndef IDS_MATCH_SCOPE_H
#define IDS_MATCH_SCOPE_H
#include "plugins/ids/match/counts.h"
#include "plugins/ids/match/flowstate.h"
#include "plugins/ids/match/ints.h"
#include "plugins/ids/match/prefilter.h"
#include "plugins/ids/match/window.h"
#include "plugins/ids/rule/rule.h"

struct ec_hosts;
struct engine;
struct hit;
struct scope;

/* What belongs to one worker and one generation: made with the generation, used by its worker alone. */
struct hand {
    hs_scratch_t *scratch;
    struct pcre_thread *pcre;
    struct candidates candidates;
    struct tally *tally;            /* by rule */
    struct sampling sampling;
    uint8_t *join;                  /* window and chunk side by side */
    size_t join_room;
};

#define PACKET_FIRED 32
/* What is remembered while one packet is inspected by several hooks. */
struct packet_memory {
    uint64_t count;                 /* its position, 0: none */
    uint32_t depth, n_alert, n_fired, verdict, cause;
    bool asked, passed;             /* pass rules were asked; one matched */
    bool has_stream;                /* its payload begins at stream offset stream_at */
    uint64_t stream_at;
    uint32_t fired[PACKET_FIRED];   /* rules that alerted */
};

/* What the engine needs from the plugin around it. Tests give their own. */
struct engine_port {
    void *arg;
    const struct ec_traffic *traffic;
    void *traffic_self;
    uint32_t flow_lease, tx_lease;  /* offsets */
    const struct ec_hosts *hosts;   /* NULL: none */
    void *hosts_self;
    uint32_t hosts_space;
    /* A rule has matched and nothing holds it back. false: the alert was lost. */
    bool (*alert)(void *arg, const struct scope *s, const struct hit *h);
};

struct worker {
    const struct engine_port *port;
    uint32_t number;
    uint64_t *count;                /* cells, by COUNT_* */
    struct window_pool pool;
    struct ints_pool ints;
    struct packet_memory packet;
    /* The bytes that the last chunk hook looked at, for transactions that ask for the raw payload as well. */
    const struct ec_flow *seen_flow;
    const uint8_t *seen;
    uint32_t seen_len, seen_dir;
    uint64_t seen_base;
};

struct scope {
    struct worker *w;
    struct hand *hand;
    const struct engine *engine;
    uint32_t gen, dir;              /* dir: EC_TO_* */
    struct ec_flow *flow;           /* NULL: none */
    struct flowstate *state;        /* of the flow; NULL: none */
    const struct ec_packet *packet; /* NULL: the flow has ended */
    struct ec_tx *tx;               /* NULL: none */
    uint64_t now;                   /* the packet's time, ns */
    bool alone;                     /* the packet hook: the bytes of `seen` may be gone by now */
};

/* Is it an ICMP error, which is in the flow that it is about but none of its messages? */
static inline bool scope_about(const struct scope *s)
{
    return s->alone && (s->packet->flags & EC_PK_ABOUT);
}

static inline void scope_count(const struct scope *s, uint32_t count)
{
    s->w->count[count]++;
}

/* Addresses and ports as the packet has them, or would have in this direction of the flow. */
const uint8_t *scope_src(const struct scope *s);
const uint8_t *scope_dst(const struct scope *s);
uint16_t scope_sport(const struct scope *s);
uint16_t scope_dport(const struct scope *s);
uint32_t scope_l4(const struct scope *s);       /* RULE_L4_* */

/* The packet's memory; a new packet's is empty. */
struct packet_memory *scope_packet(const struct scope *s);

#endif
