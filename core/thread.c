#include "core/thread.h"

#include "core/log/crash.h"
#include "core/epoch.h"
#include "core/launcher/privilege.h"
#include "core/log/mark.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Fewer than the tables of marks and epochs hold: a thread that stands in no epoch could read a plan that is freed. The
 * rest is for the control thread and for plugins' own threads that publish. */
#define THREADS_MAX 224u

struct life {
    struct life *next;
    pthread_t id;
    void (*fn)(void *arg);
    void *arg;
    char name[16];
    uint32_t powers;
};

/* The threads that have not ended. A join with a deadline waits for the end here: pthread_clockjoin_np() would do, but
 * thread sanitizers do not know it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct life *alive;
static uint32_t n_alive;

static void ended_init(void)
{
    pthread_condattr_t a;

    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&ended, &a);
    pthread_condattr_destroy(&a);
}

static void life_end(struct life *l)
{
    struct life **at = &alive;

    pthread_mutex_lock(&lock);
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    n_alive--;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    free(l);
}

static void *thread_main(void *arg)
{
    struct life *l = arg;

    mark_register(l->name);
    epoch_register(l->name);
    crash_thread();
    privilege_keep(l->powers);
    l->fn(l->arg);
    epoch_unregister();
    mark_unregister();
    life_end(l);
    return NULL;
}

static int start(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg, uint32_t powers)
{
    struct life *l = calloc(1, sizeof *l);
    sigset_t all, old;
    int err;

    if (!l)
        return EC_ENOMEM;
    l->fn = fn;
    l->arg = arg;
    l->powers = powers;
    snprintf(l->name, sizeof l->name, "%s", name);
    pthread_once(&once, ended_init);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_mutex_lock(&lock);
    err = n_alive == THREADS_MAX ? EAGAIN : pthread_create(&l->id, NULL, thread_main, l);
    if (!err) {
        n_alive++;
        *t = l->id;
        l->next = alive;
        alive = l;
    }
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        free(l);
    return err ? EC_EAGAIN : EC_OK;
}

int thread_start(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg)
{
    return start(t, name, fn, arg, 0);
}

int thread_start_capable(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg, uint32_t powers)
{
    return start(t, name, fn, arg, powers);
}

static bool is_alive(pthread_t t)
{
    for (const struct life *l = alive; l; l = l->next)
        if (pthread_equal(l->id, t))
            return true;
    return false;
}

bool thread_join(pthread_t t, uint64_t deadline_ns)
{
    struct timespec d = { (time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u) };
    bool late = false;

    pthread_mutex_lock(&lock);
    while (is_alive(t) && !late)
        late = pthread_cond_timedwait(&ended, &lock, &d) == ETIMEDOUT;
    late = late && is_alive(t);
    pthread_mutex_unlock(&lock);
    if (late)
        pthread_detach(t);
    else
        pthread_join(t, NULL);
    return !late;
}
