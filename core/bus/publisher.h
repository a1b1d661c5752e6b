/* publisher.h: who publishes: a worker, or the mailbox through which all other threads publish, one at a time under
 * its lock. Each has its arena, its sequence of numbers, a ring to each lane and its counters. */
#ifndef CORE_PUBLISHER_H
#define CORE_PUBLISHER_H
#include "core/bus/arena.h"
#include "core/bus/bus_state.h"
#include "core/bus/ring.h"

struct enrich_cache;
struct plan;
struct pressure;

/* Who may touch a publisher: nobody but the control thread, which fences it then; its worker; or the control thread. */
enum { PUB_DETACHED, PUB_ATTACHED, PUB_BORROWED };

struct publisher {
    uint32_t slot, number;          /* index; as events carry it: the worker's, or EC_PUB_MAILBOX */
    struct arena *arena;
    uint64_t seq;                   /* of the last event */
    uint64_t id_tick;
    uint32_t id_count;
    struct ring *ring;              /* by lane */
    uint32_t unwoken, unwoken_lanes;    /* events pushed since the lanes were woken; a bit for each of these */
    /* By topic's id; one writer. ring_lost: by lane, then by topic. */
    _Atomic uint64_t *published, *arena_lost, *ring_lost;
    const struct plan *plan;        /* of the worker's batch; NULL for the mailbox */
    struct enrich_cache *cache;     /* NULL: no enrichers */
    uint64_t *cells;                /* the worker's metric cells; NULL: shared ones */
    struct pressure *pressure;
    _Atomic int owner;              /* PUB_* */
    _Atomic uint64_t fenced;        /* the last fence that it passed */
    pthread_mutex_t lock;           /* the mailbox's */
};

int publisher_init(struct publisher *p, uint32_t slot);         /* [ctl] in bus_create(); 0 or EC_ENOMEM */
int publisher_ready(struct publisher *p);                       /* [ctl] in bus_start(), topics are known */
void publisher_fini(struct publisher *p);
void publisher_metric(struct publisher *p, uint32_t m);         /* [publisher] + 1; m: BUS_M_* */
void publisher_flush(struct publisher *p);                      /* [publisher] wake the lanes that it pushed to */
/* [publisher] Append the enrichers' parts, seal the build, hand it to every lane and inline subscriber. 0 or EC_EAGAIN:
 * lost for somebody, counted. */
int32_t publisher_publish(struct publisher *p, struct ec_build *b, const struct plan *plan);
int32_t mailbox_publish(struct publisher *p, struct ec_build *b);       /* [any] the same for other threads */

#endif
