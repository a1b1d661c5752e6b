/* order.c: state across flows sees a replay's packets in the order of the capture. */
#include "plugins/traffic/hosts/order.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define SPINS 1000                  /* before it sleeps */
#define SLEEP_NS 20000
#define LIMIT_NS INT64_C(5000000000)

struct place {
    _Alignas(64) _Atomic uint64_t count;
}; /* a line of its own for each worker */
struct order {
    uint32_t workers;
    _Atomic uint64_t waits, given_up;
    struct place place[];
};

static __thread struct { uint32_t worker; uint64_t count; } here;

struct order *order_new(uint32_t workers)
{
    struct order *o = aligned_alloc(64, sizeof *o + workers * sizeof o->place[0]);

    if (!o)
        return NULL;
    o->workers = workers;
    atomic_init(&o->waits, 0);
    atomic_init(&o->given_up, 0);
    for (uint32_t i = 0; i < workers; i++)
        atomic_init(&o->place[i].count, 0);
    return o;
}

void order_free(struct order *o) { free(o); }

void order_at(struct order *o, uint32_t worker, uint64_t count)
{
    here.worker = worker;
    here.count = count;
    atomic_store_explicit(&o->place[worker].count, count, memory_order_release);
}

void order_done(struct order *o, uint32_t worker)
{
    here.count = 0;
    atomic_store_explicit(&o->place[worker].count, UINT64_MAX, memory_order_release);
}

static bool is_first(const struct order *o)
{
    for (uint32_t i = 0; i < o->workers; i++)
        if (i != here.worker &&
            atomic_load_explicit(&o->place[i].count, memory_order_acquire) < here.count)
            return false;
    return true;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void order_wait(struct order *o)
{
    struct timespec nap = { 0, SLEEP_NS };
    int64_t limit;

    if (!here.count || is_first(o))
        return;
    atomic_fetch_add_explicit(&o->waits, 1, memory_order_relaxed);
    limit = now_ns() + LIMIT_NS;
    for (uint32_t i = 0; !is_first(o); i++) {
        if (i < SPINS)
            sched_yield();
        else
            nanosleep(&nap, NULL);
        if (i >= SPINS && now_ns() > limit) {
            atomic_fetch_add_explicit(&o->given_up, 1, memory_order_relaxed);
            return;
        }
    }
}

uint64_t order_waits(const struct order *o)
{
    return atomic_load_explicit(&((struct order *)(uintptr_t)o)->waits, memory_order_relaxed);
}

uint64_t order_given_up(const struct order *o)
{
    return atomic_load_explicit(&((struct order *)(uintptr_t)o)->given_up, memory_order_relaxed);
}
