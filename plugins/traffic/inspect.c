#include "plugins/traffic/inspect.h"

static struct ec_mark *mark_of(struct worker *w)
{
    const struct ec_host *h = w->tr->host;

    return h ? h->mark(h, w->index) : NULL;
}

struct ec_mark inspect_enter(struct worker *w, const char *name, const char *callback)
{
    struct ec_mark *m = mark_of(w), old = { NULL, NULL };

    if (m) {
        old.plugin = m->plugin;
        old.callback = m->callback;
        m->callback = callback;
        m->plugin = name;
    }
    return old;
}

void inspect_leave(struct worker *w, struct ec_mark old)
{
    struct ec_mark *m = mark_of(w);

    if (m) {
        m->plugin = old.plugin;
        m->callback = old.callback;
    }
}

void inspect_bind(struct worker *w)
{
    w->bounds = w->tr->inspectors;
    for (uint32_t i = 0; i < w->bounds; i++) {
        struct bound *b = &w->bound[i];
        const struct ec_host *h;
        b->index = w->conf->order[i];
        h = w->tr->inspector[b->index].host;
        b->w = h ? h->worker_mem(h, w->index) : NULL;
        b->state = h ? h->state(h, w->index) : NULL;
        b->gen = h ? h->gen(h, w->index) : 0;
    }
}

void inspect_shed(struct worker *w, struct flow *f)
{
    uint32_t more = w->shed_mask & ~f->pub.mute;

    f->pub.mute |= more;
    f->shed |= (uint16_t)more;
    for (uint32_t i = 0; more; i++, more >>= 1) {
        const struct inspector *s = &w->tr->inspector[i];

        if (more & 1)
            (s->host ? s->host->cells(s->host, w->index) : w->own_cells)[s->metric]++;
    }
}

/* Call one hook of every inspector that has it and that this flow has not muted; what has no flow all look at. */
#define EACH(w, f, member, ...) do { \
        uint32_t mute_ = (f) ? ((struct flow *)(f))->pub.mute : 0; \
        for (uint32_t i_ = 0; i_ < (w)->bounds; i_++) { \
            const struct bound *b = &(w)->bound[i_]; \
            const struct inspector *s = &(w)->tr->inspector[b->index]; \
            struct ec_mark old_; \
            if (!s->hooks->member || (mute_ >> b->index & 1)) \
                continue; \
            old_ = inspect_enter((w), s->hooks->name, #member); \
            s->hooks->member(s->self, b->w, b->state, b->gen, __VA_ARGS__); \
            inspect_leave((w), old_); \
        } \
    } while (0)

void inspect_packet(struct worker *w, struct packet *p)
{
    EACH(w, p->pub.flow, packet, &p->pub);
}

void inspect_chunk(struct worker *w, struct flow *f, const struct ec_chunk *k)
{
    EACH(w, f, chunk, &f->pub, k);
}

void inspect_tx(struct worker *w, struct flow *f, struct ec_tx *x)
{
    EACH(w, f, tx, &f->pub, x, w->now ? &w->now->pub : NULL);
}

void inspect_flow_end(struct worker *w, struct flow *f, uint32_t reason)
{
    EACH(w, f, flow_end, &f->pub, reason);
}
