#include "plugins/geoip/guard.h"

#include <time.h>

static atomic_uint threads;

atomic_uint *guard_enter(struct guard *g)
{
    static _Thread_local uint32_t mine;         /* shard + 1 */

    if (!mine)
        mine = atomic_fetch_add(&threads, 1) % GUARD_SHARDS + 1;
    atomic_fetch_add(&g->shard[mine - 1].readers, 1);      /* in order with the load of the pointer */
    return &g->shard[mine - 1].readers;
}

void guard_wait(struct guard *g)
{
    static const struct timespec moment = { 0, 50000 };

    /* A shard that was seen empty once holds nobody from before the exchange. */
    for (uint32_t i = 0; i < GUARD_SHARDS; i++)
        while (atomic_load(&g->shard[i].readers))
            nanosleep(&moment, NULL);
}
