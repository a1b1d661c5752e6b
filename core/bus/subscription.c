#include "core/bus/subscription.h"

#include "core/bus/bus_state.h"
#include "core/epoch.h"
#include "core/bus/fence.h"
#include "core/instance.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define MARKER_ROOM 1024u           /* slots beyond the events' capacity */
#define SAMPLE_ONE_OF 16u

struct subscription *subscription_new(struct instance *i, const struct ec_sub *s, uint32_t index, uint32_t lane,
                                      uint32_t publishers)
{
    struct subscription *n = calloc(1, sizeof *n);
    uint32_t slots = 64;

    if (!n)
        return NULL;
    n->instance = i;
    n->s = *s;
    n->s.topic = n->name = strdup(s->topic);
    n->index = index;
    n->lane = lane;
    n->every = s->topic[0] == '*' && !s->topic[1];
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->more, NULL);
    n->by = calloc(publishers, sizeof *n->by);
    if (s->mode != EC_SUB_INLINE) {
        while (slots < s->capacity + MARKER_ROOM)
            slots *= 2;
        n->mask = slots - 1;
        n->slot = calloc(slots, sizeof *n->slot);
    }
    if (!n->name || !n->by || (s->mode != EC_SUB_INLINE && !n->slot)) {
        subscription_free(n);
        return NULL;
    }
    return n;
}

void subscription_free(struct subscription *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->more);
    free(s->slot);
    free(s->by);
    free(s->name);
    free(s);
}

static struct block *ref_block(uint64_t ref)
{
    return (struct block *)(uintptr_t)ref;
}

static void lose(struct subscription *s, struct block *b, uint32_t reason)
{
    count_add(&s->by[b->publisher].dropped[reason], 1);
    metric_delta(bus.metric[BUS_M_DROPPED + reason], 1);
    block_release(b, 1);
}

static void queue_shrink(struct subscription *s, const struct block *b)
{
    atomic_store_explicit(&s->count, atomic_load_explicit(&s->count, memory_order_relaxed) - 1, memory_order_relaxed);
    atomic_store_explicit(&s->bytes, atomic_load_explicit(&s->bytes, memory_order_relaxed) - b->bytes,
                          memory_order_relaxed);
}

/* Drop the oldest event. Markers that stand before it stay where they are in the order; since every event older than
 * they are is gone, their account of what was dropped is complete now. */
static void drop_oldest(struct subscription *s)
{
    uint32_t at = s->head;
    struct block *b;

    while (fence_is_marker(s->slot[at & s->mask]))
        fence_note_drops(s, s->slot[at++ & s->mask]);
    b = ref_block(s->slot[at & s->mask]);
    for (; at != s->head; at--)
        s->slot[at & s->mask] = s->slot[(at - 1) & s->mask];
    s->head++;
    queue_shrink(s, b);
    lose(s, b, BUS_DROP_QUEUE);
}

/* The metric of what waits, once for each change of many; on one thread nothing waits after a drain. */
static void show_queued(const struct subscription *s, uint32_t before)
{
    uint32_t now = atomic_load_explicit(&s->count, memory_order_relaxed);

    if (bus.c.workers && now != before)
        metric_delta(bus.metric[BUS_M_QUEUED], (int64_t)now - before);
}

static bool queue_full(const struct subscription *s, uint32_t more)
{
    uint32_t count = atomic_load_explicit(&s->count, memory_order_relaxed);

    return count >= s->s.capacity
           || (count && atomic_load_explicit(&s->bytes, memory_order_relaxed) + more > s->s.bytes);
}

/* EC_OVF_SAMPLE: over half full, one of 16 is kept. */
static bool sampled_away(struct subscription *s)
{
    return (atomic_load_explicit(&s->count, memory_order_relaxed) > s->s.capacity / 2
            || atomic_load_explicit(&s->bytes, memory_order_relaxed) > s->s.bytes / 2)
           && s->tick++ % SAMPLE_ONE_OF != 0;
}

static void queue_event(struct subscription *s, struct block *b)
{
    if (s->abandoned) {
        lose(s, b, BUS_DROP_SHUTDOWN);
        return;
    }
    if (s->s.overflow == EC_OVF_SAMPLE && sampled_away(s)) {
        lose(s, b, BUS_DROP_SAMPLE);
        return;
    }
    while (queue_full(s, b->bytes)) {
        if (s->s.overflow != EC_OVF_DROP_OLD) {
            lose(s, b, BUS_DROP_QUEUE);
            return;
        }
        drop_oldest(s);
    }
    s->slot[s->tail++ & s->mask] = (uint64_t)(uintptr_t)b;
    atomic_store_explicit(&s->count, atomic_load_explicit(&s->count, memory_order_relaxed) + 1, memory_order_relaxed);
    atomic_store_explicit(&s->bytes, atomic_load_explicit(&s->bytes, memory_order_relaxed) + b->bytes,
                          memory_order_relaxed);
}

/* Where losses happen on the way in, the account of them is complete when the marker comes in. */
static void queue_marker(struct subscription *s, uint64_t marker)
{
    if (s->tail - s->head > s->mask)
        return;                     /* hundreds of fences that nobody answered: this one runs into its time-out too */
    if (s->s.overflow != EC_OVF_DROP_OLD)
        fence_note_drops(s, marker);
    s->slot[s->tail++ & s->mask] = marker;
}

