#include "plugins/packets/ring.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 64                    /* of the writer: a reader that copies is done by then, one that sleeps is not */

bool ring_open(struct ring *r, uint64_t bytes, uint32_t slots)
{
    memset(r, 0, sizeof *r);
    atomic_flag_clear(&r->busy);
    if (bytes < 2 * RING_PACKET_MAX)
        bytes = 2 * RING_PACKET_MAX;
    r->size = (uint32_t)(bytes > UINT32_C(1) << 30 ? UINT32_C(1) << 30 : bytes) & ~7u;
    r->slots = slots;
    r->tail = r->head = 1;
    r->bytes = malloc(r->size);
    r->at = calloc(slots, sizeof *r->at);
    if (r->bytes && r->at)
        return true;
    ring_close(r);
    return false;
}

void ring_close(struct ring *r)
{
    free(r->bytes);
    free(r->at);
    r->bytes = NULL;
    r->at = NULL;
    r->tail = r->head = 1;
}

static void take(struct ring *r)
{
    while (atomic_flag_test_and_set_explicit(&r->busy, memory_order_acquire))
        sched_yield();
}

static bool try_take(struct ring *r)
{
    for (int i = 0; i < TRIES; i++)
        if (!atomic_flag_test_and_set_explicit(&r->busy, memory_order_acquire))
            return true;
    return false;
}

static void give(struct ring *r)
{
    atomic_flag_clear_explicit(&r->busy, memory_order_release);
}

/* A counter that one thread writes and others read. */
static void count(atomic_uint_least64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Room for n bytes in one piece; the packets that stood there are gone. Its position. */
static uint64_t make_room(struct ring *r, uint32_t n)
{
    uint64_t at = r->end, oldest;

    if (at % r->size + n > r->size)
        at += r->size - at % r->size;
    r->end = at + n;
    oldest = r->end > r->size ? r->end - r->size : 0;
    while (r->tail < r->head && (r->at[r->tail & (r->slots - 1)] < oldest || r->head - r->tail >= r->slots))
        r->tail++;
    return at;
}

void ring_put(struct ring *r, const struct ring_packet *p, const uint8_t *data)
{
    uint32_t n = p->caplen < RING_PACKET_MAX ? p->caplen : RING_PACKET_MAX;
    struct ring_packet *to;
    uint64_t at;

    if (!r->bytes)
        return;
    if (!try_take(r)) {
        count(&r->missed, 1);
        return;
    }
    at = make_room(r, (uint32_t)((sizeof *to + n + 7) & ~(size_t)7));
    to = (struct ring_packet *)(void *)(r->bytes + at % r->size);
    *to = *p;
    to->caplen = n;
    to->seq = r->head;
    memcpy(to + 1, data, n);
    r->at[r->head++ & (r->slots - 1)] = at;
    give(r);
    count(&r->put, 1);
    count(&r->put_bytes, n);
}

bool ring_get(struct ring *r, uint64_t seq, struct ring_packet *to, uint8_t *data, uint32_t room)
{
    const struct ring_packet *from;
    bool there;

    take(r);
    there = r->bytes && seq >= r->tail && seq < r->head;
    if (there) {
        from = (const struct ring_packet *)(const void *)(r->bytes + r->at[seq & (r->slots - 1)] % r->size);
        *to = *from;
        if (room)
            memcpy(data, from + 1, to->caplen < room ? to->caplen : room);
    }
    give(r);
    return there;
}

void ring_range(struct ring *r, uint64_t *tail, uint64_t *head)
{
    take(r);
    *tail = r->tail;
    *head = r->head;
    give(r);
}

uint64_t ring_held(struct ring *r)
{
    uint64_t held;

    take(r);
    held = r->bytes && r->tail < r->head ? r->end - r->at[r->tail & (r->slots - 1)] : 0;
    give(r);
    return held;
}
