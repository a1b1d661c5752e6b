#include "core/deadline.h"

#include "core/clock.h"
#include "core/log/crash.h"
#include "core/launcher/privilege.h"
#include "core/log/mark.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t watcher;
static bool is_open, armed;
static uint64_t timeout, due;                   /* ns; monotonic */
static const struct mark_thread *target;
static const char *timeout_option;

static void expire(void)
{
    char reason[96];

    snprintf(reason, sizeof reason, "it did not return within %.1f s, %s", (double)timeout / 1e9,
             timeout_option);
    crash_blame(target, reason);
}

static void *watch(void *arg)
{
    (void)arg;
    privilege_keep(0);
    pthread_mutex_lock(&lock);
    while (is_open) {
        struct timespec t = { (time_t)(due / 1000000000u), (long)(due % 1000000000u) };

        if (!armed)
            pthread_cond_wait(&changed, &lock);
        else if (clock_monotonic() >= due)
            expire();
        else
            pthread_cond_timedwait(&changed, &lock, &t);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

int deadline_open(uint64_t timeout_ns, const char *option)
{
    pthread_condattr_t attr;
    sigset_t all, old;
    int rc;

    if (is_open)
        return 0;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attr);
    pthread_condattr_destroy(&attr);
    timeout = timeout_ns;
    timeout_option = option;
    armed = false;
    is_open = true;
    sigfillset(&all);                           /* signals are for the control thread */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&watcher, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc)
        is_open = false;
    return rc ? -1 : 0;
}

void deadline_close(void)
{
    if (!is_open)
        return;
    pthread_mutex_lock(&lock);
    is_open = false;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(watcher, NULL);
    pthread_cond_destroy(&changed);
}

void deadline_begin(void)
{
    pthread_mutex_lock(&lock);
    if (is_open) {
        target = mark_self;
        due = clock_monotonic() + timeout;
        armed = true;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
}

void deadline_end(void)
{
    pthread_mutex_lock(&lock);
    armed = false;
    pthread_mutex_unlock(&lock);
}
