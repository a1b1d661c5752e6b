/* Rules on single packets: headers, addresses, payload. */
#include "plugins/ids/match/inspect.h"
#include "plugins/ids/match/tally.h"

/* Most of these rules ask for other addresses than the packet's: the few that are left have to be put in order. */
static void packet_list(struct scope *s, const uint32_t *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (inspect_header(s, s->engine->rule[rules[i]]))
            candidates_add(&s->hand->candidates, rules[i]);
}

static void packet_headers(struct scope *s, const struct header_group *g)
{
    const uint32_t *rules;
    size_t n;

    packet_list(s, g->rules, g->n);
    rules = addr_index_find(&g->by[ADDR_SRC], scope_src(s), &n);
    packet_list(s, rules, n);
    rules = addr_index_find(&g->by[ADDR_DST], scope_dst(s), &n);
    packet_list(s, rules, n);
}

/* Rules on addresses alone are asked once for each direction of a flow, and once for the ICMP errors about it. */
static void packet_addresses(struct scope *s, uint32_t l4)
{
    uint32_t bit = (uint32_t)(scope_about(s) ? FLOWSTATE_IPONLY_ABOUT : FLOWSTATE_IPONLY) << s->dir;

    if (s->state) {
        if (s->state->flags & bit)
            return;
        s->state->flags |= bit;
    }
    packet_headers(s, &s->engine->groups.iponly[l4][s->dir]);
}

static void packet_payload(struct scope *s, uint32_t l4)
{
    const struct ec_packet *p = s->packet;
    const uint8_t *d = p->data + p->payload;
    const struct groups *g = &s->engine->groups;
    bool ok;

    ok = raw_group_scan(&g->payload[l4][s->dir], p->sport, p->dport, s->hand->scratch, d, p->payload_len,
                        &s->hand->candidates);
    /* What no stream will show is looked at here. */
    if (scope_l4(s) == RULE_L4_TCP && !(p->flags & EC_PK_STREAM))
        ok &= raw_group_scan(&g->stream[s->dir], p->sport, p->dport, s->hand->scratch, d, p->payload_len,
                             &s->hand->candidates);
    if (!ok)
        scope_count(s, COUNT_SCAN_ERROR);
}

/* Where the payload's bytes are found again: UDP's in the datagram, the others in the frame. */
static struct hit_source packet_source(const struct scope *s)
{
    const struct ec_packet *p = s->packet;
    struct hit_source src = { .buffer = "payload", .dir = s->dir, .count = p->frame->count };

    if (scope_l4(s) == RULE_L4_UDP) {
        src.wire = WIRE_DATAGRAM;
    } else if (!(p->flags & EC_PK_DEFRAG)) {
        src.wire = WIRE_PACKET;
        src.wire_base = p->payload;
    }
    return src;
}

static void packet_rule(struct scope *s, const struct rule *r)
{
    const struct ec_packet *p = s->packet;
    struct hit h;

    if (!inspect_rule(s, r) || inspect_fired(s, r))
        return;
    h.rule = r;
    h.n = 0;
    if (r->raw) {
        struct verify v = { .data = p->data + p->payload, .len = p->payload_len };
        struct hit_source src = packet_source(s);

        if (!inspect_chain(s, r->raw, &v, &src, &h))
            return;
    }
    inspect_fire(s, &h);
}

/* Rules that ask for nothing but an anomaly of this packet. */
static void packet_raised(struct scope *s)
{
    const struct event_group *g = &s->engine->groups.event;
    const struct ec_raised *raised = s->packet->raised;

    for (size_t i = 0; i < g->n; i++) {
        const struct rule *r = s->engine->rule[g->rules[i].rule];
        uint32_t bit = g->rules[i].bit, proto = g->rules[i].proto;

        if (proto ? raised->proto != proto || !(raised->app >> bit & 1) : !(raised->bit[bit >> 6] >> (bit & 63) & 1))
            continue;
        if (!(r->dirs & 1u << s->dir) || (!s->packet->ip_version && !(r->flags & RULE_PKTHDR)))
            continue;
        candidates_add(&s->hand->candidates, r->index);
    }
}

void packet_inspect(struct scope *s)
{
    struct candidates *c = &s->hand->candidates;
    uint32_t l4 = group_l4(scope_l4(s));

    if (inspect_passed(s))
        return;
    if (!scope_about(s))
        stream_decided(s);
    candidates_begin(c);
    packet_headers(s, &s->engine->groups.header[l4][s->dir]);
    packet_addresses(s, l4);
    if (s->packet->payload_len && s->packet->payload != EC_NOOFF)
        packet_payload(s, l4);
    if (s->packet->raised)
        packet_raised(s);
    s->w->count[COUNT_CANDIDATES] += c->n;
    candidates_sort(c);
    for (uint32_t i = 0; i < c->n && !scope_packet(s)->passed; i++) {
        const struct rule *r = s->engine->rule[c->list[i]];
        uint64_t begin = tally_begin(s, r);

        packet_rule(s, r);
        tally_end(s, r, begin);
    }
}
