#include "core/bus/fence.h"

#include "core/clock.h"
#include "core/instance.h"
#include "core/bus/lane.h"
#include "core/bus/publisher.h"
#include "core/bus/route.h"
#include "core/bus/subscription.h"

#include <stdlib.h>
#include <time.h>

/* What is noted of one (publisher, subscription) pair. */
struct pair {
    uint64_t in, out, gaps, dropped[BUS_REASONS];
    bool drops_noted;
};

/* What is noted of a publisher. */
struct origin { uint64_t published, arena, seq; };

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;     /* one fence at a time */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    /* of all below */
static uint64_t current;            /* number of the fence that is under way or was the last */
static uint32_t remaining;          /* publishers and pairs that have not passed it */
static struct pair *pairs;          /* by subscription, then by publisher */
static struct origin *origins;
static _Atomic uint64_t wanted;

static struct pair *pair_of(const struct subscription *s, uint32_t slot)
{
    return &pairs[s->index * bus.n_pub + slot];
}

static uint64_t marker_of(uint64_t number, uint32_t slot)
{
    return number << 20 | (uint64_t)slot << 1 | 1;
}

static uint32_t marker_slot(uint64_t marker)
{
    return (uint32_t)(marker >> 1) & 0x7ffff;
}

int fence_init(void)
{
    pairs = calloc((size_t)bus.n_sub * bus.n_pub + 1u, sizeof *pairs);
    origins = calloc(bus.n_pub, sizeof *origins);
    return pairs && origins ? EC_OK : EC_ENOMEM;
}

void fence_fini(void)
{
    pthread_mutex_lock(&lock);
    free(pairs);
    free(origins);
    pairs = NULL;
    origins = NULL;
    pthread_mutex_unlock(&lock);
}

bool fence_wanted(const struct publisher *p)
{
    return atomic_load_explicit(&wanted, memory_order_acquire)
           != atomic_load_explicit(&p->fenced, memory_order_relaxed);
}

/* What the publisher's own counters say of one subscription: what it sent, and what was lost before the queue. */
static void sum_topics(const struct publisher *p, const struct subscription *s, struct pair *n)
{
    const _Atomic uint64_t *ring = &p->ring_lost[(size_t)s->lane * (bus.n_topic + 1)];
    bool queued = s->s.mode != EC_SUB_INLINE;

    for (uint32_t t = 1; t <= bus.n_topic; t++) {
        if (!subscription_wants(s, t))
            continue;
        if (queued) {
            n->dropped[BUS_DROP_ARENA] += count_get(&p->arena_lost[t]);
            n->dropped[BUS_DROP_RING] += count_get(&ring[t]);
        }
        n->in += count_get(&p->published[t]);
    }
}

static void sum_queue(const struct subscription *s, uint32_t slot, struct pair *n)
{
    for (uint32_t r = 0; r < BUS_REASONS; r++)
        n->dropped[r] += count_get(&s->by[slot].dropped[r]);
}

static void sum_origin(const struct publisher *p, struct origin *o)
{
    o->published = o->arena = 0;
    for (uint32_t t = 1; t <= bus.n_topic; t++) {
        o->arena += count_get(&p->arena_lost[t]);
        o->published += count_get(&p->published[t]);
    }
    o->seq = p->seq;
}

void fence_pass(struct publisher *p)
{
    pthread_mutex_lock(&lock);
    atomic_store(&p->fenced, current);
    sum_origin(p, &origins[p->slot]);
    remaining--;
    for (uint32_t i = 0; i < bus.n_sub; i++) {
        struct subscription *s = bus.sub[i];
        struct pair *n = pair_of(s, p->slot);

        sum_topics(p, s, n);
        if (s->s.mode != EC_SUB_INLINE)
            continue;
        sum_queue(s, p->slot, n);
        n->out = count_get(&s->by[p->slot].out);
        n->gaps = count_get(&s->by[p->slot].gaps);
    }
    for (uint32_t i = 0; i < bus.n_lane; i++)
        if (ring_push(&p->ring[i], marker_of(current, p->slot), 0, 0))
            p->unwoken_lanes |= 1u << i;
    publisher_flush(p);
    pthread_mutex_unlock(&lock);
}

void fence_note_drops(struct subscription *s, uint64_t marker)
{
    pthread_mutex_lock(&lock);
    if (marker >> 20 == current && pairs) {
        struct pair *n = pair_of(s, marker_slot(marker));

        if (!n->drops_noted)
            sum_queue(s, marker_slot(marker), n);
        n->drops_noted = true;
    }
    pthread_mutex_unlock(&lock);
}

void fence_note_out(struct subscription *s, uint64_t marker)
{
    uint32_t slot = marker_slot(marker);

    pthread_mutex_lock(&lock);
    if (marker >> 20 == current && pairs) {
        struct pair *n = pair_of(s, slot);
        struct sub_counts *c = &s->by[slot];

        if (s->every) {             /* what was lost between the last delivery and the marker shows no gap yet */
            count_add(&c->gaps, origins[slot].seq - c->last_seq);
            c->last_seq = origins[slot].seq;
        }
        n->out = count_get(&c->out);
        n->gaps = count_get(&c->gaps);
        remaining--;
    }
    pthread_mutex_unlock(&lock);
}

