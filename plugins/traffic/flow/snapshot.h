/* snapshot.h: a look at the flows that are alive. A reader asks; each worker copies what is wanted of its own table,
 * a bounded piece at each idle(), so that it never stalls; the reader waits for them. The workers go on meanwhile, so
 * it is no picture of one moment: a flow that ends or begins during the look may or may not be in it. */
#ifndef TRAFFIC_SNAPSHOT_H
#define TRAFFIC_SNAPSHOT_H
#include <stdatomic.h>

#include "plugins/traffic/flow/flow.h"

struct flow_seen {
    struct ec_flow pub;
    uint32_t iface, worker;
    uint8_t tcp_state, flags;
    bool bypassed;
};
struct flow_wanted {                /* what is wanted; has: bit for each */
    uint32_t has, bits;             /* bits: of net, of 128 */
    uint8_t net[16], proto;
    uint16_t port;
};
enum { WANT_NET = 1, WANT_PORT = 2, WANT_PROTO = 4 };

struct look {                       /* one worker's part; its own until `done` */
    struct flow_seen *flow;
    uint32_t n, mask;
    uint64_t slot, matched, alive;
    atomic_bool done;
};
struct snapshot {
    atomic_uint refs;
    atomic_bool cancelled;
    uint32_t workers, max;          /* max: flows that each worker copies */
    struct flow_wanted wanted;
    struct look look[];
};
typedef _Atomic(struct snapshot *) snapshot_slot;  /* one for each worker: what it is asked */

/* NULL: no memory. The caller has one reference. */
struct snapshot *snapshot_new(uint32_t workers, uint32_t max, const struct flow_wanted *wanted);
void snapshot_unref(struct snapshot *s);
/* Ask that worker; what it was asked before and has not begun is forgotten. */
void snapshot_ask(snapshot_slot *slot, struct snapshot *s);
void snapshot_forget(snapshot_slot *slot);

/* [wrk] Do a piece of what is asked: at most so many places of the table. */
void snapshot_step(snapshot_slot *slot, uint32_t worker, const struct flow_table *t, uint32_t budget);
/* [wrk] With every idle(): nothing but one load where nothing is asked. */
static inline void snapshot_poll(snapshot_slot *slot, uint32_t worker, const struct flow_table *t, uint32_t budget)
{
    if (__builtin_expect(!!atomic_load_explicit(slot, memory_order_relaxed), 0))
        snapshot_step(slot, worker, t, budget);
}

#endif
