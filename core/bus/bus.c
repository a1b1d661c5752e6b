#include "core/bus/bus.h"

#include "core/bus/bus_state.h"
#include "core/bus/enrich.h"
#include "core/bus/fence.h"
#include "core/instance.h"
#include "core/bus/lane.h"
#include "core/metric.h"
#include "core/bus/publisher.h"
#include "core/bus/route.h"
#include "core/bus/subscription.h"
#include "core/bus/timer.h"
#include "core/topic.h"

#include <event2/thread.h>

#include <stdio.h>
#include <stdlib.h>

#define WORKERS_MAX 128u
#define LANES_MAX 16u

struct bus bus;

const char *const bus_reason_names[BUS_REASONS] = { "arena", "ring", "queue", "sample", "shutdown" };

#define COUNTER(name, unit, help) { sizeof(struct ec_metric), EC_METRIC_COUNTER, name, unit, help }
static const struct ec_metric metric_rows[BUS_METRICS] = {
    [BUS_M_PUBLISHED] = COUNTER("bus.published", "events", "events published"),
    [BUS_M_DELIVERED] = COUNTER("bus.delivered", "events", "deliveries to queued subscribers"),
    [BUS_M_DROPPED + BUS_DROP_ARENA] =
        COUNTER("bus.dropped.arena", "events", "lost: no room in the publisher's arena"),
    [BUS_M_DROPPED + BUS_DROP_RING] = COUNTER("bus.dropped.ring", "events", "lost: the ring to a lane was full"),
    [BUS_M_DROPPED + BUS_DROP_QUEUE] =
        COUNTER("bus.dropped.queue", "deliveries", "lost: the subscriber's queue was full"),
    [BUS_M_DROPPED + BUS_DROP_SAMPLE] =
        COUNTER("bus.dropped.sample", "deliveries", "left out: the subscriber samples while it is behind"),
    [BUS_M_DROPPED + BUS_DROP_SHUTDOWN] =
        COUNTER("bus.dropped.shutdown", "deliveries", "lost: still queued when the time to stop was over"),
    [BUS_M_QUEUED] = { sizeof(struct ec_metric), EC_METRIC_GAUGE, "bus.queued", "deliveries",
                       "events that wait in subscribers' queues" },
    [BUS_M_WAKES] = COUNTER("bus.wakes", "wakes", "times that a sleeping lane was woken"),
    [BUS_M_ENRICH_HITS] = COUNTER("bus.enrich.hits", "look-ups", "answered by what an enricher said before"),
    [BUS_M_ENRICH_LOOKUPS] = COUNTER("bus.enrich.lookups", "look-ups", "answered by an enricher"),
    [BUS_M_WAITS] = COUNTER("bus.replay_waits", "waits", "times that a replay waited for a reader"),
};

static void defaults(struct bus_config *c)
{
    if (!c->lanes)
        c->lanes = 1;
    if (c->lanes > LANES_MAX)
        c->lanes = LANES_MAX;
    if (!c->arena_bytes)
        c->arena_bytes = BUS_ARENA_BYTES;
    if (!c->ring_slots)
        c->ring_slots = BUS_RING_SLOTS;
    if (!c->queue_events)
        c->queue_events = BUS_QUEUE_EVENTS;
    if (!c->queue_bytes)
        c->queue_bytes = BUS_QUEUE_BYTES;
    if (c->queue_bytes > UINT32_MAX)
        c->queue_bytes = UINT32_MAX;
}

static void metrics_add(void)
{
    for (uint32_t i = 0; i < BUS_METRICS; i++)
        if (metric_add("core", &metric_rows[i], &bus.metric[i]))
            bus.metric[i] = METRIC_MAX;
}

int bus_create(const struct bus_config *c)
{
    memset(&bus, 0, sizeof bus);
    bus.c = *c;
    if (c->workers > WORKERS_MAX)
        return EC_EINVAL;
    defaults(&bus.c);
    if (bus.c.workers && evthread_use_pthreads())
        return EC_EIO;
    bus.n_pub = (c->workers ? c->workers : 1) + 1;
    bus.n_lane = c->workers ? bus.c.lanes : 1;
    bus.pub = calloc(bus.n_pub, sizeof *bus.pub);
    bus.lane = calloc(bus.n_lane, sizeof *bus.lane);
    if (!bus.pub || !bus.lane)
        return EC_ENOMEM;
    metrics_add();
    for (uint32_t i = 0; i < bus.n_lane; i++)
        if (lane_init(&bus.lane[i], i))
            return EC_EIO;
    for (uint32_t i = 0; i < bus.n_pub; i++)
        if (publisher_init(&bus.pub[i], i))
            return EC_ENOMEM;
    return EC_OK;
}

