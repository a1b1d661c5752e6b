/* guard.h: readers of a pointer that is replaced now and then. A reader enters and leaves without waiting; whoever has
 * replaced the pointer waits until all that may have seen the old one have left. */
#ifndef GEOIP_GUARD_H
#define GEOIP_GUARD_H
#include <stdatomic.h>
#include <stdint.h>

#define GUARD_SHARDS 64u            /* more threads than these share a counter, and its cache line */

struct guard { struct { _Alignas(64) atomic_uint readers; } shard[GUARD_SHARDS]; };

/* [any] Load the pointer after this. */
atomic_uint *guard_enter(struct guard *g);
static inline void guard_leave(atomic_uint *at) { atomic_fetch_sub_explicit(at, 1, memory_order_release); }
/* After the exchange of the pointer; blocks for as long as a reader takes. */
void guard_wait(struct guard *g);

#endif
