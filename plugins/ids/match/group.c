#include "plugins/ids/match/group.h"

#include "plugins/ids/rule/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_PORTS = 32,            /* rules with more ports than that stand among those for any port */
       GROUP_PORT_RULES = 4         /* fewer rules do not make a group for a port */ };

uint32_t group_l4(uint32_t l4)
{
    return (uint32_t)__builtin_ctz(l4);
}

/* Groups while they are built. */
struct draft {
    struct groups *g;
    hs_scratch_t **scratch;
    struct rule *const *rule;
    size_t n, room;
    char *why;
    uint32_t *count[2];                     /* 65,536 each: rules by destination and by source port */
    struct prefilter_input **in[2];         /* 65,536 each */
};

static bool draft_nomem(struct draft *d)
{
    snprintf(d->why, d->room, "out of memory");
    return false;
}

static struct prefilter *draft_filter(struct draft *d, struct prefilter_input *in)
{
    struct prefilter *p = prefilter_build(in, d->scratch, d->why, d->room);

    if (p) {
        d->g->n_filter++;
        d->g->n_pattern += prefilter_patterns(p);
        d->g->bytes += prefilter_bytes(p);
    }
    return p;
}

/* The ports by which a rule is found: of its destination, else of its source. 0: any. */
static size_t rule_ports(const struct rule *r, uint16_t *ports, int *side)
{
    size_t n;

    if (r->flags & RULE_BIDIR)
        return 0;
    *side = 0;
    n = port_list(r->dport, ports, GROUP_PORTS);
    if (!n) {
        *side = 1;
        n = port_list(r->sport, ports, GROUP_PORTS);
    }
    return n;
}

static bool in_raw_group(const struct rule *r, uint32_t where, uint32_t l4, uint32_t dir)
{
    bool tcp_only = where == RULE_PAYLOAD && l4 == RULE_L4_TCP && !(r->flags & RULE_PACKET);

    if (!(r->where & where) || !(r->l4 & l4) || !(r->dirs & 1u << dir))
        return false;
    /* A stream rule is looked for in single packets too where it counts from the start. */
    return !tcp_only || !r->raw || (r->raw->flags & ELEMENT_START);
}

static void draft_count(struct draft *d, uint32_t where, uint32_t l4, uint32_t dir)
{
    uint16_t ports[GROUP_PORTS];

    memset(d->count[0], 0, 65536 * sizeof *d->count[0]);
    memset(d->count[1], 0, 65536 * sizeof *d->count[1]);
    for (size_t i = 0; i < d->n; i++) {
        int side;
        size_t n = in_raw_group(d->rule[i], where, l4, dir) ? rule_ports(d->rule[i], ports, &side) : 0;

        for (size_t k = 0; k < n; k++)
            d->count[side][ports[k]]++;
    }
}

static bool draft_add(struct draft *d, struct prefilter_input **in, const struct rule *r)
{
    if (!*in)
        *in = prefilter_input_new();
    return (*in && prefilter_input_add(*in, r)) || draft_nomem(d);
}

/* One rule into the inputs of its ports, where each of them has enough rules, else into the one for any port. */
static bool draft_place(struct draft *d, const struct rule *r, struct prefilter_input **any)
{
    uint16_t ports[GROUP_PORTS];
    int side = 0;
    size_t n = rule_ports(r, ports, &side);

    for (size_t k = 0; k < n; k++)
        if (d->count[side][ports[k]] < GROUP_PORT_RULES)
            n = 0;
    if (!n)
        return draft_add(d, any, r);
    for (size_t k = 0; k < n; k++)
        if (!draft_add(d, &d->in[side][ports[k]], r))
            return false;
    return true;
}

/* Compile the inputs of one side; on failure the rest is freed. */
static bool draft_ports(struct draft *d, int side, struct port_group **list, size_t *n)
{
    size_t ports = 0;
    bool ok = true;

    for (size_t p = 0; p < 65536; p++)
        ports += d->in[side][p] != NULL;
    *list = calloc(ports + 1, sizeof **list);
    if (!*list)
        ok = draft_nomem(d);
    for (size_t p = 0; p < 65536; p++) {
        struct prefilter_input *in = d->in[side][p];

        d->in[side][p] = NULL;
        if (in && ok) {
            (*list)[*n].port = (uint16_t)p;
            (*list)[*n].filter = draft_filter(d, in);
            ok = (*list)[*n].filter != NULL;
            *n += ok;
        } else {
            prefilter_input_free(in);
        }
    }
    return ok;
}

static bool draft_raw(struct draft *d, uint32_t where, uint32_t l4, uint32_t dir, struct raw_group *g)
{
    struct prefilter_input *any = NULL;
    bool ok = true, dst, src;

    draft_count(d, where, l4, dir);
    for (size_t i = 0; ok && i < d->n; i++)
        if (in_raw_group(d->rule[i], where, l4, dir))
            ok = draft_place(d, d->rule[i], &any);
    dst = draft_ports(d, 0, &g->dst, &g->n_dst);
    src = draft_ports(d, 1, &g->src, &g->n_src);
    if (!ok || !dst || !src) {
        prefilter_input_free(any);
        return false;
    }
    g->any = any ? draft_filter(d, any) : NULL;
    return !any || g->any;
}

