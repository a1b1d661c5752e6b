/* worker_state.h: what worker.c (who works, start and stop) and worker_loop.c (how) share. */
#ifndef CORE_WORKER_STATE_H
#define CORE_WORKER_STATE_H
#include "core/worker.h"

#include <pthread.h>
#include <stdatomic.h>

#define WORKER_IDLE_PACKETS 64u     /* idle() of the stages after so many packets, whatever the batch */
#define WORKER_WAIT_MS 100u         /* a fetch that waits */

struct worker_source { struct instance *instance; const struct ec_source *s; };
struct worker_stage { struct instance *instance; const struct ec_stage *s; };

struct worker {
    uint32_t id;
    int wake_fd;
    pthread_t thread;
    bool started;
    const struct plan *plan;        /* of this batch */
    const struct worker_source *source;
    const char *uri;
    void *handle;
    bool may_wait, more, failed;
    uint32_t since_idle;            /* packets */
    uint32_t source_gen;            /* generation that the source knows */
    uint64_t latest_ns;             /* packet's time, the greatest so far */
    uint64_t clock_ns;              /* of the source, as its stats() told last; 0: unknown */
    uint64_t idle_at, stats_at, tick_at;        /* monotonic */
    struct ec_frame frame[EC_BATCH_MAX], *f[EC_BATCH_MAX];
    uint32_t verdict[EC_BATCH_MAX];
    uint64_t before[EC_SRC_STATS];  /* counters of the sources that are closed */
    _Atomic uint64_t stats[EC_SRC_STATS], fetched, finished, dropped;
    _Atomic uint32_t status;
    _Atomic uint64_t done, whole;   /* EC_SRC_DONE, EC_SRC_WHOLE of the open source */
    _Atomic uint32_t at_uri;
    struct worker_account noted;    /* at the last fence, under a lock of worker.c */
};

struct workers {
    struct worker_config c;
    uint32_t n;                     /* at least 1 once started */
    struct worker *w;
    uint32_t n_source, n_stage;
    struct worker_source *source;
    struct worker_stage *stage;
    atomic_bool stopping;
    bool packet_clock;
};
extern struct workers workers;

const struct worker_source *worker_source_of(const char *uri);     /* NULL: no source has this scheme */
void worker_note(struct worker *w); /* [wrk] between two batches: keep the account for worker_account_fenced() */
void worker_loop(struct worker *w); /* every URI to its end or until stopping, then the end of the stages; [wrk] */

#endif
