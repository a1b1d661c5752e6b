#include "core/thread.h"

#include "core/crash.h"
#include "core/epoch.h"
#include "core/mark.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct birth {
    void (*fn)(void *arg);
    void *arg;
    char name[16];
};

/* A thread's last step and the first step after its join: thread sanitizers do not know pthread_clockjoin_np(). */
static _Atomic uint64_t ended;

static void *thread_main(void *arg)
{
    struct birth b = *(struct birth *)arg;

    free(arg);
    mark_register(b.name);
    epoch_register(b.name);
    crash_thread();
    b.fn(b.arg);
    epoch_unregister();
    mark_unregister();
    atomic_fetch_add(&ended, 1);
    return NULL;
}

int thread_start(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg)
{
    struct birth *b = calloc(1, sizeof *b);
    sigset_t all, old;
    int err;

    if (!b)
        return EC_ENOMEM;
    b->fn = fn;
    b->arg = arg;
    snprintf(b->name, sizeof b->name, "%s", name);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(t, NULL, thread_main, b);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err) {
        free(b);
        return EC_EAGAIN;
    }
    return EC_OK;
}

bool thread_join(pthread_t t, uint64_t deadline_ns)
{
    struct timespec d = { (time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u) };

    if (!pthread_clockjoin_np(t, NULL, CLOCK_MONOTONIC, &d))
        return atomic_load(&ended) != 0;
    pthread_detach(t);
    return false;
}
