#include "plugins/ids/match/inspect.h"

#include "plugins/ids/match/limit.h"
#include "plugins/ids/match/tally.h"
#include "plugins/ids/rule/address.h"

static bool header_one_way(const struct rule *r, const uint8_t *src, const uint8_t *dst, uint16_t sport,
                           uint16_t dport)
{
    return port_in(r->dport, dport) && port_in(r->sport, sport) && address_in(r->src, src) && address_in(r->dst, dst);
}

/* IPv4 stands mapped. */
static uint32_t address_version(const uint8_t a[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return __builtin_memcmp(a, mapped, 12) ? 6 : 4;
}

bool inspect_header(const struct scope *s, const struct rule *r)
{
    const uint8_t *src = scope_src(s), *dst = scope_dst(s);
    bool ports = scope_l4(s) & RULE_L4_PORTS;
    uint16_t sport = ports ? scope_sport(s) : 0, dport = ports ? scope_dport(s) : 0;

    if (r->ip_version && address_version(src) != r->ip_version)
        return false;
    if (!ports && (r->sport || r->dport))
        return false;
    return header_one_way(r, src, dst, sport, dport) ||
           ((r->flags & RULE_BIDIR) && header_one_way(r, dst, src, dport, sport));
}

bool inspect_rule(const struct scope *s, const struct rule *r)
{
    uint32_t proto = s->tx ? s->tx->proto : s->flow && !scope_about(s) ? s->flow->proto : 0;

    if (!(r->l4 & scope_l4(s)) || (r->app_proto && r->app_proto != proto) || !inspect_header(s, r))
        return false;
    for (const struct cond *c = r->cond; c; c = c->next)
        if (!c->match(c, s))
            return false;
    return true;
}

bool inspect_chain(const struct scope *s, const struct chain *c, struct verify *v, const struct hit_source *src,
                   struct hit *h)
{
    bool yes;

    v->pcre = s->hand->pcre;
    scope_count(s, COUNT_VERIFIED);
    yes = verify_chain(v, c);
    if (!yes && !v->steps)
        scope_count(s, COUNT_VERIFY_LIMIT);
    if (yes)
        hit_add(h, c, v, src);
    return yes;
}

bool inspect_fired(const struct scope *s, const struct rule *r)
{
    const struct packet_memory *m = scope_packet(s);

    for (uint32_t i = 0; i < m->n_fired; i++)
        if (m->fired[i] == r->index)
            return true;
    return false;
}

static void fire_pass(struct scope *s, const struct rule *r)
{
    scope_packet(s)->passed = true;
    scope_count(s, COUNT_PASSED);
    /* What passes a stream, a transaction or an address passes the whole flow; an ICMP error does not speak for it. */
    if (s->state && !scope_about(s) && ((r->where & (RULE_TX | RULE_STREAM)) || (r->flags & RULE_IPONLY)))
        s->state->flags |= FLOWSTATE_PASSED;
}

static void fire_verdict(struct scope *s, const struct rule *r)
{
    uint32_t verdict = r->verdict;
    struct packet_memory *m = scope_packet(s);

    if (verdict > m->verdict) {
        m->verdict = verdict;
        m->cause = r->sid;
    }
    if (s->state && !scope_about(s) && !(s->state->flags & FLOWSTATE_DROPPED)) {
        s->state->flags |= FLOWSTATE_DROPPED;
        s->state->dropped_by = r->sid;
    }
}

static void fire_alert(struct scope *s, struct hit *h)
{
    struct packet_memory *m = scope_packet(s);

    if (m->n_alert >= s->engine->o.max_alerts) {
        scope_count(s, COUNT_OVER);
        return;
    }
    m->n_alert++;
    if (m->n_fired < PACKET_FIRED)
        m->fired[m->n_fired++] = h->rule->index;
    for (const struct cond *c = h->rule->cond; c; c = c->next)
        if (c->tell)
            c->tell(c, h);
    hit_sort(h);
    scope_count(s, s->w->port->alert(s->w->port->arg, s, h) ? COUNT_ALERTS : COUNT_LOST);
}

void inspect_fire(struct scope *s, struct hit *h)
{
    const struct rule *r = h->rule;
    enum limit_answer answer;

    tally_match(s, r);
    for (const struct effect *e = r->effect; e; e = e->next)
        e->run(e, s);
    if (r->action == RULE_PASS) {
        fire_pass(s, r);
        return;
    }
    answer = (r->flags & RULE_NOALERT) ? LIMIT_ALERT : limit_ask(s, r);
    if (answer != LIMIT_NOT_YET && r->action != RULE_ALERT)
        fire_verdict(s, r);
    if (answer != LIMIT_ALERT)
        scope_count(s, COUNT_SUPPRESSED);
    else if (!(r->flags & RULE_NOALERT))
        fire_alert(s, h);
}

bool inspect_passed(struct scope *s)
{
    struct packet_memory *m = scope_packet(s);
    const struct header_group *g;

    if (s->state && !scope_about(s) && (s->state->flags & FLOWSTATE_PASSED))
        return true;
    if (!s->packet || m->asked)
        return m->passed;
    m->asked = true;
    g = &s->engine->groups.pass[group_l4(scope_l4(s))][s->dir];
    for (size_t i = 0; i < g->n && !m->passed; i++) {
        struct hit h;
        uint64_t begin;

        h.rule = s->engine->rule[g->rules[i]];
        h.n = 0;
        begin = tally_begin(s, h.rule);
        if (inspect_rule(s, h.rule))
            inspect_fire(s, &h);
        tally_end(s, h.rule, begin);
    }
    return m->passed;
}
