/* mark.h: what each thread is doing: 'plugin X, callback Y'. Two plain stores; read by the crash
 * handler of the same thread and by the watchdog. */
#ifndef CORE_MARK_H
#define CORE_MARK_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

struct mark_thread {
    struct ec_mark mark;                /* NULL plugin: in the core */
    char name[16];
    volatile uint64_t
        beat_ns; /* when it last said that it is alive; 0: it sleeps and is not watched */
    volatile int tid;                   /* 0: free */
};
extern __thread struct mark_thread
    *mark_self; /* never NULL: a shared dummy before mark_register() */

int mark_register(const char *thread_name); /* [any] this thread enters the table (256 at most) */
void mark_unregister(void);
void mark_beat(void);                               /* alive: once a batch, once a dispatch */
void mark_sleep(void); /* about to block: not watched until the next beat */

static inline struct ec_mark mark_enter(const char *plugin, const char *callback)
{
    struct ec_mark *m = &mark_self->mark, old;
    old.plugin = __atomic_load_n(&m->plugin, __ATOMIC_RELAXED);
    old.callback = __atomic_load_n(&m->callback, __ATOMIC_RELAXED);
    __atomic_store_n(&m->callback, callback,
                     __ATOMIC_RELAXED); /* plain stores; the builtin keeps TSan quiet */
    __atomic_store_n(&m->plugin, plugin, __ATOMIC_RELAXED);
    return old;
}
static inline void mark_leave(struct ec_mark old)
{
    __atomic_store_n(&mark_self->mark.plugin, old.plugin, __ATOMIC_RELAXED);
    __atomic_store_n(&mark_self->mark.callback, old.callback, __ATOMIC_RELAXED);
}
/* A copy of each live entry, for the watchdog; stops when fn returns false. */
void mark_each(bool (*fn)(const struct mark_thread *t, void *arg), void *arg);

#endif
