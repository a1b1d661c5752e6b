#include "core/log/watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/log/crash.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/thread.h"

#define SECOND      UINT64_C(1000000000)
#define THREADS_MAX 256

struct watched {
    int tid;
    uint32_t round;                 /* when it was last seen */
    uint64_t beat_ns, still_ns;     /* its last beat, and for how long it has been that one */
    bool warned;
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool running, stopping;
    uint64_t warn_ns, abort_ns, period_ns;
    uint32_t round, n;
    struct watched w[THREADS_MAX];
} dog;

static struct watched *watched_get(int tid)
{
    struct watched *old = NULL;

    for (uint32_t i = 0; i < dog.n; i++) {
        if (dog.w[i].tid == tid)
            return &dog.w[i];
        if (dog.w[i].round + 1 < dog.round)
            old = &dog.w[i];
    }
    if (!old && dog.n < THREADS_MAX)
        old = &dog.w[dog.n++];
    if (old)
        *old = (struct watched){.tid = tid};
    return old;
}

static void where(const struct mark_thread *t, char *text, size_t n)
{
    if (t->mark.plugin)
        snprintf(text, n, "plugin %s, callback %s", t->mark.plugin,
                 t->mark.callback ? t->mark.callback : "?");
    else
        snprintf(text, n, "the core");
}

static void stall_abort(const struct mark_thread *t, uint64_t still_ns)
{
    static char reason[64];

    snprintf(reason, sizeof reason, "did not move for %.1f s", (double)still_ns / (double)SECOND);
    crash_blame(t, reason);
}

static void stall(struct watched *w, const struct mark_thread *t)
{
    char text[128];

    if (dog.abort_ns && w->still_ns >= dog.abort_ns)
        stall_abort(t, w->still_ns);
    if (!dog.warn_ns || w->still_ns < dog.warn_ns || w->warned)
        return;
    w->warned = true;
    where(t, text, sizeof text);
    LOG(EC_LOG_WARNING, "thread %s has not moved for %.1f s: it is in %s", t->name,
        (double)w->still_ns / (double)SECOND, text);
}

static bool look(const struct mark_thread *t, void *arg)
{
    struct watched *w = watched_get(t->tid);

    (void)arg;
    if (!w)
        return true;
    w->round = dog.round;
    if (t->beat_ns && t->beat_ns == w->beat_ns) {
        w->still_ns += dog.period_ns;
        stall(w, t);
        return true;
    }
    if (w->warned)
        LOG(EC_LOG_WARNING, "thread %s moves again, after %.1f s", t->name,
            (double)w->still_ns / (double)SECOND);
    w->beat_ns = t->beat_ns;
    w->still_ns = 0;
    w->warned = false;
    return true;
}

static uint64_t monotonic_ns(struct timespec *t)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    return (uint64_t)t->tv_sec * SECOND + (uint64_t)t->tv_nsec;
}

/* Sleeps one period; true: it was about as long as it should be, so the process was not stopped
 * meanwhile. */
static bool sleep_period(void)
{
    struct timespec t;
    uint64_t begin = monotonic_ns(&t), end = begin + dog.period_ns;

    t.tv_sec = (time_t)(end / SECOND);
    t.tv_nsec = (long)(end % SECOND);
    pthread_cond_timedwait(&dog.stop, &dog.lock, &t);
    return monotonic_ns(&t) < begin + 3 * dog.period_ns;
}

static void watch(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&dog.lock);
    while (!dog.stopping) {
        if (!sleep_period() || dog.stopping)
            continue;
        dog.round++;
        mark_each(look, NULL);
        log_flush(false);
    }
    pthread_mutex_unlock(&dog.lock);
}

int watchdog_start(struct event_base *base, uint64_t warn_ns, uint64_t abort_ns)
{
    uint64_t least = warn_ns && (!abort_ns || warn_ns < abort_ns) ? warn_ns : abort_ns;
    pthread_condattr_t a;

    (void)base;
    if (dog.running)
        return 0;
    memset(&dog, 0, sizeof dog);
    dog.warn_ns = warn_ns;
    dog.abort_ns = abort_ns;
    dog.period_ns = !least || least / 2 > SECOND ? SECOND
                    : least / 2 < SECOND / 100   ? SECOND / 100
                                                 : least / 2;
    pthread_mutex_init(&dog.lock, NULL);
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&dog.stop, &a);
    pthread_condattr_destroy(&a);
    dog.running = !thread_start(&dog.thread, "watchdog", watch, NULL);
    return dog.running ? 0 : -1;
}

void watchdog_stop(void)
{
    if (!dog.running)
        return;
    pthread_mutex_lock(&dog.lock);
    dog.stopping = true;
    pthread_cond_signal(&dog.stop);
    pthread_mutex_unlock(&dog.lock);
    pthread_join(dog.thread, NULL);
    pthread_cond_destroy(&dog.stop);
    pthread_mutex_destroy(&dog.lock);
    dog.running = false;
    log_flush(true);
}
