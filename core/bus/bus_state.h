/* bus_state.h: what the parts of the bus share. Only files of the bus include it. Everything here is laid out by
 * bus_create(), the registrations of setup and bus_start(), and fixed from then on. */
#ifndef CORE_BUS_STATE_H
#define CORE_BUS_STATE_H
#include "core/bus/bus.h"

#include <pthread.h>
#include <stdatomic.h>

struct publisher;
struct subscription;
struct lane;
struct route;
struct enricher;
struct timer;

/* Indexes into bus.metric. */
enum {
    BUS_M_PUBLISHED, BUS_M_DELIVERED, BUS_M_DROPPED,            /* + bus_reason */
    BUS_M_QUEUED = BUS_M_DROPPED + BUS_REASONS, BUS_M_WAKES, BUS_M_ENRICH_HITS, BUS_M_ENRICH_LOOKUPS, BUS_M_WAITS,
    BUS_METRICS
};

struct bus {
    struct bus_config c;
    uint32_t n_pub;                 /* workers (at least one) and the mailbox, which comes last */
    struct publisher *pub;
    uint32_t n_sub;
    struct subscription **sub;      /* in the order of registration */
    uint32_t n_lane;
    struct lane *lane;
    uint32_t n_enricher;
    struct enricher *enricher;
    struct timer *timers;           /* list, newest first */
    uint32_t n_topic;
    struct route *route;            /* by topic's id, 0 unused */
    atomic_bool open;               /* events are taken */
    uint32_t metric[BUS_METRICS];
};
extern struct bus bus;

uint32_t bus_lane_of(const struct instance *i);
void bus_wake_worker(uint32_t worker);          /* [any] so that it looks for a fence */
void bus_drain_queues(void);                    /* --workers 0 */

static inline uint32_t bus_mailbox(void) { return bus.n_pub - 1; }

#endif
