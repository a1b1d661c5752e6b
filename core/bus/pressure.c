#include "core/bus/pressure.h"

#include "core/clock.h"
#include "core/bus/publisher.h"
#include "core/bus/subscription.h"

#include <stdlib.h>

#define PATIENCE_NS UINT64_C(2000000000)

/* One reader that is behind: is it still moving? */
struct watch {
    uint64_t progress, since_ns;
    bool armed;
};

struct pressure {
    struct watch arena, *ring, *queue;      /* by lane, by subscription */
};

struct pressure *pressure_new(void)
{
    struct pressure *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->ring = calloc(bus.n_lane, sizeof *p->ring);
    p->queue = calloc(bus.n_sub + 1u, sizeof *p->queue);
    if (!p->ring || !p->queue) {
        pressure_free(p);
        return NULL;
    }
    return p;
}

void pressure_free(struct pressure *p)
{
    if (!p)
        return;
    free(p->ring);
    free(p->queue);
    free(p);
}

static bool worth_waiting(struct watch *w, bool over_half, uint64_t progress)
{
    uint64_t now;

    if (!over_half) {
        w->armed = false;
        return false;
    }
    now = clock_monotonic();
    if (!w->armed || progress != w->progress) {
        w->armed = true;
        w->progress = progress;
        w->since_ns = now;
        return true;
    }
    return now - w->since_ns < PATIENCE_NS;
}

static bool queue_pressed(struct pressure *w, const struct subscription *s)
{
    uint64_t count = atomic_load_explicit(&s->count, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed);

    for (uint32_t i = 0; i < bus.n_pub; i++) {
        count += ring_fill(&bus.pub[i].ring[s->lane]);
        bytes += ring_bytes(&bus.pub[i].ring[s->lane]);
    }
    return worth_waiting(&w->queue[s->index], count > s->s.capacity / 2 || bytes > s->s.bytes / 2,
                         atomic_load_explicit(&s->moved, memory_order_relaxed));
}

bool pressure_of(struct publisher *p)
{
    struct pressure *w = p->pressure;
    uint64_t total, used = arena_used(p->arena, &total);
    bool pressed = worth_waiting(&w->arena, used > total / 2, arena_returned(p->arena));

    for (uint32_t i = 0; i < bus.n_lane; i++)
        pressed |= worth_waiting(&w->ring[i], ring_fill(&p->ring[i]) > bus.c.ring_slots / 2,
                                 atomic_load_explicit(&p->ring[i].head, memory_order_relaxed));
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode != EC_SUB_INLINE)
            pressed |= queue_pressed(w, bus.sub[i]);
    return pressed;
}
