/* job.h: long work of the daemon, waited for. */
#ifndef CLI_JOB_H
#define CLI_JOB_H
#include "cli/api.h"

#include <stdint.h>

/* /api/system/jobs/ID, with a word behind it; NULL: none. */
void job_path(struct api_path *p, uint64_t id, const char *word);

/* Waits for a job, with its progress on a terminal, and cancels it at an interrupt; prints its result, why it failed,
 * and puts it. job NULL: code is returned. Else an exit code. */
typedef void job_print_fn(const struct cli *c, struct json_object *result);
int job_tell(const struct cli *c, struct json_object *job, int code, job_print_fn *print);

#endif
