#include "core/bus/bus_state.h"
#include "core/clock.h"
#include "core/bus/enrich.h"
#include "core/bus/fence.h"
#include "core/instance.h"
#include "core/bus/lane.h"
#include "core/log/log.h"
#include "core/bus/publisher.h"
#include "core/bus/route.h"
#include "core/bus/subscription.h"
#include "core/bus/timer.h"

#include <stdlib.h>
#include <time.h>

#define STRAGGLERS_NS UINT64_C(500000000)       /* for a reader to return from the event that it is in */

static bool stuck;                  /* a reader never came back: its memory stays */

static uint64_t delivered(void)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < bus.n_sub; i++)
        n += atomic_load(&bus.sub[i]->moved);
    return n;
}

/* Lanes first, as events go from there into the queues; what a reader publishes from its callback goes the other way, so
 * that a look during which something was delivered tells nothing. */
static bool queues_empty(void)
{
    uint64_t before = delivered();

    for (uint32_t i = 0; i < bus.n_lane; i++)
        if (!lane_empty(&bus.lane[i]))
            return false;
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode != EC_SUB_INLINE && !subscription_empty(bus.sub[i]))
            return false;
    return delivered() == before;
}

static void wait_empty(uint64_t deadline)
{
    struct timespec step = { 0, 1000000 };

    while (!queues_empty() && clock_monotonic() < deadline) {
        if (!bus.c.workers)
            bus_drain_idle(0);
        else
            nanosleep(&step, NULL);
    }
}

/* Ends the readers. False: one of them is stuck in a plugin, and its memory has to stay. */
static bool readers_end(uint64_t deadline)
{
    bool all = true;

    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode == EC_SUB_OWN_THREAD)
            subscription_ask_stop(bus.sub[i]);
    for (uint32_t i = 0; i < bus.n_lane; i++)
        lane_ask_stop(&bus.lane[i]);
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode == EC_SUB_OWN_THREAD && !subscription_join(bus.sub[i], deadline)) {
            LOG(EC_LOG_ERROR, "%s did not return from an event of \"%s\" in time", bus.sub[i]->instance->d.name,
                bus.sub[i]->s.topic);
            all = false;
        }
    for (uint32_t i = 0; i < bus.n_lane; i++)
        if (!lane_join(&bus.lane[i], deadline)) {
            LOG(EC_LOG_ERROR, "lane B%u did not end in time", i);
            all = false;
        }
    return all;
}

/* Whatever is still queued is lost to the shutdown, and what still comes too. */
static void sweep(void)
{
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode != EC_SUB_INLINE)
            subscription_abandon(bus.sub[i]);
    for (uint32_t i = 0; i < bus.n_lane; i++)
        while (lane_move(&bus.lane[i]))
            ;
}

bool bus_stop(uint64_t timeout_ns)
{
    struct publisher *mailbox;

    if (!bus.pub)
        return true;
    wait_empty(clock_monotonic() + timeout_ns);
    mailbox = &bus.pub[bus_mailbox()];
    pthread_mutex_lock(&mailbox->lock);
    atomic_store(&bus.open, false);
    pthread_mutex_unlock(&mailbox->lock);
    sweep();
    if (bus.c.workers)
        stuck = !readers_end(clock_monotonic() + STRAGGLERS_NS);
    sweep();
    return !stuck;
}

void bus_free(void)
{
    if (stuck || !bus.pub) {
        memset(&bus, 0, sizeof bus);
        return;
    }
    atomic_store(&bus.open, false);
    timers_free();
    fence_fini();
    routes_free();
    for (uint32_t i = 0; i < bus.n_sub; i++)
        subscription_free(bus.sub[i]);
    for (uint32_t i = 0; i < bus.n_pub; i++)
        publisher_fini(&bus.pub[i]);
    for (uint32_t i = 0; i < bus.n_lane; i++)
        lane_fini(&bus.lane[i]);
    free(bus.sub);
    free(bus.enricher);
    free(bus.pub);
    free(bus.lane);
    memset(&bus, 0, sizeof bus);
}
