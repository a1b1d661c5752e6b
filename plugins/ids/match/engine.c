#include "plugins/ids/match/engine.h"

#include "plugins/ids/keyword/pcre.h"
#include "plugins/ids/match/inspect.h"
#include "plugins/ids/rule/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENGINE_CHUNK = 65536 };

static bool hand_open(struct hand *h, const struct engine *e, hs_scratch_t *scratch)
{
    if (scratch && hs_clone_scratch(scratch, &h->scratch) != HS_SUCCESS)
        return false;
    h->pcre = pcre_thread_new(e->o.pcre_match_limit, e->o.pcre_depth_limit);
    h->join_room = WINDOW_BYTES + ENGINE_CHUNK;
    h->join = malloc(h->join_room);
    h->candidates.room = e->n_rule;
    h->candidates.stamp = calloc((size_t)e->n_rule + 1, sizeof(uint32_t));
    h->tally = calloc((size_t)e->n_rule + 1, sizeof(struct tally));
    h->candidates.list = calloc((size_t)e->n_rule + 1, sizeof(uint32_t));
    return h->pcre && h->join && h->tally && h->candidates.stamp && h->candidates.list;
}

static void hand_close(struct hand *h)
{
    if (h->scratch)
        hs_free_scratch(h->scratch);
    pcre_thread_free(h->pcre);
    free(h->join);
    free(h->tally);
    free(h->candidates.stamp);
    free(h->candidates.list);
}

static bool engine_hands(struct engine *e, hs_scratch_t *scratch)
{
    e->hand = calloc(e->o.workers, sizeof *e->hand);
    if (!e->hand)
        return false;
    for (uint32_t i = 0; i < e->o.workers; i++)
        if (!hand_open(&e->hand[i], e, scratch))
            return false;
    return true;
}

struct engine *engine_new(struct ruleset *set, const struct engine_options *o, char *why, size_t n)
{
    struct engine *e = calloc(1, sizeof *e);
    hs_scratch_t *scratch = NULL;
    bool ok = false;

    snprintf(why, n, "out of memory");
    if (!e) {
        ruleset_free(set);
        return NULL;
    }
    e->o = *o;
    e->set = set;
    e->rule = ruleset_rules(set, &e->n_rule);
    for (uint32_t i = 0; i < e->n_rule; i++)
        e->mixed |= (e->rule[i]->where & RULE_TX) && e->rule[i]->raw;
    if (groups_build(&e->groups, e->rule, e->n_rule, &scratch, why, n)) {
        ok = engine_hands(e, scratch);
        if (!ok)
            snprintf(why, n, "out of memory for the scratch space of %u workers", o->workers);
    }
    if (scratch)
        hs_free_scratch(scratch);
    if (!ok) {
        engine_free(e);
        return NULL;
    }
    return e;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; e->hand && i < e->o.workers; i++)
        hand_close(&e->hand[i]);
    free(e->hand);
    groups_free(&e->groups);
    ruleset_free(e->set);
    free(e->slots);
    free(e);
}

bool engine_slot(struct engine *e, const struct ec_slot *slot)
{
    if (slot->proto >= e->n_slots) {
        uint32_t n = slot->proto + 16;
        uint64_t (*p)[2] = slot->proto < UINT32_MAX - 16 ? realloc(e->slots, n * sizeof *p) : NULL;

        if (!p)
            return false;
        memset(p + e->n_slots, 0, (n - e->n_slots) * sizeof *p);
        e->slots = p;
        e->n_slots = n;
    }
    e->slots[slot->proto][slot->dir & 1] |= UINT64_C(1) << (slot->slot % EC_SLOTS_MAX);
    return true;
}

bool worker_open(struct worker *w, const struct engine_port *port, uint32_t number, size_t windows)
{
    memset(w, 0, sizeof *w);
    w->port = port;
    w->number = number;
    if (!window_pool_open(&w->pool, windows))
        return false;
    if (ints_pool_open(&w->ints))
        return true;
    window_pool_close(&w->pool);
    return false;
}

void worker_close(struct worker *w)
{
    window_pool_close(&w->pool);
    ints_pool_close(&w->ints);
}

static struct scope scope_open(struct worker *w, const struct engine *e, uint32_t gen, struct ec_flow *f,
                               const struct ec_packet *p)
{
    struct scope s = { .w = w, .hand = &e->hand[w->number], .engine = e, .gen = gen, .flow = f, .packet = p };

    s.state = f ? EC_LEASED(f, w->port->flow_lease, struct flowstate) : NULL;
    s.now = p ? p->frame->ts_ns : f->last_ns;
    return s;
}

static void scope_close(struct scope *s)
{
    s->w->count[COUNT_PCRE_LIMIT] += pcre_thread_limits(s->hand->pcre);
}

void engine_packet(struct worker *w, const struct engine *e, uint32_t gen, struct ec_packet *p)
{
    struct scope s = scope_open(w, e, gen, p->flow, p);
    struct packet_memory *m;
    bool dropped;

    s.dir = p->dir;
    s.alone = true;
    packet_inspect(&s);
    scope_close(&s);
    m = scope_packet(&s);
    dropped = s.state && (s.state->flags & FLOWSTATE_DROPPED);
    if (dropped)
        ec_raise(p, EC_V_DROP, s.state->dropped_by);
    if (m->verdict)
        ec_raise(p, m->verdict, m->cause);
    if (__builtin_expect((p->frame->flags & EC_FR_INLINE) != 0, 0)) {
        scope_count(&s, COUNT_INLINE);
        w->count[COUNT_BLOCKED] += dropped || m->verdict;
    }
}

void engine_chunk(struct worker *w, const struct engine *e, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k)
{
    struct scope s = scope_open(w, e, gen, f, k->packet);

    s.dir = k->dir;
    w->pool.limit = e->o.windows;
    stream_inspect(&s, k);
    scope_close(&s);
}

void engine_tx(struct worker *w, const struct engine *e, uint32_t gen, struct ec_flow *f, struct ec_tx *x,
               struct ec_packet *p)
{
    struct scope s = scope_open(w, e, gen, f, p);

    s.dir = x->dir;
    s.tx = x;
    tx_inspect(&s);
    scope_close(&s);
}
