/* Rules on the buffers of transactions. A rule is looked at when the buffer with its fast pattern has changed; where
 * another of its buffers is not there yet, it waits with the transaction. It alerts once for each transaction. */
#include "plugins/ids/match/inspect.h"
#include "plugins/ids/match/tally.h"

#include <netinet/in.h>
#include <string.h>

enum tx_answer { TX_NO, TX_WAIT, TX_YES };

struct tx_look {
    struct scope *s;
    struct txstate *t;
    struct hit h;
    uint32_t dir;                   /* of the buffer that was found last */
};

static const struct ec_buf *tx_buffer(const struct scope *s, uint32_t slot)
{
    const struct engine_port *port = s->w->port;

    return ec_tx_buf(port->traffic, port->traffic_self, s->tx, slot);
}

static bool tx_find(struct tx_look *l, const struct chain *c, const struct ec_slot *slot, const struct ec_buf *b,
                    uint32_t state, uint32_t item, bool listed)
{
    struct verify v = { .data = b->u.data ? b->u.data : (const uint8_t *)"", .len = b->len, .base = b->base };
    struct hit_source src = { .buffer = c->view->name, .item = item, .listed = listed, .dir = slot->dir,
                              .secret = state & EC_BUF_SECRET };

    if (state & EC_BUF_VERBATIM) {
        src.wire = l->s->flow->ip_proto == IPPROTO_TCP ? WIRE_STREAM : WIRE_DATAGRAM;
        src.wire_base = b->wire;
        src.count = src.wire == WIRE_DATAGRAM ? l->t->count[slot->dir] : 0;
    }
    if (!inspect_chain(l->s, c, &v, &src, &l->h))
        return false;
    l->dir = slot->dir;
    return true;
}

/* The chain in one slot of the transaction. */
static enum tx_answer tx_slot(struct tx_look *l, const struct chain *c, const struct ec_slot *slot)
{
    const struct ec_buf *b = tx_buffer(l->s, slot->slot);
    bool end = l->s->tx->flags & EC_TX_END, whole = end || (b && (b->state & EC_BUF_WHOLE));

    if (!b || !b->state)
        return end ? TX_NO : TX_WAIT;
    if ((c->flags & ELEMENT_WHOLE) && !whole)
        return TX_WAIT;
    if (!(b->state & EC_BUF_LIST))
        return tx_find(l, c, slot, b, b->state, 0, false) ? TX_YES : whole ? TX_NO : TX_WAIT;
    for (uint32_t i = 0; i < b->len; i++)
        if (tx_find(l, c, slot, &b->u.item[i], b->u.item[i].state | b->state, i, true))
            return TX_YES;
    return whole ? TX_NO : TX_WAIT;
}

/* The raw payload that came with this step, for rules that ask for both. */
static enum tx_answer tx_raw(struct tx_look *l, const struct chain *c)
{
    const struct scope *s = l->s;
    const struct worker *w = s->w;
    struct hit_source src = { .buffer = "payload", .dir = s->dir };
    struct verify v = { 0 };

    if (w->seen_flow == s->flow && s->flow) {
        v = (struct verify){ .data = w->seen, .len = w->seen_len, .base = w->seen_base };
        src.wire = WIRE_STREAM;
        src.dir = w->seen_dir;
        src.wire_base = v.base;
    } else if (s->packet && s->packet->payload != EC_NOOFF && s->flow->ip_proto == IPPROTO_UDP) {
        v = (struct verify){ .data = s->packet->data + s->packet->payload, .len = s->packet->payload_len };
        src.wire = WIRE_DATAGRAM;
        src.count = s->packet->frame->count;
    }
    if (v.data && inspect_chain(s, c, &v, &src, &l->h))
        return TX_YES;
    return (s->tx->flags & EC_TX_END) ? TX_NO : TX_WAIT;
}

static enum tx_answer tx_chain(struct tx_look *l, const struct rule *r, const struct chain *c)
{
    enum tx_answer best = TX_NO;

    if (!c->view)
        return tx_raw(l, c);
    for (uint32_t i = 0; i < c->view->n_slot && best != TX_YES; i++) {
        const struct ec_slot *slot = &c->view->slot[i];
        enum tx_answer a;

        if (slot->proto != l->s->tx->proto)
            continue;
        /* A name with a buffer in each direction means the one of the rule's direction. */
        if (c->view->n_slot > 1 && !(r->dirs & 1u << slot->dir))
            continue;
        a = tx_slot(l, c, slot);
        best = a > best ? a : best;
    }
    return best;
}

/* flow: and the header speak of the direction of the rule's buffers. */
static uint32_t tx_direction(const struct rule *r, uint32_t dir)
{
    return r->dirs == RULE_BOTH ? dir : r->dirs == RULE_TO_SERVER ? EC_TO_SERVER : EC_TO_CLIENT;
}

/* A rule without buffers goes by the step; what is left at the end, by the directions that were seen. */
static bool tx_step_is(const struct scope *s, const struct rule *r)
{
    if (r->n_chain || (r->dirs & 1u << s->dir))
        return true;
    return (s->tx->flags & EC_TX_END) && s->tx->progress[!s->dir];
}

