/* worker.h: packet workers: fetch a batch from the source, run the stages, give the frames back with their verdicts.
 * No libevent inside. */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/source.h>
#include <ecyber/ext/stage.h>

struct instance;
struct plan;
struct worker_config {
    uint32_t workers;               /* 0: run on the calling thread */
    uint32_t batch;                 /* 1…EC_BATCH_MAX */
    uint32_t n_uri;                 /* sources, one after the other (files) or the only one (live) */
    const char *const *uri;         /* "file:PATH", "live:IFACE" */
    /* --workers 0: called by worker_run() between two batches and at least every 100 ms while none comes, offline, so
     * that signals, control requests and a reload are handled on the same thread. May be NULL. */
    void (*tick)(void *arg);
    void *tick_arg;
    uint64_t stop_wait_ns;          /* once asked to stop, the stages' last events wait so long for slow readers */
};
struct worker_account {             /* one worker, packets */
    uint64_t source[EC_SRC_STATS];  /* the source's own counters */
    uint64_t fetched, finished, dropped_verdict;
    uint32_t status;                /* EC_SRC_* of the last fetch */
};

void worker_reset(void);            /* [ctl] not running: forget sources and stages, for a new start */
int worker_source(struct instance *i, const struct ec_source *s, char *why, uint32_t n);    /* [ctl] before start */
int worker_stage(struct instance *i, const struct ec_stage *s, char *why, uint32_t n);
/* [ctl] Has each of c->uri its source, and would each be reached? What is wrong is logged. 0 or EC_E*. */
int worker_check(const struct worker_config *c);
bool worker_ends(const struct worker_config *c);    /* [ctl] checked: will the last source be at its end some time? */
/* [ctl] PRIVILEGE_*: what any of c->uri needs to be opened, and the workers keep. */
uint32_t worker_powers(const struct worker_config *c);
/* [ctl] configured: "SCHEME:" of the first source that is to stand open though nobody named it; from malloc(). NULL: none
 * (or out of memory). */
char *worker_standing(void);
/* [ctl] Start the workers. done: called once, on the control thread's behalf ([any]), when the last source has ended;
 * failed: a source could not be opened or broke. */
int worker_start(const struct worker_config *c, void (*done)(bool failed, void *arg), void *arg);
void worker_run(void);              /* --workers 0: fetch until the end or worker_stop(); on the calling thread */
void worker_stop(void);             /* [any] ask: last batch, flows end, offline. Async-signal-safe */
void worker_join(void);             /* [ctl] wait for their end */
uint32_t worker_count(void);        /* at least 1 */
void worker_account_get(uint32_t worker, struct worker_account *a);                         /* [any] */
/* [any] The same as it was when the worker passed the last fence, or ended: between two batches, so that
 * source[EC_SRC_DELIVERED] = fetched = finished. */
void worker_account_fenced(uint32_t worker, struct worker_account *a);
/* [any] How far the first worker's source has got, in bytes (whole 0: unknown), and which of the URIs it is, from 0. */
void worker_progress(uint64_t *done, uint64_t *whole, uint32_t *uri);
const struct plan *worker_plan(uint32_t worker);                                            /* [wrk] of this batch */

#endif
