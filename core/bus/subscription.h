/* subscription.h: one subscriber: its own queue with its bounds, its overflow policy and its counters.
 * A lane puts references in, one consumer (the lane, a thread of its own, or bus_drain()) takes them out, up to 64 at
 * a time. INLINE subscriptions have counters only. */
#ifndef CORE_SUBSCRIPTION_H
#define CORE_SUBSCRIPTION_H
#include "core/bus/arena.h"
#include "core/bus/bus.h"

#include <pthread.h>

#define SUBSCRIPTION_HAND 64u

struct plan;

/* Of one publisher. Each has one writer at a time: the lane (lost to the queue, to sampling), the consumer (out, gaps),
 * the control thread after both have ended (lost to the shutdown). */
struct sub_counts {
    _Atomic uint64_t out, gaps, dropped[BUS_REASONS];
    uint64_t last_seq;
};

struct subscription {
    struct instance *instance;
    struct ec_sub s;                /* with the defaults filled in */
    char *name;                     /* s.topic */
    uint32_t index, lane;           /* in the order of registration; of the lane that feeds it */
    bool every;                     /* topic "*" */
    uint32_t topic;                 /* id otherwise, 0: nobody declares it */
    struct sub_counts *by;          /* by the publisher's slot */
    pthread_mutex_t lock;           /* of the queue; a lane holds it once for each 256 references, a consumer for 64 */
    pthread_cond_t more;
    uint64_t *slot;                 /* references to blocks, and markers, which take no room of the events */
    uint32_t mask, head, tail;
    _Atomic uint32_t count;         /* events queued */
    _Atomic uint64_t bytes;         /* that they pin */
    uint32_t tick;                  /* EC_OVF_SAMPLE */
    uint64_t hand[SUBSCRIPTION_HAND];   /* what the consumer took and has not delivered */
    uint32_t hand_n;
    _Atomic int32_t hand_left;      /* not yet claimed for delivery */
    atomic_bool busy;               /* the hand is being delivered */
    _Atomic uint64_t moved;         /* events delivered so far: tells a slow reader from one that stalls */
    bool unflushed;                 /* consumer: delivered since idle() was called */
    bool waiting, stop;             /* own thread, under the lock */
    bool abandoned;                 /* under the lock: what comes is lost to the shutdown */
    bool started;
    pthread_t thread;
};

/* index and lane: as above. NULL: out of memory. s and its topic are copied. */
struct subscription *subscription_new(struct instance *i, const struct ec_sub *s, uint32_t index, uint32_t lane,
                                      uint32_t publishers);
void subscription_free(struct subscription *s);
static inline bool subscription_wants(const struct subscription *s, uint32_t topic)
{
    return s->every || s->topic == topic;
}
/* [lane] Queue those of n references that it wants; each brought one reference with it. topic[i]: of reference i, 0: a
 * marker. */
void subscription_put(struct subscription *s, const uint64_t *ref, const uint32_t *topic, uint32_t n);
/* [consumer] Deliver at most `max` (≤ 64) references. How many were taken from the queue: 0: it is empty. */
uint32_t subscription_deliver(struct subscription *s, const struct plan *plan, uint32_t max);
void subscription_idle(struct subscription *s, const struct plan *plan);    /* [consumer] flush if anything came */
void subscription_inline(struct subscription *s, const struct plan *plan, const struct ec_event *ev, uint32_t slot);
/* [ctl] Give up: what is queued or in hand is lost to the shutdown, and what comes later too. */
void subscription_abandon(struct subscription *s);
bool subscription_empty(struct subscription *s);        /* [any] nothing queued, nothing in hand */
/* A thread of its own. start: 0 or EC_EAGAIN. */
int subscription_start(struct subscription *s);
void subscription_ask_stop(struct subscription *s);
bool subscription_join(struct subscription *s, uint64_t deadline_ns);      /* false: it did not end, detached */

static inline void count_add(_Atomic uint64_t *c, uint64_t n)     /* single writer */
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline uint64_t count_get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_acquire);
}

#endif
