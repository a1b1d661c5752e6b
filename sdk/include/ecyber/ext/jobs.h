/* jobs.h: ec.jobs/1, long work that people ask for and come back to. STATUS: draft 1.
 * One plugin keeps the list and serves it at /api/system/jobs; whoever does the work tells it how far it is. The list is in
 * memory: it ends with the daemon, and no id is given twice, also not by the next run. */
#ifndef EC_EXT_JOBS_H
#define EC_EXT_JOBS_H
#include "../plugin.h"
#include "http.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_JOBS_ID "ec.jobs/1-draft.1"

struct ec_job {                     /* copied, but for arg and what the functions need */
    uint32_t size, reserved;
    const char *kind;               /* "packets.replay": [a-z][a-z0-9._]{0,31} */
    const char *by;                 /* who asked for it, "anna"; NULL: nobody */
    /* [any] without a lock of this service, at most once; may be NULL. cancel(): somebody has cancelled it; it is over
     * already, so the work has to end soon and to free what it holds. forget(): it leaves the list, nobody can ask for it
     * any more: what its result names may go. That can be within create() of another job. Both must not block; neither is
     * called when the daemon ends. */
    void (*cancel)(void *arg, uint64_t id);
    void (*forget)(void *arg, uint64_t id);
    void *arg;                      /* [keep] */
};

struct ec_jobs {
    uint32_t size, reserved;
    /* [any] from start() on. A job that is queued. EC_ELIMIT: there are too many that are not over. */
    int32_t (*create)(void *self, const struct ec_job *j, uint64_t *id);
    /* [any] It runs, from the first call on, and so much of it is done: 0…100, never less than before. EC_EEND: it is over
     * (cancelled), so stop; EC_ENOENT: no such job. */
    int32_t (*progress)(void *self, uint64_t id, uint32_t percent);
    /* [any] It is over. result: a JSON object, copied, NULL: none; why: a sentence of one line. EC_EEND: it was already. */
    int32_t (*finish)(void *self, uint64_t id, const char *result);
    int32_t (*fail)(void *self, uint64_t id, const char *why, const char *result);
    /* [any] Answers a request, in place of reply(): 202, `Location` and the job's object. Needs ec.http/1. */
    int32_t (*reply)(void *self, struct ec_req *r, uint64_t id);
};

#ifdef __cplusplus
}
#endif
#endif
