#include "plugins/capture/demand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void demand_init(struct demand *d)
{
    pthread_condattr_t clock;

    memset(d, 0, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&d->answered, &clock);
    pthread_condattr_destroy(&clock);
}

void demand_fini(struct demand *d)
{
    pthread_cond_destroy(&d->answered);
    pthread_mutex_destroy(&d->lock);
}

static void wish(struct demand *d, const char *interface)
{
    snprintf(d->wanted, sizeof d->wanted, "%s", interface);
    d->done = d->failed = 0;
    atomic_store_explicit(&d->serial, d->serial + 1, memory_order_release);
}

/* Until every worker has answered; false: it is late. */
static bool wait_for_all(struct demand *d, const struct timespec *until)
{
    while (d->done + d->failed < d->holders)
        if (pthread_cond_timedwait(&d->answered, &d->lock, until) == ETIMEDOUT)
            return d->done + d->failed >= d->holders;
    return true;
}

static struct timespec from_now(uint32_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

/* Under the lock. Half an opening is none: whoever has it open lets go of it. */
static enum demand_result set(struct demand *d, const char *interface, uint64_t now_ns, uint32_t timeout_ms, char *why,
                              uint32_t n)
{
    struct timespec until = from_now(timeout_ms);
    bool all, failed;

    d->why[0] = '\0';
    wish(d, interface);
    all = wait_for_all(d, &until);
    failed = d->failed > 0 || !all;
    d->since_ns = *interface && !failed ? now_ns : 0;
    if (!failed)
        return d->holders ? DEMAND_DONE : DEMAND_NOBODY;
    snprintf(why, n, "%s", d->why);
    if (*interface) {
        until = from_now(timeout_ms);
        wish(d, "");
        all &= wait_for_all(d, &until);
    }
    return all ? DEMAND_FAILED : DEMAND_SLOW;
}

enum demand_result demand_set(struct demand *d, const char *interface, uint64_t now_ns, uint32_t timeout_ms, char *why,
                              uint32_t n)
{
    enum demand_result r;

    pthread_mutex_lock(&d->lock);
    if (d->busy) {
        r = DEMAND_BUSY;
    } else if (!d->holders) {
        r = DEMAND_NOBODY;
    } else {
        d->busy = true;
        r = set(d, interface, now_ns, timeout_ms, why, n);
        d->busy = false;
    }
    pthread_mutex_unlock(&d->lock);
    return r;
}

bool demand_now(struct demand *d, char *interface, uint64_t *since_ns)
{
    bool runs;

    pthread_mutex_lock(&d->lock);
    runs = d->since_ns && d->wanted[0];
    snprintf(interface, DEMAND_NAME, "%s", runs ? d->wanted : "");
    *since_ns = runs ? d->since_ns : 0;
    pthread_mutex_unlock(&d->lock);
    return runs;
}

void demand_enter(struct demand *d, const char *open, uint64_t now_ns, uint32_t *serial)
{
    pthread_mutex_lock(&d->lock);
    if (*open && !d->since_ns) {
        snprintf(d->wanted, sizeof d->wanted, "%s", open);
        d->since_ns = now_ns;
    }
    d->holders++;
    *serial = d->serial;
    pthread_mutex_unlock(&d->lock);
}

void demand_leave(struct demand *d, uint32_t serial)
{
    pthread_mutex_lock(&d->lock);
    d->holders--;
    if (serial == d->serial && d->done)
        d->done--;
    if (!d->holders)
        d->since_ns = 0;
    pthread_cond_broadcast(&d->answered);
    pthread_mutex_unlock(&d->lock);
}

uint32_t demand_take(struct demand *d, char *interface)
{
    uint32_t serial;

    pthread_mutex_lock(&d->lock);
    memcpy(interface, d->wanted, sizeof d->wanted);
    serial = d->serial;
    pthread_mutex_unlock(&d->lock);
    return serial;
}

void demand_answer(struct demand *d, uint32_t serial, const char *why)
{
    pthread_mutex_lock(&d->lock);
    if (serial == d->serial) {
        if (why && !d->why[0])
            snprintf(d->why, sizeof d->why, "%s", why);
        d->done += !why;
        d->failed += why != NULL;
        pthread_cond_broadcast(&d->answered);
    }
    pthread_mutex_unlock(&d->lock);
}
