/* --workers 0: one thread does what lanes and own threads do otherwise, after every packet. */
#include "core/bus_state.h"
#include "core/instance.h"
#include "core/lane.h"
#include "core/plan.h"
#include "core/subscription.h"
#include "core/timer.h"

#define ROUNDS 64u                  /* a cascade of events that publish events goes on at the next packet */

void bus_drain_queues(void)
{
    for (uint32_t round = 0; round < ROUNDS && lane_ready(&bus.lane[0]); round++) {
        while (lane_move(&bus.lane[0]))
            ;
        for (uint32_t i = 0; i < bus.n_sub; i++)
            if (bus.sub[i]->s.mode != EC_SUB_INLINE)
                while (subscription_deliver(bus.sub[i], plan_current(), SUBSCRIPTION_HAND))
                    ;
    }
}

static void bus_idle(void)
{
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode != EC_SUB_INLINE)
            subscription_idle(bus.sub[i], plan_current());
}

void bus_drain(uint64_t now_ns)
{
    bus_drain_queues();
    if (bus.timers && now_ns) {
        timers_run(now_ns);
        bus_drain_queues();
    }
}

void bus_drain_idle(uint64_t now_ns)
{
    bus_drain(now_ns);
    bus_idle();
    bus_drain_queues();
}
