#include "core/bus/publisher.h"

#include "core/clock.h"
#include "core/bus/enrich.h"
#include "core/bus/lane.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/bus/pressure.h"
#include "core/bus/route.h"
#include "core/bus/scratch.h"
#include "core/bus/subscription.h"

#include <stdlib.h>
#include <time.h>

#define MARKERS_KEPT 16u            /* slots of a ring that only markers may take */
#define WAKE_EVERY 64u              /* events of a worker */
#define ID_TICK_SHIFT 20            /* 2^20 ns: 1.05 ms */
#define ID_COUNT_BITS 13
#define ID_PUBLISHER_BITS 8

int publisher_init(struct publisher *p, uint32_t slot)
{
    p->slot = slot;
    p->number = slot == bus_mailbox() ? EC_PUB_MAILBOX : slot;
    pthread_mutex_init(&p->lock, NULL);
    p->arena = arena_create(bus.c.arena_bytes);
    p->ring = aligned_alloc(64, bus.n_lane * sizeof *p->ring);
    if (!p->arena || !p->ring)
        return EC_ENOMEM;
    memset(p->ring, 0, bus.n_lane * sizeof *p->ring);
    for (uint32_t i = 0; i < bus.n_lane; i++)
        if (ring_init(&p->ring[i], bus.c.ring_slots))
            return EC_ENOMEM;
    return EC_OK;
}

int publisher_ready(struct publisher *p)
{
    uint32_t n = bus.n_topic + 1;

    p->published = calloc(n, sizeof *p->published);
    p->arena_lost = calloc(n, sizeof *p->arena_lost);
    p->ring_lost = calloc((size_t)n * bus.n_lane, sizeof *p->ring_lost);
    p->pressure = pressure_new();
    if (!p->published || !p->arena_lost || !p->ring_lost || !p->pressure)
        return EC_ENOMEM;
    if (bus.n_enricher && !(p->cache = enrich_cache_new()))
        return EC_ENOMEM;
    if (p->slot != bus_mailbox())
        p->cells = metric_cells(p->slot);
    return EC_OK;
}

void publisher_fini(struct publisher *p)
{
    for (uint32_t i = 0; p->ring && i < bus.n_lane; i++)
        ring_fini(&p->ring[i]);
    free(p->ring);
    free(p->published);
    free(p->arena_lost);
    free(p->ring_lost);
    pressure_free(p->pressure);
    enrich_cache_free(p->cache);
    arena_free(p->arena);
    pthread_mutex_destroy(&p->lock);
}

void publisher_metric(struct publisher *p, uint32_t m)
{
    if (p->cells)
        p->cells[bus.metric[m]]++;
    else
        metric_delta(bus.metric[m], 1);
}

