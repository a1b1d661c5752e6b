/* bus.h: the event lane. A publisher builds a block, enrichers append to it, it is sealed, and its reference goes
 * through the ring of (worker, lane) into each subscriber's own queue.
 *
 * Accounting: for every publisher and subscription,   in = out + dropped{reason} + queued   and at a fence queued = 0.
 * Every loss stands under exactly one reason. */
#ifndef CORE_BUS_H
#define CORE_BUS_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/enrich.h>

/* Defaults. A queue holds less than an arena, so that one reader that stalls costs only its own events. */
#define BUS_ARENA_BYTES (UINT64_C(32) << 20)
#define BUS_RING_SLOTS 16384u
#define BUS_QUEUE_EVENTS 65536u
#define BUS_QUEUE_BYTES (UINT64_C(8) << 20)
#define BUS_QUEUE_EVENTS_MAX (1u << 20)

struct instance;
struct plan;
struct bus_config {                 /* 0 in any field but workers: the default */
    uint32_t workers;               /* 0: everything on one thread; at most 128 */
    uint32_t lanes;                 /* 1 … 16 */
    uint64_t arena_bytes;           /* of each publisher; default 32 MiB */
    uint32_t ring_slots;            /* of each (worker, lane); a power of two */
    uint32_t queue_events;          /* defaults of a subscription */
    uint64_t queue_bytes;
};

enum bus_reason {                   /* why an event was lost */
    BUS_DROP_ARENA,                 /* no room in the publisher's arena */
    BUS_DROP_RING,                  /* the transport ring was full */
    BUS_DROP_QUEUE,                 /* the subscriber's own queue was full: newest or oldest dropped */
    BUS_DROP_SAMPLE,                /* sampled away by its policy */
    BUS_DROP_SHUTDOWN,              /* still queued when the time to stop was over */
    BUS_REASONS
};
extern const char *const bus_reason_names[BUS_REASONS];

/* [ctl] Before any plugin's setup. Enters the bus's metrics (owner "core"), makes arenas, rings and the lanes' loops.
 * 0, EC_EINVAL: too many workers, EC_ENOMEM, EC_EIO. */
int bus_create(const struct bus_config *c);
int bus_subscribe(struct instance *i, const struct ec_sub *s, char *why, uint32_t n);       /* [ctl] setup */
int bus_timer(struct instance *i, const struct ec_timer *t, char *why, uint32_t n);         /* [ctl] setup */
int bus_enricher(struct instance *i, const struct ec_enricher *e, char *why, uint32_t n);   /* [ctl] after setup */
/* [ctl] After the freeze, metric_workers() and every plugin's start(), before the workers: until then events are not
 * taken (EC_ENOENT). 0, EC_ENOMEM or EC_EAGAIN (no thread). */
int bus_start(void);
/* [ctl] Workers have ended: drain every queue until the deadline; what is left is dropped{shutdown}.
 * false: a reader is stuck in a plugin, so that what it may touch has to stay. */
bool bus_stop(uint64_t timeout_ns);
void bus_free(void);

/* As struct ec_host says. */
int32_t bus_open(struct instance *i, uint32_t worker, uint32_t topic, struct ec_build *b);
int32_t bus_publish(struct instance *i, struct ec_build *b);
void bus_discard(struct ec_build *b);

/* What a worker's loop does. [wrk] all of them; the thread is in its epoch. attach before the first event, detach after
 * the last (it passes a fence that is asked for); batch: the plan that its events go by from now on; flush: at the end of
 * a batch, wake the lanes: until then readers may sleep. Between two batches, and about every 100 ms without one: is a
 * fence asked for? Then pass it. on_wake: how the bus wakes worker N out of a
 * fetch that waits. [ctl] */
void bus_attach(uint32_t worker);
void bus_batch(const struct plan *plan);
void bus_flush(void);
bool bus_fence_wanted(void);
void bus_fence_pass(void);
void bus_detach(void);
void bus_on_wake(void (*fn)(uint32_t worker));

/* --workers 0: deliver everything that is queued, in the order of registration, and run due timers at the packets'
 * clock. [wrk] */
void bus_drain(uint64_t now_ns);
void bus_drain_idle(uint64_t now_ns);           /* the same, then let every reader flush: when no packet comes */
/* Replay may wait: is any ring, arena or queue over half full, with its reader still moving? [wrk] at a batch's end */
bool bus_pressed(void);
void *bus_loop(struct instance *i);             /* its lane's event_base; NULL with --workers 0 */

/* Counters of one (publisher, subscription) pair: in: events published whose topic it wants. Or, plugin = NULL, of one
 * publisher before its rings: in: published, out: got a block, the only reason of losses is the arena. */
struct bus_row {
    uint32_t publisher;             /* worker, or EC_PUB_MAILBOX */
    const char *plugin, *topic;     /* of the subscription */
    uint64_t in, out, queued, dropped[BUS_REASONS];
    uint64_t gaps;                  /* events lost, as the gaps in seq tell it: only for "*" */
};
/* An exact account: a marker goes through sources, rings and queues, and each thread notes its counters as it passes.
 * Calls fn for each row; returns false where a thread did not answer in time (fn is then called with the momentary
 * counters). [ctl] */
bool bus_fence(uint64_t timeout_ns, void (*fn)(const struct bus_row *r, void *arg), void *arg);
/* The same for who must not wait: begin (false: the bus does not run), step about every millisecond until it says that all
 * have passed, rows (exact: they have), end. All on one thread, one fence at a time. [ctl] */
bool bus_fence_begin(void);
bool bus_fence_step(void);
void bus_fence_rows(bool exact, void (*fn)(const struct bus_row *r, void *arg), void *arg);
void bus_fence_end(void);
/* The same without waiting: momentary counters, queued included. [any] */
void bus_rows(void (*fn)(const struct bus_row *r, void *arg), void *arg);

#endif
