#include "core/bus/enrich.h"

#include "core/bus/bus_state.h"
#include "core/instance.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/bus/publisher.h"
#include "core/bus/route.h"
#include "core/topic.h"

#include <stdlib.h>

#define ENTRIES 1024u               /* a power of two; direct mapped */
#define PART_MAX 208u               /* longer parts are looked up each time */

struct entry {
    uint8_t key[16];
    uint32_t gen;
    uint16_t enricher;              /* index + 1; 0: empty */
    uint16_t side, len, reserved;   /* len 0: nothing known */
    uint32_t serial;                /* as the enricher gave it */
    _Alignas(8) uint8_t part[PART_MAX];
};

struct enrich_cache { struct entry entry[ENTRIES]; };

/* How far a build had come, to take back what an enricher wrote and should not have. */
struct point { uint32_t used, part, parts, first, flags; };

bool enricher_wants(const struct enricher *e, uint32_t topic)
{
    const struct ec_topic *t = topic_get(topic);

    if (!t || !(t->flags & EC_TOPIC_EVENT))
        return false;
    if (!e->e.to)
        return true;
    for (const char *const *to = e->e.to; *to; to++)
        if (topic_find(*to) == topic)
            return true;
    return false;
}

struct enrich_cache *enrich_cache_new(void)
{
    return calloc(1, sizeof(struct enrich_cache));
}

void enrich_cache_free(struct enrich_cache *c)
{
    free(c);
}

static struct entry *entry_of(struct enrich_cache *c, const uint8_t *key, uint32_t enricher, uint32_t side)
{
    uint64_t a, b;

    memcpy(&a, key, 8);
    memcpy(&b, key + 8, 8);
    a = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15)) ^ (enricher * 2u + side)) * UINT64_C(0xd6e8feb86659fd93);
    return &c->entry[(a >> 40) & (ENTRIES - 1)];
}

static struct point point_take(struct ec_build *b)
{
    struct ec_event *h = ec_head(b);
    struct point at = { b->used, b->part, h->parts, h->first, h->flags };

    h->flags &= ~(uint32_t)EC_EV_CUT;
    return at;
}

static void point_restore(struct ec_build *b, const struct point *at)
{
    struct ec_event *h = ec_head(b);

    b->used = at->used;
    b->part = at->part;
    h->parts = at->parts;
    h->first = at->first;
}

/* Call the look-up. Length of the one part that it appended; 0: nothing known, or the part did not fit. */
static uint32_t look_up(const struct enricher *e, const struct plan *plan, const uint8_t *key, uint32_t side,
                        struct ec_build *b, bool *cut)
{
    struct point at = point_take(b);
    struct ec_event *h = ec_head(b);
    struct ec_mark old = mark_enter(e->instance->d.name, "lookup");
    int32_t got = e->e.lookup(e->instance->self, plan_state(plan, e->instance->index), key, 16, side, e->topic, b);

    mark_leave(old);
    *cut = h->flags & EC_EV_CUT;
    if (got != EC_OK || *cut || h->parts != at.parts + 1)
        point_restore(b, &at);
    h->flags |= at.flags;
    return b->used - at.used;
}

static void entry_fill(struct entry *n, const struct enricher *e, uint32_t gen, uint32_t serial,
                       const uint8_t *key, uint32_t side, const uint8_t *part, uint32_t len)
{
    if (len > PART_MAX)
        return;
    memcpy(n->key, key, sizeof n->key);
    n->gen = gen;
    n->serial = serial;
    n->enricher = (uint16_t)(e - bus.enricher + 1);
    n->side = (uint16_t)side;
    n->len = (uint16_t)len;
    memcpy(n->part, part, len);
}

static uint32_t serial_of(const struct enricher *e, const struct plan *plan)
{
    return e->e.serial ? e->e.serial(e->instance->self, plan_state(plan, e->instance->index)) : 0;
}

static void enrich_side(struct publisher *p, const struct enricher *e, const struct plan *plan, const uint8_t *key,
                        uint32_t side, struct ec_build *b)
{
    uint32_t index = (uint32_t)(e - bus.enricher), gen = plan ? plan->gen : 0, at = b->used, len, serial;
    struct entry *n = entry_of(p->cache, key, index, side);
    bool cut;

    if (e->e.sides && !(e->e.sides & side))
        return;
    serial = serial_of(e, plan);
    if (n->enricher == index + 1 && n->gen == gen && n->serial == serial && n->side == side &&
        !memcmp(n->key, key, sizeof n->key)) {
        publisher_metric(p, BUS_M_ENRICH_HITS);
        if (n->len)
            ec_attach(b, (const struct ec_part *)(const void *)n->part);
        return;
    }
    publisher_metric(p, BUS_M_ENRICH_LOOKUPS);
    len = look_up(e, plan, key, side, b, &cut);
    if (!cut)
        entry_fill(n, e, gen, serial, key, side, b->base + at, len);
}

void enrich_event(struct publisher *p, const struct route *r, const struct plan *plan, struct ec_build *b)
{
    const struct ec_event *h = ec_head(b);

    if (!p->cache || !(h->flags & EC_EV_IP))
        return;
    for (uint32_t i = 0; i < r->n_enricher; i++) {
        enrich_side(p, &bus.enricher[r->enricher[i]], plan, h->src, EC_ENRICH_SRC, b);
        enrich_side(p, &bus.enricher[r->enricher[i]], plan, h->dst, EC_ENRICH_DST, b);
    }
}