void subscription_put(struct subscription *s, const uint64_t *ref, const uint32_t *topic, uint32_t n)
{
    uint32_t first = 0, before;

    while (first < n && topic[first] && !subscription_wants(s, topic[first]))
        first++;
    if (first == n)
        return;
    pthread_mutex_lock(&s->lock);
    before = atomic_load_explicit(&s->count, memory_order_relaxed);
    for (uint32_t i = first; i < n; i++) {
        if (!topic[i])
            queue_marker(s, ref[i]);
        else if (subscription_wants(s, topic[i]))
            queue_event(s, ref_block(ref[i]));
    }
    show_queued(s, before);
    if (s->waiting && s->head != s->tail) {
        s->waiting = false;
        pthread_cond_signal(&s->more);
    }
    pthread_mutex_unlock(&s->lock);
}

/* Take up to max references into the hand. */
static uint32_t queue_take(struct subscription *s, uint32_t max)
{
    uint32_t n = 0, before;

    pthread_mutex_lock(&s->lock);
    before = atomic_load_explicit(&s->count, memory_order_relaxed);
    while (n < max && s->head != s->tail) {
        uint64_t ref = s->slot[s->head++ & s->mask];

        if (fence_is_marker(ref)) {
            if (s->s.overflow == EC_OVF_DROP_OLD)
                fence_note_drops(s, ref);
        } else
            queue_shrink(s, ref_block(ref));
        s->hand[n++] = ref;
    }
    show_queued(s, before);
    s->hand_n = n;
    atomic_store(&s->hand_left, (int32_t)n);
    atomic_store(&s->busy, n != 0);
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void note_out(struct subscription *s, const struct ec_event *ev, uint32_t slot)
{
    struct sub_counts *c = &s->by[slot];

    if (s->every)
        count_add(&c->gaps, ev->seq - c->last_seq - 1);
    c->last_seq = ev->seq;
    count_add(&c->out, 1);
}

uint32_t subscription_deliver(struct subscription *s, const struct plan *plan, uint32_t max)
{
    const void *state = plan_state(plan, s->instance->index);
    uint32_t n = queue_take(s, max), events = 0;
    struct ec_mark old;
    int32_t left;

    if (!n)
        return 0;
    old = mark_enter(s->instance->d.name, "event");
    while ((left = atomic_fetch_sub(&s->hand_left, 1)) > 0) {
        uint64_t ref = s->hand[s->hand_n - (uint32_t)left];
        struct block *b;

        if (fence_is_marker(ref)) {
            fence_note_out(s, ref);
        } else {
            b = ref_block(ref);
            note_out(s, block_event(b), b->publisher);
            s->s.fn(s->instance->self, state, block_event(b));
            block_release(b, 1);
            events++;
            atomic_store_explicit(&s->moved, atomic_load_explicit(&s->moved, memory_order_relaxed) + 1,
                                  memory_order_relaxed);
        }
        if (left == 1)
            break;
    }
    mark_leave(old);
    atomic_store(&s->busy, false);
    s->unflushed |= events != 0;
    metric_delta(bus.metric[BUS_M_DELIVERED], events);
    return n;
}

void subscription_idle(struct subscription *s, const struct plan *plan)
{
    struct ec_mark old;

    if (!s->unflushed)
        return;
    s->unflushed = false;
    if (!s->s.idle)
        return;
    old = mark_enter(s->instance->d.name, "idle");
    s->s.idle(s->instance->self, plan_state(plan, s->instance->index));
    mark_leave(old);
}

void subscription_inline(struct subscription *s, const struct plan *plan, const struct ec_event *ev, uint32_t slot)
{
    struct ec_mark old = mark_enter(s->instance->d.name, "event");

    note_out(s, ev, slot);
    s->s.fn(s->instance->self, plan_state(plan, s->instance->index), ev);
    mark_leave(old);
}

void subscription_abandon(struct subscription *s)
{
    uint32_t before;
    int32_t left;

    pthread_mutex_lock(&s->lock);
    before = atomic_load_explicit(&s->count, memory_order_relaxed);
    s->abandoned = true;
    left = atomic_exchange(&s->hand_left, 0);
    for (uint32_t i = s->hand_n - (left > 0 ? (uint32_t)left : 0); i < s->hand_n; i++)
        if (!fence_is_marker(s->hand[i]))
            lose(s, ref_block(s->hand[i]), BUS_DROP_SHUTDOWN);
    for (; s->head != s->tail; s->head++) {
        uint64_t ref = s->slot[s->head & s->mask];

        if (fence_is_marker(ref))
            continue;
        queue_shrink(s, ref_block(ref));
        lose(s, ref_block(ref), BUS_DROP_SHUTDOWN);
    }
    show_queued(s, before);
    pthread_mutex_unlock(&s->lock);
}

bool subscription_empty(struct subscription *s)
{
    bool empty;

    pthread_mutex_lock(&s->lock);
    empty = s->head == s->tail && !atomic_load(&s->busy);
    pthread_mutex_unlock(&s->lock);
    return empty;
}

static void own_thread(void *arg)
{
    struct subscription *s = arg;

    for (;;) {
        bool stop;

        epoch_enter();
        while (subscription_deliver(s, plan_current(), SUBSCRIPTION_HAND))
            epoch_quiesce();
        subscription_idle(s, plan_current());
        epoch_leave();
        pthread_mutex_lock(&s->lock);
        while (s->head == s->tail && !s->stop) {
            s->waiting = true;
            pthread_cond_wait(&s->more, &s->lock);
        }
        s->waiting = false;
        stop = s->stop && s->head == s->tail;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return;
    }
}

int subscription_start(struct subscription *s)
{
    char name[16];
    int err;

    snprintf(name, sizeof name, "S:%.13s", s->instance->d.name);
    err = thread_start(&s->thread, name, own_thread, s);
    s->started = !err;
    return err;
}

void subscription_ask_stop(struct subscription *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
}

bool subscription_join(struct subscription *s, uint64_t deadline_ns)
{
    if (!s->started)
        return true;
    s->started = false;
    return thread_join(s->thread, deadline_ns);
}
