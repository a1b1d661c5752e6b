/* table.h: the list of jobs. Any thread; callbacks are called without the lock. */
#ifndef JOBS_TABLE_H
#define JOBS_TABLE_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EC_API_LEVEL 1
#include <ecyber/ext/jobs.h>

#define TABLE_KEEP_MAX 4096u
#define TABLE_TEXT 1024             /* bytes of an error, with its NUL */
#define TABLE_RESULT 262144         /* bytes of a result */

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };
#define JOB_WORDS "queued,running,done,failed,cancelled"

struct job {                        /* as it is shown */
    uint64_t id, created_ns, started_ns, ended_ns;  /* ns since 1970 UTC; 0: not yet */
    enum job_state state;
    uint32_t progress;
    char kind[33], by[64], error[TABLE_TEXT];
    char *result;                   /* of a copy: free() it; NULL: none */
};
struct table;

/* first: the id of the first job; keep: jobs in the list, 1…TABLE_KEEP_MAX; most: of them that are not over. NULL: out
 * of memory. now: ns since 1970. */
struct table *table_new(uint64_t first, uint32_t keep, uint32_t most, uint64_t (*now)(void *arg), void *arg);
void table_free(struct table *t);               /* calls nobody: who asked has gone */
/* As ec.jobs/1 has them. EC_EINVAL: no such kind may be. */
int32_t table_create(struct table *t, const struct ec_job *j, uint64_t *id);
int32_t table_progress(struct table *t, uint64_t id, uint32_t percent);
/* state: JOB_DONE or JOB_FAILED. A result that is too long is left out. */
int32_t table_end(struct table *t, uint64_t id, enum job_state state, const char *why, const char *result);
/* EC_OK; EC_EEND: it was over; EC_ENOENT. */
int32_t table_cancel(struct table *t, uint64_t id);
/* Leaves the list. EC_EAGAIN: it is not over; EC_ENOENT. */
int32_t table_remove(struct table *t, uint64_t id);
bool table_get(struct table *t, uint64_t id, struct job *to);
/* The newest first, those with an id below `before` (0: all), of these states (bits; 0: all) and this kind (NULL: any);
 * at most `limit` copies into `to`. How many; *more: there are others behind. */
uint32_t table_list(struct table *t, uint64_t before, uint32_t states, const char *kind, uint32_t limit, struct job *to,
                    bool *more);

#endif
