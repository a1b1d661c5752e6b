/* metric.h: the registry of metrics. Each worker has private cells, written with plain stores and read by anyone; other
 * threads add to one shared atomic. A metric's value is the sum (a gauge: the last value set, or the sum of cells). */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H
#include <stdint.h>
struct ec_metric;

#define METRIC_MAX 4096             /* rows of all plugins together */

/* [ctl] before the workers start. owner: plugin's name or "core". The index counts from 0 over all owners. */
int metric_add(const char *owner, const struct ec_metric *m, uint32_t *index);
int metric_workers(uint32_t n);                                 /* [ctl] once, after the last add */
uint64_t *metric_cells(uint32_t worker);                        /* by global index */
void metric_delta(uint32_t index, int64_t delta);               /* [any] */
void metric_set(uint32_t index, int64_t value);                 /* [any] */
int64_t metric_value(uint32_t index);                           /* [any] */
uint32_t metric_count(void);
void metric_reset(void);                                        /* [ctl] no workers: forget all, for a new start */
const struct ec_metric *metric_get(uint32_t index, const char **owner);

#endif
