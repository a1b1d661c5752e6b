#include "core/plan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct plan *_Atomic current;
/* Taking a reference has to be one step with reading the pointer; epochs cover everybody else. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct plan *plan_new(uint32_t gen, uint32_t n)
{
    struct plan *p = calloc(1, sizeof *p + n * sizeof p->state[0]);

    if (p) {
        p->gen = gen;
        p->n = n;
    }
    return p;
}

/* Sequentially consistent, like the announcement of an epoch before it: on no machine may it be read earlier. */
const struct plan *plan_current(void)
{
    return atomic_load_explicit(&current, memory_order_seq_cst);
}

struct plan *plan_swap(struct plan *next)
{
    struct plan *old;

    pthread_mutex_lock(&lock);
    old = atomic_exchange(&current, next);
    pthread_mutex_unlock(&lock);
    return old;
}

struct plan *plan_hold(const char *who)
{
    struct plan *p;

    pthread_mutex_lock(&lock);
    p = atomic_load_explicit(&current, memory_order_relaxed);
    if (p) {
        __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&p->holder, who, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&lock);
    return p;
}

void plan_release(struct plan *p)
{
    if (p)
        __atomic_sub_fetch(&p->refs, 1, __ATOMIC_RELEASE);
}

uint32_t plan_refs(const struct plan *p)
{
    return __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE);
}

void plan_free(struct plan *p)
{
    free(p);
}
