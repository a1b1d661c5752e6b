#include "plugins/traffic/flow/snapshot.h"

#include <stdlib.h>

struct snapshot *snapshot_new(uint32_t workers, uint32_t max, const struct flow_wanted *wanted)
{
    struct snapshot *s = calloc(1, sizeof *s + workers * sizeof s->look[0]);

    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    s->workers = workers;
    s->max = max;
    s->wanted = *wanted;
    for (uint32_t i = 0; i < workers; i++)
        if (!(s->look[i].flow = malloc(max * sizeof *s->look[i].flow))) {
            snapshot_unref(s);
            return NULL;
        }
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (atomic_fetch_sub(&s->refs, 1) > 1)
        return;
    for (uint32_t i = 0; i < s->workers; i++)
        free(s->look[i].flow);
    free(s);
}

void snapshot_forget(snapshot_slot *slot)
{
    struct snapshot *old = atomic_exchange(slot, NULL);

    if (old)
        snapshot_unref(old);
}

void snapshot_ask(snapshot_slot *slot, struct snapshot *s)
{
    struct snapshot *old;

    atomic_fetch_add(&s->refs, 1);
    old = atomic_exchange(slot, s);
    if (old)
        snapshot_unref(old);
}

static bool in_net(const struct flow_wanted *w, const uint8_t ip[16])
{
    uint32_t whole = w->bits / 8, rest = w->bits % 8;

    return !memcmp(ip, w->net, whole) && (!rest || !((ip[whole] ^ w->net[whole]) >> (8 - rest)));
}

static bool wanted(const struct flow_wanted *w, const struct ec_flow *f)
{
    return (!(w->has & WANT_PROTO) || w->proto == f->ip_proto) &&
           (!(w->has & WANT_PORT) || w->port == f->sport || w->port == f->dport) &&
           (!(w->has & WANT_NET) || in_net(w, f->src) || in_net(w, f->dst));
}

static void copy(const struct snapshot *s, struct look *l, uint32_t worker, const struct flow *f)
{
    if (!wanted(&s->wanted, &f->pub))
        return;
    l->matched++;
    if (l->n == s->max)
        return;
    l->flow[l->n++] = (struct flow_seen){ f->pub, f->iface, worker, f->tcp_state, f->flags, f->bypass != NULL };
}

/* Returns false when the table's end is reached. Where the table has grown meanwhile its flows stand elsewhere, so the
 * look begins anew. */
static bool look_on(const struct snapshot *s, struct look *l, uint32_t worker, const struct flow_table *t,
                    uint32_t budget)
{
    uint64_t end;

    if (l->mask != t->mask) {
        l->mask = t->mask;
        l->slot = l->n = 0;
        l->matched = 0;
    }
    end = l->slot + budget;
    for (; l->slot <= t->mask && l->slot < end; l->slot++)
        if (t->slot[l->slot].flow)
            copy(s, l, worker, flow_at(t, t->slot[l->slot].flow - 1));
    l->alive = t->used;
    return l->slot <= t->mask;
}

void snapshot_step(snapshot_slot *slot, uint32_t worker, const struct flow_table *t, uint32_t budget)
{
    struct snapshot *s = atomic_exchange(slot, NULL), *none = NULL;

    if (!s)
        return;
    if (atomic_load(&s->cancelled)) {
        snapshot_unref(s);
    } else if (!look_on(s, &s->look[worker], worker, t, budget)) {
        atomic_store(&s->look[worker].done, true);
        snapshot_unref(s);
    } else if (!atomic_compare_exchange_strong(slot, &none, s)) {
        snapshot_unref(s);          /* another one is asked for meanwhile */
    }
}