uint32_t bus_lane_of(const struct instance *i)
{
    return i->index % bus.n_lane;
}

static int refuse(char *why, uint32_t n, int err, const char *text)
{
    snprintf(why, n, "%s", text);
    return err;
}

int bus_subscribe(struct instance *i, const struct ec_sub *s, char *why, uint32_t n)
{
    struct ec_sub full;
    struct subscription **more, *new;

    if (!s || s->size < sizeof *s || !s->topic || !s->topic[0] || !s->fn)
        return refuse(why, n, EC_EINVAL, "a subscription needs a topic, a function and the size of its struct");
    if (s->mode < EC_SUB_QUEUED || s->mode > EC_SUB_OWN_THREAD)
        return refuse(why, n, EC_EINVAL, "a subscription's mode is one of EC_SUB_QUEUED, _INLINE and _OWN_THREAD");
    if (s->overflow > EC_OVF_SAMPLE)
        return refuse(why, n, EC_EINVAL, "a subscription's overflow policy is one of EC_OVF_DROP_NEW, _DROP_OLD and "
                                         "_SAMPLE");
    full = *s;
    full.capacity = s->capacity ? s->capacity : bus.c.queue_events;
    full.bytes = s->bytes ? s->bytes : (uint32_t)bus.c.queue_bytes;
    full.overflow = s->overflow ? s->overflow : EC_OVF_DROP_NEW;
    if (full.capacity > BUS_QUEUE_EVENTS_MAX)
        return refuse(why, n, EC_EINVAL, "a subscription's queue holds at most 1,048,576 events");
    new = subscription_new(i, &full, bus.n_sub, bus_lane_of(i), bus.n_pub);
    more = realloc(bus.sub, (bus.n_sub + 1u) * sizeof(struct subscription *));
    if (more)
        bus.sub = more;
    if (!new || !more) {
        subscription_free(new);
        return refuse(why, n, EC_ENOMEM, "out of memory for a subscription");
    }
    bus.sub[bus.n_sub++] = new;
    return EC_OK;
}

int bus_enricher(struct instance *i, const struct ec_enricher *e, char *why, uint32_t n)
{
    struct enricher *more;
    uint32_t topic = e && e->topic ? topic_find(e->topic) : 0;

    if (!e || e->size < sizeof *e || !e->lookup || e->input != EC_ENRICH_ADDRESS)
        return refuse(why, n, EC_EINVAL, "an enricher needs a look-up, the input EC_ENRICH_ADDRESS and its size");
    if (!topic) {
        snprintf(why, n, "the enricher's topic \"%s\" is not declared", e->topic ? e->topic : "");
        return EC_ENOENT;
    }
    more = realloc(bus.enricher, (bus.n_enricher + 1u) * sizeof *more);
    if (!more)
        return refuse(why, n, EC_ENOMEM, "out of memory for an enricher");
    bus.enricher = more;
    bus.enricher[bus.n_enricher++] = (struct enricher){ i, *e, topic };
    return EC_OK;
}

int bus_start(void)
{
    int err = routes_build();

    for (uint32_t i = 0; !err && i < bus.n_pub; i++)
        err = publisher_ready(&bus.pub[i]);
    for (uint32_t i = 0; !err && i < bus.n_lane; i++)
        err = lane_collect(&bus.lane[i]);
    if (!err)
        err = fence_init();
    if (!err)
        err = timers_start();
    atomic_store(&bus.open, !err);
    if (!bus.c.workers)
        return err;
    for (uint32_t i = 0; !err && i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode == EC_SUB_OWN_THREAD)
            err = subscription_start(bus.sub[i]);
    for (uint32_t i = 0; !err && i < bus.n_lane; i++)
        err = lane_start(&bus.lane[i]);
    return err;
}

void *bus_loop(struct instance *i)
{
    struct lane *l = bus.lane ? &bus.lane[bus_lane_of(i)] : NULL;

    if (!l || !l->base)
        return NULL;
    lane_loop_user(l, i->d.name);
    return l->base;
}
