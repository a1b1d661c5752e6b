/* replay.h: captures that are read by a child process, and what came of them. replay.c is the glue, runs.c the list of
 * them, runner.c the one thread that starts and watches children, check.c looks at rules first, routes.c is the API.
 *
 *   upload ─► run (a descriptor without a name) ─► child in STATE/replay/ID: replay.yaml, rules, log, state/
 *                                                  └─► events.json
 *
 * A run is a job of ec.jobs/1 and has its id. What a job's end leaves is STATE/replay/ID/events.json, and the capture's
 * descriptor, which rules can be tested on; both go when the job leaves the list, or when there are too many bytes. */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/captures.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/jobs.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define REPLAY_PLUGINS 16u
#define REPLAY_UPLOAD (1u << 30)    /* bytes; replay.size may be less */
#define REPLAY_RULES 262144u        /* bytes of rules */
#define REPLAY_PROBLEMS 100u

struct json_object;

struct options {
    uint64_t size, memory, output, keep, time_ns;
    uint32_t at_once, n_plugin;
    char *plugin[REPLAY_PLUGINS];
};

enum run_state { RUN_WAITS, RUN_RUNS, RUN_OVER };
struct run {                        /* under the list's lock, but what only the runner touches */
    struct run *next;
    uint64_t id;                    /* of its job; 0: not yet */
    enum run_state state;
    atomic_bool cancelled;
    bool forgotten;
    int capture;                    /* −1: it has been let go */
    uint64_t length, kept;          /* of the capture; of its events */
    char *rules;                    /* NULL: the daemon's */
    /* the runner's: */
    pid_t pid;
    uint64_t begun_ns;
    const char *killed;             /* why it was killed, NULL: it was not */
};

struct replay {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_jobs *jobs;
    const struct ec_daemon *daemon;
    const struct ec_captures *captures;
    void *http_self, *jobs_self, *daemon_self, *captures_self;
    struct options o;               /* from start() on */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct run *first;              /* the oldest first */
    bool stopping, running;         /* running: there is a thread */
    pthread_t thread;
    char *config;                   /* the last answer of the daemon */
    uint64_t asked, answered;
};

/* runs.c. [any] A run that waits: takes capture and rules in any case. by: who. *id: its job. EC_OK; EC_ELIMIT,
 * EC_ENOMEM, and a sentence. */
int32_t run_add(struct replay *k, const char *kind, const char *by, int capture, uint64_t length, char *rules,
                uint64_t *id, char *why, size_t n);
/* [any] A capture that is only kept: a job that is done. Otherwise like run_add(). */
int32_t run_keep(struct replay *k, const char *by, int capture, uint64_t length, uint64_t *id, char *why, size_t n);
/* [any] A descriptor of its own of a run's capture. −1: there is none any more. */
int run_capture(struct replay *k, uint64_t id, uint64_t *length);
void runs_free(struct replay *k);               /* [ctl] nobody uses them any more */
/* The runner: captures and events of the oldest that are over go, until what is kept fits. */
void runs_trim(struct replay *k, uint64_t more);
/* STATE/replay/ID into to. */
void run_folder(const struct replay *k, uint64_t id, char *to, size_t n);
/* Of a folder that a child worked in: everything but events.json, which moves up; or with it, everything. */
void folder_clear(const char *folder, bool all);

/* check.c. [pool, the runner] The configuration in force as JSON, to be freed; NULL: the daemon ends, or is busy. */
char *live_config(struct replay *k);
/* [pool, the runner] Makes a run's folder with its configuration and rules. 0, or −1 and a sentence. */
int folder_make_ready(struct replay *k, const char *folder, const char *rules, char *why, size_t n);
/* [pool] Are these rules in order? A JSON array of texts, "2:35: sid 2: …", empty: they are; to be put. NULL and a
 * sentence: that cannot be found out. */
struct json_object *rules_check(struct replay *k, const char *rules, char *why, size_t n);

/* runner.c. [ctl] */
int32_t runner_start(struct replay *k);
void runner_stop(struct replay *k);

int32_t routes_setup(struct replay *k);         /* [ctl] routes.c */

#endif
