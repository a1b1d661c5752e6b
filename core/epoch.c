#include "core/epoch.h"

#include "core/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#define THREADS_MAX 256

/* seen: 0 offline, else the epoch that the thread announced. One line each, so that announcing costs no neighbour. */
struct slot {
    _Alignas(64) _Atomic uint64_t seen;
    atomic_bool used;
    char name[32];
};

static struct slot slots[THREADS_MAX];
static _Atomic uint64_t now = 1;
static __thread struct slot *self;

int epoch_register(const char *thread_name)
{
    if (self)
        return 0;
    for (size_t i = 0; i < THREADS_MAX; i++) {
        bool was = false;

        if (!atomic_compare_exchange_strong(&slots[i].used, &was, true))
            continue;
        snprintf(slots[i].name, sizeof slots[i].name, "%s", thread_name);
        atomic_store(&slots[i].seen, 0);
        self = &slots[i];
        return 0;
    }
    return -1;
}

void epoch_unregister(void)
{
    if (!self)
        return;
    epoch_leave();
    atomic_store(&self->used, false);
    self = NULL;
}

/* The announcement has to be visible before anything that it protects is read: a sequentially consistent store, and
 * the writer of a plan advances the epoch by a sequentially consistent addition after its pointer store. */
void epoch_enter(void)
{
    if (self)
        atomic_store(&self->seen, atomic_load(&now));
}

void epoch_quiesce(void)
{
    epoch_enter();
}

void epoch_leave(void)
{
    if (self)
        atomic_store_explicit(&self->seen, 0, memory_order_release);
}

bool epoch_online(void)
{
    return self && atomic_load_explicit(&self->seen, memory_order_relaxed) != 0;
}

static void pause_some(uint32_t *step_ns)
{
    struct timespec t = { 0, (long)*step_ns };

    nanosleep(&t, NULL);
    if (*step_ns < 2000000)
        *step_ns *= 2;
}

bool epoch_wait(uint64_t timeout_ns, const char **holder)
{
    uint64_t target = atomic_fetch_add(&now, 1) + 1, deadline = clock_monotonic() + timeout_ns;
    uint32_t step = 20000;

    for (size_t i = 0; i < THREADS_MAX; i++) {
        for (;;) {
            uint64_t seen = atomic_load(&slots[i].seen);

            if (!seen || seen >= target)
                break;
            if (clock_monotonic() >= deadline) {
                if (holder)
                    *holder = slots[i].name;
                return false;
            }
            pause_some(&step);
        }
    }
    return true;
}
