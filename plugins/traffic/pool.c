#include "plugins/traffic/pool.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_BYTES (256u << 10)
#define SLAB_HEAD 64u
#define CLASS_MIN 64u

#if defined(__SANITIZE_ADDRESS__)
# define POOL_PLAIN 1
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define POOL_PLAIN 1
# endif
#endif
#ifndef POOL_PLAIN
# define POOL_PLAIN 0
#endif

/* Class c holds blocks of 64, 96, 128, 192, 256 … bytes. */
static uint64_t class_bytes(uint32_t c)
{
    return (uint64_t)(c & 1 ? CLASS_MIN * 3 / 2 : CLASS_MIN) << (c >> 1);
}

/* POOL_CLASSES: too long for any. */
static uint32_t class_of(uint64_t n)
{
    uint32_t c;
    int bits;

    if (n <= CLASS_MIN)
        return 0;
    bits = 63 - __builtin_clzll(n - 1);             /* 2^bits < n <= 2^(bits + 1) */
    c = (uint32_t)(bits - 6) * 2 + 1;
    return n <= class_bytes(c) ? c : c + 1;
}

void pool_init(struct pool *p, uint64_t cap)
{
    memset(p, 0, sizeof *p);
    p->cap = cap;
}

bool pool_charge(struct pool *p, uint64_t n)
{
    if (n > p->cap || p->used > p->cap - n)
        return false;
    p->used += n;
    return true;
}

void pool_refund(struct pool *p, uint64_t n)
{
    p->used -= n;
}

static void *slab_cut(struct pool *p, uint64_t n)
{
    void *m;

    if (p->bump_left < n) {
        uint8_t *slab = aligned_alloc(64, SLAB_BYTES);
        if (!slab)
            return NULL;
        *(void **)(void *)slab = p->slabs;
        p->slabs = slab;
        p->bump = slab + SLAB_HEAD;
        p->bump_left = SLAB_BYTES - SLAB_HEAD;
    }
    m = p->bump;
    p->bump += n;
    p->bump_left -= n;
    return m;
}

void *pool_get(struct pool *p, uint64_t n)
{
    uint32_t c = class_of(n);
    uint64_t bytes = c < POOL_CLASSES ? class_bytes(c) : n;
    void *m;

    if (!pool_charge(p, bytes))
        return NULL;
    if (POOL_PLAIN || c >= POOL_CLASSES) {
        m = malloc(POOL_PLAIN ? n : bytes);
    } else if ((m = p->free[c])) {
        p->free[c] = *(void **)m;
    } else {
        m = slab_cut(p, bytes);
    }
    if (!m)
        pool_refund(p, bytes);
    return m;
}

void *pool_zero(struct pool *p, uint64_t n)
{
    void *m = pool_get(p, n);

    if (m)
        memset(m, 0, n);
    return m;
}

void pool_put(struct pool *p, void *m, uint64_t n)
{
    uint32_t c = class_of(n);

    if (!m)
        return;
    pool_refund(p, c < POOL_CLASSES ? class_bytes(c) : n);
    if (POOL_PLAIN || c >= POOL_CLASSES) {
        free(m);
        return;
    }
    *(void **)m = p->free[c];
    p->free[c] = m;
}

void pool_free(struct pool *p)
{
    void *slab = p->slabs;

    while (slab) {
        void *next = *(void **)slab;
        free(slab);
        slab = next;
    }
    memset(p, 0, sizeof *p);
}
