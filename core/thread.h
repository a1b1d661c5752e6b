/* thread.h: a thread of the daemon: signals blocked (the control thread takes them), named, in the tables of marks and
 * epochs, with a stack for the crash handler. */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* [any] Start fn(arg) on a new thread without the capabilities of sources: only workers open interfaces. name: at most
 * 15 bytes, copied. 0, or EC_EAGAIN where the system gives none, or 224 run. */
int thread_start(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg);
/* The same, with those of PRIVILEGE_* (core/launcher/privilege.h) in `powers` that the caller has. */
int thread_start_capable(pthread_t *t, const char *name, void (*fn)(void *arg), void *arg, uint32_t powers);
/* [any] Wait for its end; false: it still ran at the deadline (CLOCK_MONOTONIC, ns) and was detached. */
bool thread_join(pthread_t t, uint64_t deadline_ns);

#endif
