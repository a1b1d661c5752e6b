#include "cli/job.h"

#include "cli/print.h"
#include "cli/safe.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 200000000           /* between two looks at the job */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

void job_path(struct api_path *p, uint64_t id, const char *word)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, id);
    api_path(p, "/api/system/jobs");
    api_segment(p, number);
    if (word)
        api_segment(p, word);
}

static void progress(struct json_object *job, bool last)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (last)
        fprintf(stderr, "\r%24s\r", "");
    else
        fprintf(stderr, "\r%-9.9s %3" PRIu64 " %%", get_text(job, "state"), get_number(job, "progress"));
    fflush(stderr);
}

static bool is_over(struct json_object *job)
{
    const char *state = get_text(job, "state");

    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* The job as it is once it is over; NULL and an exit code. job is put. */
static struct json_object *wait_for(const struct cli *c, struct json_object *job, int *code)
{
    const struct timespec pause = {0, LOOK_NS};
    struct sigaction once = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    uint64_t id = get_number(job, "id");
    bool cancelled = false;
    struct api_path p;

    sigaction(SIGINT, &once, NULL);
    while (job && !is_over(job)) {
        bool cancel = interrupted && !cancelled;

        progress(job, false);
        cancelled |= cancel;
        if (!cancel)
            nanosleep(&pause, NULL);
        json_object_put(job);
        job_path(&p, id, cancel ? "cancel" : NULL);
        job = api_call(c, cancel ? "POST" : "GET", p.text, NULL, code);
    }
    progress(job, true);
    return job;
}

int job_tell(const struct cli *c, struct json_object *job, int code, job_print_fn *print)
{
    struct json_object *result;
    bool done;

    if (job)
        job = wait_for(c, job, &code);
    if (!job)
        return code;
    done = !strcmp(get_text(job, "state"), "done");
    result = get(job, "result");
    if (!print_json(c, job) && result)
        print(c, result);
    if (!done) {
        fprintf(stderr, "ecyberctl: the job is %s", get_text(job, "state"));
        if (*get_text(job, "error")) {
            fputs(": ", stderr);
            safe_print(stderr, get_text(job, "error"));
        }
        fputc('\n', stderr);
    }
    json_object_put(job);
    code = print_end();
    return code ? code : done ? CLI_OK : CLI_FAILED;
}