static bool draft_header(struct draft *d, uint32_t l4, uint32_t dir, uint32_t flags, bool pass,
                         struct header_group *g)
{
    for (int fill = 0; fill < 2; fill++) {
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++) {
            const struct rule *r = d->rule[i];

            if (!(r->where & RULE_HEADER) || !(r->l4 & l4) || !(r->dirs & 1u << dir) ||
                (r->flags & RULE_IPONLY) != flags || (r->action == RULE_PASS) != pass)
                continue;
            if (fill)
                g->rules[n] = r->index;
            n++;
        }
        if (!fill && !(g->rules = calloc(n + 1, sizeof *g->rules)))
            return draft_nomem(d);
        g->n = n;
    }
    return true;
}

/* Move the rules that one side's addresses find from the list into that side's index. */
static bool draft_addresses(struct draft *d, struct header_group *g, enum addr_side side)
{
    uint32_t *found = calloc(g->n + 1, sizeof *found);
    size_t n = 0, left = 0;
    bool ok;

    for (size_t i = 0; found && i < g->n; i++) {
        if (addr_index_takes(d->rule[g->rules[i]], side))
            found[n++] = g->rules[i];
        else
            g->rules[left++] = g->rules[i];
    }
    ok = found && addr_index_build(&g->by[side], d->rule, found, n, side);
    if (ok)
        g->n = left;
    free(found);
    return ok || draft_nomem(d);
}

static bool draft_list(struct draft *d, uint32_t l4, uint32_t dir, uint32_t flags, struct header_group *g)
{
    return draft_header(d, l4, dir, flags, false, g) && draft_addresses(d, g, ADDR_SRC) &&
           draft_addresses(d, g, ADDR_DST);
}

/* Pass rules on headers are asked before anything else; those on addresses alone are among them. */
static bool draft_headers(struct draft *d, uint32_t i, uint32_t dir)
{
    struct header_group plain = { .n = 0 }, only = { .n = 0 }, *g = &d->g->pass[i][dir];
    bool ok = draft_list(d, 1u << i, dir, 0, &d->g->header[i][dir]) &&
              draft_list(d, 1u << i, dir, RULE_IPONLY, &d->g->iponly[i][dir]) &&
              draft_header(d, 1u << i, dir, 0, true, &plain) &&
              draft_header(d, 1u << i, dir, RULE_IPONLY, true, &only);

    g->rules = ok ? calloc(plain.n + only.n + 1, sizeof *g->rules) : NULL;
    if (g->rules) {
        memcpy(g->rules, plain.rules, plain.n * sizeof *g->rules);
        memcpy(g->rules + plain.n, only.rules, only.n * sizeof *g->rules);
        g->n = plain.n + only.n;
    }
    free(plain.rules);
    free(only.rules);
    return g->rules || draft_nomem(d);
}

/* The slot of a protocol by which a rule with buffers is found: that of its fast pattern, else of its first buffer. */
static const struct view *rule_tx_view(const struct rule *r)
{
    if (r->fast.len)
        return r->fast_view;
    for (uint32_t i = 0; i < r->n_chain; i++)
        if (r->chain[i]->view)
            return r->chain[i]->view;
    return NULL;
}

static bool draft_tx_rule(struct draft *d, const struct rule *r, uint32_t proto, struct prefilter_input **in)
{
    const struct view *v = rule_tx_view(r);

    for (uint32_t i = 0; v && i < v->n_slot; i++)
        if (v->slot[i].proto == proto && !draft_add(d, &in[v->slot[i].slot], r))
            return false;
    return true;
}

/* Those of one protocol's transactions, or those that are inspected with packets (proto 0). */
static bool draft_events(struct draft *d, uint32_t proto, struct event_group *g)
{
    uint32_t where = proto ? RULE_TX : RULE_RAISED;
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += (d->rule[i]->flags & RULE_EVENT) != 0;
    if (!n)
        return true;
    if (!(g->rules = calloc(n, sizeof *g->rules)))
        return draft_nomem(d);
    for (size_t i = 0; i < d->n; i++) {
        const struct rule *r = d->rule[i];

        if (!(r->flags & RULE_EVENT) || !(r->where & where) || (proto && r->event_proto != proto))
            continue;
        g->rules[g->n].bit = r->event_bit;
        g->rules[g->n].proto = r->event_proto;
        g->rules[g->n++].rule = r->index;
    }
    return true;
}

