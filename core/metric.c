#include "core/metric.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    const struct ec_metric *row;
    char *owner;
};

static struct entry entries[METRIC_MAX];
static _Atomic uint32_t count;
static _Atomic int64_t shared[METRIC_MAX];
static uint64_t **cells;            /* by worker: METRIC_MAX each, so that a late row still has its cell */
static _Atomic uint32_t n_cells;

int metric_add(const char *owner, const struct ec_metric *m, uint32_t *index)
{
    uint32_t n = atomic_load(&count);

    if (!m || !m->name || !m->name[0] || (m->kind != EC_METRIC_COUNTER && m->kind != EC_METRIC_GAUGE))
        return EC_EINVAL;
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(entries[i].owner, owner) && !strcmp(entries[i].row->name, m->name))
            return EC_EEXIST;
    if (n == METRIC_MAX)
        return EC_ELIMIT;
    entries[n].owner = strdup(owner);
    if (!entries[n].owner)
        return EC_ENOMEM;
    entries[n].row = m;
    atomic_store(&shared[n], 0);
    atomic_store(&count, n + 1);
    *index = n;
    return EC_OK;
}

int metric_workers(uint32_t n)
{
    uint64_t **c = calloc(n, sizeof *c);

    if (!c)
        return EC_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        /* Whole cache lines, so that no two workers write to one. */
        c[i] = aligned_alloc(64, METRIC_MAX * sizeof *c[i]);
        if (!c[i]) {
            while (i--)
                free(c[i]);
            free(c);
            return EC_ENOMEM;
        }
        memset(c[i], 0, METRIC_MAX * sizeof *c[i]);
    }
    cells = c;
    atomic_store(&n_cells, n);
    return EC_OK;
}

uint64_t *metric_cells(uint32_t worker)
{
    return worker < atomic_load_explicit(&n_cells, memory_order_acquire) ? cells[worker] : NULL;
}

void metric_delta(uint32_t index, int64_t delta)
{
    if (index < METRIC_MAX)
        atomic_fetch_add_explicit(&shared[index], delta, memory_order_relaxed);
}

void metric_set(uint32_t index, int64_t value)
{
    if (index < METRIC_MAX)
        atomic_store_explicit(&shared[index], value, memory_order_relaxed);
}

/* Workers write their cells with plain stores of single words: reading them here is a race by intent. */
__attribute__((no_sanitize("thread"))) static uint64_t cell_read(const volatile uint64_t *cell)
{
    return *cell;
}

int64_t metric_value(uint32_t index)
{
    uint64_t sum;
    uint32_t n = atomic_load_explicit(&n_cells, memory_order_acquire);

    if (index >= METRIC_MAX)
        return 0;
    sum = (uint64_t)atomic_load_explicit(&shared[index], memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++)
        sum += cell_read(&cells[i][index]);
    return (int64_t)sum;
}

uint32_t metric_count(void)
{
    return atomic_load(&count);
}

void metric_reset(void)
{
    uint32_t n = atomic_exchange(&n_cells, 0);

    while (n--)
        free(cells[n]);
    free(cells);
    cells = NULL;
    n = atomic_exchange(&count, 0);
    while (n--) {
        free(entries[n].owner);
        entries[n].owner = NULL;
        entries[n].row = NULL;
        atomic_store(&shared[n], 0);
    }
}

const struct ec_metric *metric_get(uint32_t index, const char **owner)
{
    if (index >= atomic_load(&count))
        return NULL;
    if (owner)
        *owner = entries[index].owner;
    return entries[index].row;
}
