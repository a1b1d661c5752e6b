/* pool.h: the work pool: threads for what blocks. With no threads (--workers 0) jobs run in place. */
#ifndef CORE_POOL_H
#define CORE_POOL_H
#include <stdint.h>

int pool_start(uint32_t threads);                                   /* [ctl] */
/* [any] 0, or EC_EAGAIN: the queue (4,096 jobs) is full, counted. plugin, callback: for the mark. */
int pool_run(const char *plugin, const char *callback, void (*fn)(void *arg), void *arg);
void pool_stop(uint64_t timeout_ns);                                /* [ctl] waits for what is queued */

#endif