static bool draft_tx(struct draft *d, uint32_t proto)
{
    struct prefilter_input *in[EC_SLOTS_MAX] = { NULL };
    struct tx_group *g = calloc(1, sizeof *g);
    bool ok = g || draft_nomem(d);

    for (size_t i = 0; ok && i < d->n; i++)
        for (uint32_t k = 0; ok && k < d->rule[i]->n_proto; k++)
            if (d->rule[i]->proto[k] == proto)
                ok = draft_tx_rule(d, d->rule[i], proto, in);
    ok = ok && draft_events(d, proto, &g->event);
    for (uint32_t s = 0; s < EC_SLOTS_MAX; s++) {
        if (ok && in[s]) {
            g->slot[s] = draft_filter(d, in[s]);
            g->slots |= UINT64_C(1) << s;
            ok = g->slot[s] != NULL;
        } else {
            prefilter_input_free(in[s]);
        }
    }
    d->g->tx[proto] = g;
    return ok;
}

static bool draft_txs(struct draft *d)
{
    bool *used, ok = true;
    size_t max = 0;

    for (size_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->rule[i]->n_proto; k++)
            if (d->rule[i]->proto[k] >= max)
                max = d->rule[i]->proto[k] + 1;
    used = calloc(max + 1, sizeof *used);
    d->g->tx = calloc(max + 1, sizeof *d->g->tx);
    if (!used || !d->g->tx) {
        free(used);
        return draft_nomem(d);
    }
    d->g->n_tx = max;
    for (size_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->rule[i]->n_proto; k++)
            used[d->rule[i]->proto[k]] = true;
    for (uint32_t p = 0; ok && p < max; p++)
        ok = !used[p] || draft_tx(d, p);
    free(used);
    return ok;
}

static bool draft_all(struct draft *d)
{
    for (uint32_t dir = 0; dir < 2; dir++) {
        if (!draft_raw(d, RULE_STREAM, RULE_L4_TCP, dir, &d->g->stream[dir]))
            return false;
        for (uint32_t i = 0; i < GROUP_L4; i++)
            if (!draft_raw(d, RULE_PAYLOAD, 1u << i, dir, &d->g->payload[i][dir]) || !draft_headers(d, i, dir))
                return false;
    }
    return draft_events(d, 0, &d->g->event) && draft_txs(d);
}

bool groups_build(struct groups *g, struct rule *const *rule, size_t n, hs_scratch_t **scratch, char *why, size_t room)
{
    struct draft d = { .g = g, .scratch = scratch, .rule = rule, .n = n, .why = why, .room = room };
    bool ok;

    for (int side = 0; side < 2; side++) {
        d.count[side] = calloc(65536, sizeof *d.count[side]);
        d.in[side] = calloc(65536, sizeof(struct prefilter_input *));
    }
    ok = d.count[0] && d.count[1] && d.in[0] && d.in[1] ? draft_all(&d) : draft_nomem(&d);
    for (int side = 0; side < 2; side++) {
        free(d.count[side]);
        free(d.in[side]);
    }
    if (!ok)
        groups_free(g);
    return ok;
}

static void raw_group_free(struct raw_group *g)
{
    prefilter_free(g->any);
    for (size_t i = 0; i < g->n_dst; i++)
        prefilter_free(g->dst[i].filter);
    for (size_t i = 0; i < g->n_src; i++)
        prefilter_free(g->src[i].filter);
    free(g->dst);
    free(g->src);
}

static void header_group_free(struct header_group *g)
{
    free(g->rules);
    addr_index_free(&g->by[ADDR_SRC]);
    addr_index_free(&g->by[ADDR_DST]);
}

void groups_free(struct groups *g)
{
    for (uint32_t dir = 0; dir < 2; dir++) {
        raw_group_free(&g->stream[dir]);
        for (uint32_t i = 0; i < GROUP_L4; i++) {
            raw_group_free(&g->payload[i][dir]);
            header_group_free(&g->header[i][dir]);
            header_group_free(&g->iponly[i][dir]);
            header_group_free(&g->pass[i][dir]);
        }
    }
    for (size_t p = 0; p < g->n_tx; p++) {
        for (uint32_t s = 0; g->tx[p] && s < EC_SLOTS_MAX; s++)
            prefilter_free(g->tx[p]->slot[s]);
        if (g->tx[p])
            free(g->tx[p]->event.rules);
        free(g->tx[p]);
    }
    free(g->tx);
    free(g->event.rules);
    memset(g, 0, sizeof *g);
}

static const struct prefilter *port_find(const struct port_group *g, size_t n, uint16_t port)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (g[mid].port < port)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && g[lo].port == port ? g[lo].filter : NULL;
}

bool raw_group_scan(const struct raw_group *g, uint16_t sport, uint16_t dport, hs_scratch_t *scratch,
                    const uint8_t *d, uint32_t n, struct candidates *c)
{
    const struct prefilter *f[3] = { g->any, port_find(g->dst, g->n_dst, dport), port_find(g->src, g->n_src, sport) };
    bool ok = true;

    for (int i = 0; i < 3; i++)
        if (f[i])
            ok &= prefilter_scan(f[i], scratch, d, n, c);
    return ok;
}
