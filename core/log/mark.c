#include "core/log/mark.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define CLAIMED (-1)                /* tid of an entry that is being filled or emptied */

static struct mark_thread table[THREADS_MAX], nobody;
__thread struct mark_thread *mark_self = &nobody;

int mark_register(const char *thread_name)
{
    if (mark_self != &nobody)
        return 0;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        struct mark_thread *t = &table[i];
        int was = 0, tid = (int)syscall(SYS_gettid);

        if (!__atomic_compare_exchange_n(&t->tid, &was, CLAIMED, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        snprintf(t->name, sizeof t->name, "%s", thread_name);
        t->mark.plugin = t->mark.callback = NULL;
        __atomic_store_n(&t->beat_ns, 0, __ATOMIC_RELAXED);
        mark_self = t;
        if (tid != getpid())        /* the first thread's name is the process's: leave it to ps */
            pthread_setname_np(pthread_self(), t->name);
        __atomic_store_n(&t->tid, tid, __ATOMIC_RELEASE);
        return 0;
    }
    return -1;
}

void mark_unregister(void)
{
    struct mark_thread *t = mark_self;

    if (t == &nobody)
        return;
    mark_self = &nobody;
    __atomic_store_n(&t->tid, 0, __ATOMIC_RELEASE);
}

void mark_beat(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    __atomic_store_n(&mark_self->beat_ns, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec,
                     __ATOMIC_RELAXED);
}

void mark_sleep(void)
{
    __atomic_store_n(&mark_self->beat_ns, 0, __ATOMIC_RELAXED);
}

/* Plugins write their marks with plain stores: reading them from another thread is a race by
 * intent, of single words. */
__attribute__((no_sanitize("thread"))) static void mark_peek(const struct mark_thread *t,
                                                             struct mark_thread *copy)
{
    copy->mark.plugin = t->mark.plugin;
    copy->mark.callback = t->mark.callback;
    for (size_t i = 0; i < sizeof copy->name; i++)
        copy->name[i] = t->name[i];
    copy->name[sizeof copy->name - 1] = '\0';
}

void mark_each(bool (*fn)(const struct mark_thread *t, void *arg), void *arg)
{
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        struct mark_thread copy;

        copy.tid = __atomic_load_n(&table[i].tid, __ATOMIC_ACQUIRE);
        if (copy.tid <= 0)
            continue;
        mark_peek(&table[i], &copy);
        copy.beat_ns = __atomic_load_n(&table[i].beat_ns, __ATOMIC_RELAXED);
        if (!fn(&copy, arg))
            return;
    }
}
