/* enrich.h: enrichers: pure look-ups by address whose parts are appended to an event before it is sealed. Each
 * publisher remembers results, by enricher, side, address and generation. */
#ifndef CORE_ENRICH_H
#define CORE_ENRICH_H
#include "core/bus/bus.h"

struct publisher;
struct plan;
struct route;
struct enrich_cache;
struct enricher {
    struct instance *instance;
    struct ec_enricher e;
    uint32_t topic;                 /* of the part that it appends */
};

bool enricher_wants(const struct enricher *e, uint32_t topic);  /* [ctl] does it enrich events of this topic? */
struct enrich_cache *enrich_cache_new(void);                    /* one publisher's; NULL: out of memory */
void enrich_cache_free(struct enrich_cache *c);
/* [publisher] Append what the route's enrichers know about src and dst. */
void enrich_event(struct publisher *p, const struct route *r, const struct plan *plan, struct ec_build *b);

#endif