bool bus_fence_begin(void)
{
    uint32_t queued = 0;

    if (!pairs)
        return false;
    pthread_mutex_lock(&one);
    for (uint32_t i = 0; i < bus.n_sub; i++)
        queued += bus.sub[i]->s.mode != EC_SUB_INLINE;
    pthread_mutex_lock(&lock);
    memset(pairs, 0, sizeof *pairs * bus.n_sub * bus.n_pub);
    remaining = bus.n_pub * (1 + queued);
    current++;
    atomic_store(&wanted, current);
    pthread_mutex_unlock(&lock);
    for (uint32_t i = 0; i < bus_mailbox(); i++)
        bus_wake_worker(i);
    return true;
}

/* Pass for those that have no thread of their own: the mailbox, and workers that have not begun or have ended. */
static void fence_help(void)
{
    for (uint32_t i = 0; i < bus.n_pub; i++) {
        struct publisher *p = &bus.pub[i];
        int was = PUB_DETACHED;

        if (!fence_wanted(p))
            continue;
        if (i == bus_mailbox()) {
            pthread_mutex_lock(&p->lock);
            fence_pass(p);
            pthread_mutex_unlock(&p->lock);
        } else if (atomic_compare_exchange_strong(&p->owner, &was, PUB_BORROWED)) {
            fence_pass(p);
            atomic_store(&p->owner, PUB_DETACHED);
        } else if (!bus.c.workers) {
            fence_pass(p);          /* this is the only thread */
        }
    }
    if (!bus.c.workers)
        bus_drain_queues();
}

bool bus_fence_step(void)
{
    bool done;

    fence_help();
    pthread_mutex_lock(&lock);
    done = !remaining;
    pthread_mutex_unlock(&lock);
    return done;
}

static void row_emit(const struct publisher *p, const struct subscription *s, const struct pair *n, bool exact,
                     void (*fn)(const struct bus_row *r, void *arg), void *arg)
{
    struct bus_row row = { .publisher = p->number, .plugin = s->instance->d.name, .topic = s->s.topic,
                           .in = n->in, .out = n->out, .gaps = n->gaps };
    uint64_t gone = n->out;

    for (uint32_t r = 0; r < BUS_REASONS; r++)
        gone += row.dropped[r] = n->dropped[r];
    row.queued = !exact && n->in > gone ? n->in - gone : 0;
    fn(&row, arg);
}

static void origin_emit(const struct publisher *p, const struct origin *o,
                        void (*fn)(const struct bus_row *r, void *arg), void *arg)
{
    struct bus_row row = { .publisher = p->number, .in = o->published, .out = o->published - o->arena };

    row.dropped[BUS_DROP_ARENA] = o->arena;
    fn(&row, arg);
}

void bus_rows(void (*fn)(const struct bus_row *r, void *arg), void *arg)
{
    for (uint32_t i = 0; bus.route && i < bus.n_pub; i++) {
        const struct publisher *p = &bus.pub[i];
        struct origin o = { 0 };

        for (uint32_t t = 1; t <= bus.n_topic; t++) {
            o.arena += count_get(&p->arena_lost[t]);
            o.published += count_get(&p->published[t]);
        }
        origin_emit(p, &o, fn, arg);
        for (uint32_t k = 0; k < bus.n_sub; k++) {
            struct pair n = { .out = count_get(&bus.sub[k]->by[i].out), .gaps = count_get(&bus.sub[k]->by[i].gaps) };

            sum_queue(bus.sub[k], i, &n);       /* what left first, what came last: so that it is never more */
            sum_topics(p, bus.sub[k], &n);
            row_emit(p, bus.sub[k], &n, false, fn, arg);
        }
    }
}

void bus_fence_rows(bool exact, void (*fn)(const struct bus_row *r, void *arg), void *arg)
{
    if (!exact) {
        bus_rows(fn, arg);
        return;
    }
    for (uint32_t i = 0; i < bus.n_pub; i++) {
        origin_emit(&bus.pub[i], &origins[i], fn, arg);
        for (uint32_t k = 0; k < bus.n_sub; k++)
            row_emit(&bus.pub[i], bus.sub[k], pair_of(bus.sub[k], i), true, fn, arg);
    }
}

void bus_fence_end(void)
{
    pthread_mutex_unlock(&one);
}

bool bus_fence(uint64_t timeout_ns, void (*fn)(const struct bus_row *r, void *arg), void *arg)
{
    uint64_t deadline = clock_monotonic() + timeout_ns;
    struct timespec step = { 0, 50000 };
    bool done;

    if (!bus_fence_begin())
        return false;
    while (!(done = bus_fence_step()) && clock_monotonic() < deadline) {
        nanosleep(&step, NULL);
        if (step.tv_nsec < 1000000)
            step.tv_nsec *= 2;
    }
    bus_fence_rows(done, fn, arg);
    bus_fence_end();
    return done;
}
