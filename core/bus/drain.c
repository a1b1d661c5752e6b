/* --workers 0: one thread does what lanes and own threads do otherwise, after every packet. */
#include "core/bus/bus_state.h"
#include "core/instance.h"
#include "core/bus/lane.h"
#include "core/plan.h"
#include "core/bus/subscription.h"
#include "core/bus/timer.h"

#define ROUNDS 64u                  /* a cascade of events that publish events goes on at the next packet */

/* Its own look at the queue needs no lock: this thread alone fills and empties it. */
static void deliver_all(struct subscription *s)
{
    while (s->head != s->tail)
        subscription_deliver(s, plan_current(), SUBSCRIPTION_HAND);
}

void bus_drain_queues(void)
{
    for (uint32_t round = 0; round < ROUNDS && lane_ready(&bus.lane[0]); round++) {
        do
            lane_move(&bus.lane[0]);
        while (lane_ready(&bus.lane[0]));
        for (uint32_t i = 0; i < bus.lane[0].n_sub; i++)
            deliver_all(bus.lane[0].sub[i]);
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
