#include "core/bus/ring.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdlib.h>

int ring_init(struct ring *r, uint32_t slots)
{
    uint64_t n = 16;

    while (n < slots)
        n *= 2;
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    atomic_init(&r->bytes_in, 0);
    atomic_init(&r->bytes_out, 0);
    r->head_seen = 0;
    r->mask = n - 1;
    r->slot = calloc(n, sizeof *r->slot);
    return r->slot ? EC_OK : EC_ENOMEM;
}

void ring_fini(struct ring *r)
{
    free(r->slot);
    r->slot = NULL;
}

bool ring_push(struct ring *r, uint64_t v, uint32_t bytes, uint32_t keep_free)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t limit = r->mask + 1 - keep_free;

    if (tail - r->head_seen >= limit) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail - r->head_seen >= limit)
            return false;
    }
    r->slot[tail & r->mask] = v;
    atomic_store_explicit(&r->bytes_in, atomic_load_explicit(&r->bytes_in, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

void ring_settle(struct ring *r)
{
    atomic_store(&r->tail, atomic_load_explicit(&r->tail, memory_order_relaxed));
}

uint32_t ring_pop(struct ring *r, uint64_t *out, uint32_t max)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t n = atomic_load_explicit(&r->tail, memory_order_acquire) - head;

    if (n > max)
        n = max;
    for (uint64_t i = 0; i < n; i++)
        out[i] = r->slot[(head + i) & r->mask];
    if (n)
        atomic_store_explicit(&r->head, head + n, memory_order_release);
    return (uint32_t)n;
}

void ring_took(struct ring *r, uint64_t bytes)
{
    atomic_store_explicit(&r->bytes_out, atomic_load_explicit(&r->bytes_out, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
}

bool ring_empty(const struct ring *r)
{
    return atomic_load(&r->tail) == atomic_load_explicit(&r->head, memory_order_relaxed);
}

uint64_t ring_fill(const struct ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    return tail > head ? tail - head : 0;
}

uint64_t ring_bytes(const struct ring *r)
{
    uint64_t out = atomic_load_explicit(&r->bytes_out, memory_order_relaxed);
    uint64_t in = atomic_load_explicit(&r->bytes_in, memory_order_relaxed);

    return in > out ? in - out : 0;
}