static enum tx_answer tx_rule(struct tx_look *l, const struct rule *r)
{
    struct scope *s = l->s;
    enum tx_answer answer = TX_YES;
    uint32_t dir = s->dir;

    if (!tx_step_is(s, r))
        return TX_NO;
    l->h.rule = r;
    l->h.n = 0;
    for (uint32_t i = 0; i < r->n_chain && answer != TX_NO; i++) {
        enum tx_answer a = tx_chain(l, r, r->chain[i]);

        answer = a < answer ? a : answer;
    }
    if (answer != TX_YES)
        return answer;
    s->dir = tx_direction(r, l->dir);
    if (inspect_rule(s, r))
        inspect_fire(s, &l->h);
    else
        answer = TX_NO;
    s->dir = dir;
    return answer;
}

static bool txstate_done(const struct txstate *t, uint32_t sid)
{
    for (uint32_t i = 0; i < t->n_done; i++)
        if (t->list[TXSTATE_LIST - 1 - i] == sid)
            return true;
    return false;
}

/* Those that alerted keep their places; those that wait give way and are found by searching anew. */
static void txstate_finish(struct scope *s, struct txstate *t, uint32_t sid)
{
    if (t->n_done == TXSTATE_LIST)
        return;
    if (t->n_wait + t->n_done == TXSTATE_LIST) {
        t->n_wait--;
        t->rescan = 1;
        scope_count(s, COUNT_PENDING_FULL);
    }
    t->list[TXSTATE_LIST - 1 - t->n_done++] = sid;
}

static void txstate_wait(struct scope *s, struct txstate *t, uint32_t rule)
{
    if (t->rescan)
        return;
    if (t->n_wait + t->n_done == TXSTATE_LIST) {
        t->rescan = 1;
        scope_count(s, COUNT_PENDING_FULL);
        return;
    }
    t->list[t->n_wait++] = rule;
}

static void tx_scan(struct scope *s, const struct prefilter *p, uint32_t slot)
{
    const struct ec_buf *b = tx_buffer(s, slot);
    struct candidates *c = &s->hand->candidates;
    bool ok = true;

    if (!b || !b->state)
        return;
    if (!(b->state & EC_BUF_LIST))
        ok = prefilter_scan(p, s->hand->scratch, b->u.data, b->len, c);
    for (uint32_t i = 0; (b->state & EC_BUF_LIST) && i < b->len; i++)
        ok &= prefilter_scan(p, s->hand->scratch, b->u.item[i].u.data, b->u.item[i].len, c);
    if (!ok)
        scope_count(s, COUNT_SCAN_ERROR);
}

/* Anomalies of the transaction bring their rules, also where the buffers of those came before. */
static void tx_raised(struct scope *s, const struct event_group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (s->tx->raised >> g->rules[i].bit & 1)
            candidates_add(&s->hand->candidates, g->rules[i].rule);
}

static void tx_candidates(struct scope *s, struct txstate *t, const struct tx_group *g)
{
    struct candidates *c = &s->hand->candidates;
    uint64_t slots;

    if (t->gen != s->gen) {
        t->rescan = t->gen != 0;
        t->n_wait = 0;
        t->gen = s->gen;
    }
    candidates_begin(c);
    /* At its end a transaction may settle what was open: what is not there will not come. */
    for (slots = (t->rescan ? UINT64_MAX : s->tx->fresh) & g->slots; slots; slots &= slots - 1) {
        uint32_t slot = (uint32_t)__builtin_ctzll(slots);

        tx_scan(s, g->slot[slot], slot);
    }
    if (s->tx->raised)
        tx_raised(s, &g->event);
    s->w->count[COUNT_CANDIDATES] += c->n;
    for (uint32_t i = 0; i < t->n_wait; i++)
        candidates_add(c, t->list[i]);
    t->n_wait = 0;
    t->rescan = 0;
    candidates_sort(c);
}

void tx_inspect(struct scope *s)
{
    const struct tx_group *g = groups_tx(&s->engine->groups, s->tx->proto);
    struct tx_look l;
    struct candidates *c = &s->hand->candidates;

    l.s = s;
    l.t = EC_LEASED(s->tx, s->w->port->tx_lease, struct txstate);
    l.dir = s->dir;
    if (s->packet && s->tx->fresh)
        l.t->count[s->packet->dir] = s->packet->frame->count;
    if (!g || inspect_passed(s))
        return;
    tx_candidates(s, l.t, g);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct rule *r = s->engine->rule[c->list[i]];
        enum tx_answer a;
        uint64_t begin;

        if (txstate_done(l.t, r->sid))
            continue;
        if (l.t->n_done == TXSTATE_LIST) {
            scope_count(s, COUNT_DONE_FULL);
            break;
        }
        begin = tally_begin(s, r);
        a = tx_rule(&l, r);
        tally_end(s, r, begin);
        if (a == TX_YES)
            txstate_finish(s, l.t, r->sid);
        else if (a == TX_WAIT)
            txstate_wait(s, l.t, r->index);
        if (s->packet && scope_packet(s)->passed)
            return;
    }
}
