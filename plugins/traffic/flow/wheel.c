/* The time wheel: a flow stands in the bucket of the tick in which it can be due at the earliest,
 * and stays there while packets come. Only when that tick comes is it looked at, and moved on if it
 * was busy: so a packet does not touch the lists, and the order within a bucket is the order of
 * entry. */
#include "plugins/traffic/flow/flow.h"

#define CLOCK_BACK_NS (UINT64_C(10) << 30) /* a clock that is further back than that was set back  \
                                            */

void wheel_add(struct flow_table *t, struct flow *f, uint64_t due_ns)
{
    uint64_t tick = (due_ns >> WHEEL_TICK) + 1;
    uint32_t b, last;

    if (tick < t->tick)
        tick = t->tick;
    if (tick > t->tick + WHEEL_BUCKETS - 1)
        tick = t->tick + WHEEL_BUCKETS - 1;
    b = (uint32_t)(tick % WHEEL_BUCKETS);
    last = t->tail[b];
    f->bucket = (uint16_t)b;
    f->flags |= FL_WHEEL;
    f->wheel_next = 0;
    f->wheel_prev = last;
    if (last)
        flow_at(t, last - 1)->wheel_next = f->self + 1;
    else
        t->head[b] = f->self + 1;
    t->tail[b] = f->self + 1;
    t->busy[b / 64] |= UINT64_C(1) << b % 64;
}

void wheel_remove(struct flow_table *t, struct flow *f)
{
    uint32_t b = f->bucket;

    if (f->wheel_next)
        flow_at(t, f->wheel_next - 1)->wheel_prev = f->wheel_prev;
    else
        t->tail[b] = f->wheel_prev;
    if (f->wheel_prev)
        flow_at(t, f->wheel_prev - 1)->wheel_next = f->wheel_next;
    else
        t->head[b] = f->wheel_next;
    if (!t->head[b])
        t->busy[b / 64] &= ~(UINT64_C(1) << b % 64);
    f->flags &= (uint8_t)~FL_WHEEL;
}

void wheel_clock(struct flow_table *t, uint64_t now_ns)
{
    uint64_t tick = now_ns >> WHEEL_TICK;

    if (now_ns < t->clock_ns && t->clock_ns - now_ns < CLOCK_BACK_NS)
        return;
    if (now_ns < t->clock_ns || !t->clock_ns)
        t->tick = tick;                             /* set back, or the first packet */
    else if (tick > t->tick + WHEEL_BUCKETS)
        t->tick = tick - WHEEL_BUCKETS;             /* a long silence: each bucket once */
    t->clock_ns = now_ns;
}

/* The first busy bucket from `from` on, at most n further; n: none. */
static uint32_t wheel_distance(const struct flow_table *t, uint32_t from, uint32_t n)
{
    uint32_t d = 0;

    while (d < n) {
        uint32_t b = (from + d) % WHEEL_BUCKETS;
        uint64_t word = t->busy[b / 64] >> b % 64;
        if (word) {
            d += (uint32_t)__builtin_ctzll(word);
            return d < n ? d : n;
        }
        d += 64 - b % 64;
    }
    return n;
}

struct flow *wheel_next(struct flow_table *t)
{
    uint64_t now = t->clock_ns >> WHEEL_TICK;
    uint32_t n, d;

    if (t->tick > now)
        return NULL;
    n = (uint32_t)(now - t->tick + 1);
    if (n > WHEEL_BUCKETS)
        n = WHEEL_BUCKETS;
    d = wheel_distance(t, (uint32_t)(t->tick % WHEEL_BUCKETS), n);
    t->tick += d;
    return d < n ? flow_at(t, t->head[t->tick % WHEEL_BUCKETS] - 1) : NULL;
}

struct flow *wheel_first(struct flow_table *t)
{
    uint32_t from = (uint32_t)(t->tick % WHEEL_BUCKETS), d = wheel_distance(t, from, WHEEL_BUCKETS);

    return d < WHEEL_BUCKETS ? flow_at(t, t->head[(from + d) % WHEEL_BUCKETS] - 1) : NULL;
}
