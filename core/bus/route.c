#include "core/bus/route.h"

#include "core/bus/bus_state.h"
#include "core/bus/enrich.h"
#include "core/instance.h"
#include "core/log/log.h"
#include "core/bus/subscription.h"
#include "core/topic.h"

#include <stdlib.h>

static void subscriptions_resolve(void)
{
    for (uint32_t i = 0; i < bus.n_sub; i++) {
        struct subscription *s = bus.sub[i];

        s->topic = s->every ? 0 : topic_find(s->s.topic);
        if (!s->every && !s->topic)
            LOG(EC_LOG_INFO, "%s listens to topic \"%s\", which no plugin declares", s->instance->d.name, s->s.topic);
    }
}

static int route_fill(struct route *r, uint32_t topic)
{
    const struct ec_topic *t = topic_get(topic);

    r->reserved = t && t->flags & EC_TOPIC_RESERVED;
    r->closed = t && t->flags & EC_TOPIC_WALL && !bus.c.workers;
    r->by_lane = calloc(bus.n_lane, sizeof *r->by_lane);
    r->inlined = calloc(bus.n_sub + 1, sizeof(struct subscription *));
    r->enricher = calloc(bus.n_enricher + 1, sizeof *r->enricher);
    if (!r->by_lane || !r->inlined || !r->enricher)
        return EC_ENOMEM;
    for (uint32_t i = 0; i < bus.n_sub; i++) {
        struct subscription *s = bus.sub[i];

        if (!subscription_wants(s, topic))
            continue;
        if (s->s.mode == EC_SUB_INLINE) {
            r->inlined[r->n_inline++] = s;
        } else {
            r->by_lane[s->lane]++;
            r->n_queued++;
        }
    }
    for (uint32_t i = 0; i < bus.n_enricher; i++)
        if (enricher_wants(&bus.enricher[i], topic))
            r->enricher[r->n_enricher++] = i;
    return EC_OK;
}

int routes_build(void)
{
    subscriptions_resolve();
    bus.n_topic = topic_count();
    bus.route = calloc(bus.n_topic + 1u, sizeof *bus.route);
    if (!bus.route)
        return EC_ENOMEM;
    for (uint32_t t = 1; t <= bus.n_topic; t++)
        if (route_fill(&bus.route[t], t))
            return EC_ENOMEM;
    return EC_OK;
}

void routes_free(void)
{
    for (uint32_t t = 1; bus.route && t <= bus.n_topic; t++) {
        free(bus.route[t].by_lane);
        free(bus.route[t].inlined);
        free(bus.route[t].enricher);
    }
    free(bus.route);
    bus.route = NULL;
    bus.n_topic = 0;
}
