/* pool.h: the work pool: threads for what blocks. With no threads (--workers 0) jobs run in place. */
#ifndef CORE_POOL_H
#define CORE_POOL_H
#include <stdbool.h>
#include <stdint.h>

void pool_metrics(void);            /* [ctl] enter the pool's metrics, owner "core", before the workers' cells are made */
/* [ctl] 0 threads: jobs run in place, on the caller's thread. At most 64. 0, EC_ENOMEM or EC_EAGAIN. */
int pool_start(uint32_t threads);
/* [any] 0, or EC_EAGAIN: the queue (4,096 jobs) is full or the pool stops, counted. plugin, callback: static names for
 * the mark. fn runs exactly once unless EC_EAGAIN was returned or pool_stop() gave up on it. */
int pool_run(const char *plugin, const char *callback, void (*fn)(void *arg), void *arg);
/* [ctl] Waits for what is queued and running; what has not begun by then never runs (counted, logged).
 * false: a job still runs, so that what it may touch has to stay. */
bool pool_stop(uint64_t timeout_ns);

#endif
