#include "core/freeze.h"

#include "core/bus/bus.h"
#include "core/conf/conf.h"
#include "core/extension.h"
#include "core/instance.h"
#include "core/log/log.h"
#include "core/metric.h"
#include "core/pool.h"
#include "core/options.h"
#include "core/plugins.h"
#include "core/pool.h"
#include "core/topic.h"
#include "core/worker.h"

#include <stdio.h>
#include <string.h>

static const struct ec_metric rows[FREEZE_METRICS] = {
    [FREEZE_GENERATION] = {sizeof rows[0], EC_METRIC_GAUGE, "generation", NULL,
                           "of the configuration, from 1"},
    [FREEZE_RELOADS] = {sizeof rows[0], EC_METRIC_COUNTER, "reloads", NULL, "that took effect"},
    [FREEZE_RELOAD_FAILURES] = {sizeof rows[0], EC_METRIC_COUNTER, "reload_failures", NULL,
                                "reloads that kept the old generation"},
};
static uint32_t index_of[FREEZE_METRICS];

uint32_t freeze_metric(uint32_t which)
{
    return index_of[which];
}

static bool add_metric(struct instance *i, const struct ec_metric *m)
{
    uint32_t index;

    if (metric_add(i->d.name, m, &index)) {
        instance_refuse(i, "there are %u metrics already, at most %d are kept", metric_count(),
                        METRIC_MAX);
        return false;
    }
    if (!i->n_metric++)
        i->first_metric = index;
    return true;
}

static bool add_metrics(struct instance *i)
{
    for (uint32_t k = 0; k < i->d.n_metric; k++)
        if (!add_metric(i, &i->d.metric[k]))
            return false;
    for (uint32_t k = 0; k < i->wants.n_metric; k++)
        if (!add_metric(i, i->wants.metric[k]))
            return false;
    return true;
}

/* A topic that nobody declared is no error: its plugin may be left out, or not be installed. */
static bool subscribe(struct instance *i)
{
    char why[512];

    for (uint32_t k = 0; k < i->wants.n_sub; k++) {
        const struct ec_sub *s = &i->wants.sub[k];

        if (strcmp(s->topic, "*") != 0 && !topic_find(s->topic)) {
            LOG(EC_LOG_WARNING, "%s subscribes to %s, which no plugin declares", i->d.name,
                s->topic);
        } else if (bus_subscribe(i, s, why, sizeof why)) {
            instance_refuse(i, "subscription to %s: %s", s->topic, why);
            return false;
        }
    }
    for (uint32_t k = 0; k < i->wants.n_timer; k++)
        if (bus_timer(i, &i->wants.timer[k], why, sizeof why)) {
            instance_refuse(i, "timer: %s", why);
            return false;
        }
    return true;
}

struct hand_on { bool failed; };

static void add_enricher(struct instance *i, const void *vtable, void *arg)
{
    struct hand_on *h = arg;
    char why[512];

    if (!h->failed && bus_enricher(i, vtable, why, sizeof why)) {
        instance_refuse(i, "enricher: %s", why);
        h->failed = true;
    }
}

static void add_source(struct instance *i, const void *vtable, void *arg)
{
    struct hand_on *h = arg;
    char why[512];

    if (!h->failed && worker_source(i, vtable, why, sizeof why)) {
        instance_refuse(i, "source: %s", why);
        h->failed = true;
    }
}

static void add_stage(struct instance *i, const void *vtable, void *arg)
{
    struct hand_on *h = arg;
    char why[512];

    if (!h->failed && worker_stage(i, vtable, why, sizeof why)) {
        instance_refuse(i, "stage: %s", why);
        h->failed = true;
    }
}

static bool is_in_stages(const struct options *o, const char *name)
{
    for (uint32_t k = 0; k < conf_count(o->c, "stages"); k++)
        if (!strcmp(conf_text(o->c, "stages", k), name))
            return true;
    return false;
}

/* The stages that core.stages names, in its order; then the others in RUN order. */
static void add_stages(const struct plugins *p, const struct options *o, struct hand_on *h)
{
    for (uint32_t k = 0; k < conf_count(o->c, "stages"); k++) {
        const char *name = conf_text(o->c, "stages", k);
        struct instance *i = plugins_find(p, name);

        if (i && i->status != INSTANCE_REFUSED && extension_offer(i, EC_STAGE_ID, 0))
            extension_each(&i, 1, EC_STAGE_ID, add_stage, h);
        else
            LOG(EC_LOG_WARNING, "%s: core.stages: no plugin '%s' offers a packet stage",
                conf_where(o->c, "stages", k), name);
    }
    for (uint32_t k = 0; k < p->n_order; k++)
        if (!is_in_stages(o, p->order[k]->d.name))
            extension_each(&p->order[k], 1, EC_STAGE_ID, add_stage, h);
}

static bool hand_on_interfaces(const struct plugins *p, const struct options *o)
{
    struct hand_on h = { false };

    extension_each(p->order, p->n_order, EC_ENRICH_ID, add_enricher, &h);
    extension_each(p->order, p->n_order, EC_SOURCE_ID, add_source, &h);
    add_stages(p, o, &h);
    return !h.failed;
}

bool freeze(struct plugins *p, const struct options *o, uint32_t workers, char *why, uint32_t n)
{
    struct bus_config bc = {
        .workers = o->workers, .lanes = o->lanes, .arena_bytes = o->arena, .ring_slots = o->ring,
        .queue_events = o->queue_events, .queue_bytes = o->queue_bytes,
    };

    why[0] = '\0';
    for (uint32_t k = 0; k < FREEZE_METRICS; k++)
        metric_add(OPTIONS_SECTION, &rows[k], &index_of[k]);
    pool_metrics();
    for (uint32_t k = 0; k < p->n_order; k++)
        if (!add_metrics(p->order[k]))
            return false;
    if (metric_workers(workers) || bus_create(&bc)) {
        snprintf(why, n, "the metrics or the event bus cannot be made: out of memory");
        return false;
    }
    for (uint32_t k = 0; k < p->n_order; k++)
        if (!subscribe(p->order[k]))
            return false;
    return hand_on_interfaces(p, o);
}

void freeze_undo(void)
{
    bus_free();
    worker_reset();
    metric_reset();
}
