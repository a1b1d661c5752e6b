/* route.h: for each topic, who gets its events: counted once at the freeze, so that publishing looks nothing up. */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H
#include <stdbool.h>
#include <stdint.h>

struct subscription;
struct route {
    bool reserved, closed;          /* may enter an arena's last quarter; EC_TOPIC_WALL with --workers 0 */
    uint32_t n_queued;              /* subscriptions with a queue, over all lanes */
    uint32_t n_inline;
    struct subscription **inlined;  /* in the order of registration */
    uint32_t *by_lane;              /* n_queued of each lane */
    uint32_t n_enricher;
    uint32_t *enricher;             /* indexes into the bus's enrichers */
};

int routes_build(void);             /* [ctl] at bus_start(): fills bus.route and bus.n_topic; 0 or EC_ENOMEM */
void routes_free(void);
static inline bool route_wanted(const struct route *r) { return !r->closed && (r->n_queued || r->n_inline); }

#endif