static uint64_t id_clock(void)
{
    struct timespec t;

    if (clock_follows_packets())
        return clock_now();
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* 42 bits of time, 8 of the publisher, 13 of a count within the tick; a tick that is used up borrows from the next, and
 * a clock that goes back is not followed, so that a publisher's ids only grow. */
static uint64_t id_next(struct publisher *p)
{
    uint64_t tick = id_clock() >> ID_TICK_SHIFT;

    if (tick > p->id_tick) {
        p->id_tick = tick;
        p->id_count = 0;
    } else if (++p->id_count == 1u << ID_COUNT_BITS) {
        p->id_tick++;
        p->id_count = 0;
    }
    return ((p->id_tick << (ID_COUNT_BITS + ID_PUBLISHER_BITS)) & INT64_MAX)
           | (uint64_t)(p->number & ((1u << ID_PUBLISHER_BITS) - 1)) << ID_COUNT_BITS | p->id_count;
}

static void seal(struct publisher *p, struct ec_build *b, const struct plan *plan)
{
    struct ec_event *ev = ec_head(b);

    ev->size = (uint32_t)sizeof *ev;
    ev->total = b->used;
    ev->seq = ++p->seq;
    if (!ev->ts_ns)
        ev->ts_ns = clock_now();
    ev->publisher = p->number;
    ev->gen = plan ? plan->gen : 0;
    ev->id = id_next(p);
}

/* The one copy of an event: out of the scratch into a block of its size. extra: references besides the queues'. */
static struct block *block_make(struct publisher *p, const struct route *r, const struct ec_build *b, uint32_t extra)
{
    struct block *k = arena_alloc(p->arena, b->used, r->reserved);

    if (!k)
        return NULL;
    k->topic = b->topic;
    k->publisher = p->slot;
    atomic_store_explicit(&k->refs, r->n_queued + extra, memory_order_relaxed);
    memcpy(block_event(k), b->base, b->used);
    return k;
}

void publisher_flush(struct publisher *p)
{
    for (uint32_t i = 0; p->unwoken_lanes; i++, p->unwoken_lanes >>= 1) {
        if (!(p->unwoken_lanes & 1))
            continue;
        ring_settle(&p->ring[i]);
        lane_wake(&bus.lane[i]);
    }
    p->unwoken = 0;
}

/* A worker wakes the lanes at the end of its batch, or after some events: a lane that is faster than its publishers would
 * fall asleep after each. */
static int32_t hand_over(struct publisher *p, const struct route *r, struct block *k)
{
    uint32_t lost = 0, topic = k->topic, bytes = k->bytes;

    for (uint32_t i = 0; i < bus.n_lane; i++) {
        if (!r->by_lane[i])
            continue;
        if (ring_push(&p->ring[i], (uint64_t)(uintptr_t)k, bytes, MARKERS_KEPT)) {
            p->unwoken_lanes |= 1u << i;
            continue;
        }
        lost += r->by_lane[i];
        count_add(&p->ring_lost[(size_t)i * (bus.n_topic + 1) + topic], 1);
        publisher_metric(p, BUS_M_DROPPED + BUS_DROP_RING);
    }
    if (++p->unwoken >= WAKE_EVERY || p->slot == bus_mailbox())
        publisher_flush(p);
    if (!lost)
        return EC_OK;
    block_release(k, lost);
    return EC_EAGAIN;
}

static void lost_to_arena(struct publisher *p, const struct route *r, uint32_t topic, bool later)
{
    count_add(&p->arena_lost[topic], 1);
    publisher_metric(p, BUS_M_DROPPED + BUS_DROP_ARENA);
    for (uint32_t i = 0; later && i < r->n_inline; i++)
        count_add(&r->inlined[i]->by[p->slot].dropped[BUS_DROP_ARENA], 1);
}

static void deferred_run(struct publisher *p, struct desk *d, const struct plan *plan)
{
    struct block *k;

    while ((k = d->deferred)) {
        const struct route *r = &bus.route[k->topic];

        if (!(d->deferred = k->next))
            d->deferred_end = &d->deferred;
        for (uint32_t i = 0; i < r->n_inline; i++)
            subscription_inline(r->inlined[i], plan, block_event(k), p->slot);
        block_release(k, 1);
    }
}

/* Inline subscribers read the event where it was built. What they publish waits until they have returned. */
static void inline_run(struct publisher *p, struct desk *d, const struct route *r, const struct ec_event *ev,
                       const struct plan *plan)
{
    d->inlining = true;
    for (uint32_t i = 0; i < r->n_inline; i++)
        subscription_inline(r->inlined[i], plan, ev, p->slot);
    deferred_run(p, d, plan);
    d->inlining = false;
}

int32_t publisher_publish(struct publisher *p, struct ec_build *b, const struct plan *plan)
{
    const struct route *r = &bus.route[b->topic];
    struct desk *d = desk_get();
    bool later = r->n_inline && d->inlining;
    struct block *k = NULL;
    int32_t err = EC_OK;

    enrich_event(p, r, plan, b);
    seal(p, b, plan);
    count_add(&p->published[b->topic], 1);
    publisher_metric(p, BUS_M_PUBLISHED);
    if (r->n_queued || later) {
        k = block_make(p, r, b, later);
        if (!k) {
            lost_to_arena(p, r, b->topic, later);
            err = EC_EAGAIN;
        }
    }
    if (k && later) {
        k->next = NULL;
        *d->deferred_end = k;
        d->deferred_end = &k->next;
    }
    if (k)
        err = hand_over(p, r, k);
    if (r->n_inline && !later)
        inline_run(p, d, r, ec_head(b), plan);
    return err;
}
