/* reload.h: reloads that somebody asks this plugin for, each followed to its end: new rules are in force, or the old
 * ones stay and a sentence says why. */
#ifndef IDS_MANAGE_RELOAD_H
#define IDS_MANAGE_RELOAD_H
#include "plugins/ids/host.h"
#include "plugins/ids/rule/set.h"

#include <ecyber/ext/daemon.h>
#include <stdbool.h>

#define RELOADS_KEPT    32          /* the newest, with their outcome */
#define RELOAD_PROBLEMS 50          /* errors that are kept of each */

enum reload_step { RELOAD_RUNNING, RELOAD_DONE, RELOAD_FAILED };
#define RELOAD_WORDS "running,done,failed"

struct reload {
    uint64_t id, asked_ns, ended_ns;        /* ended_ns: 0 while it runs */
    enum reload_step step;
    struct ruleset_counts counts;           /* of the rules in force when it ended */
    char by[64], why[1024];                 /* why: of a failure */
    uint32_t n_problem;
    char **problem;                         /* "FILE:LINE:COL: sid N: sentence" */
};

/* [pool] ok: the generation that has been built since the request is in force for every worker, and state is it (of
 * this plugin). Else why: a sentence. Must not wait for another reload. */
typedef void reload_ended_fn(void *arg, const void *state, uint64_t id, bool ok, const char *why);

struct reloads;

/* [ctl] setup(): NULL without memory or without ec.daemon/1. */
struct reloads *reloads_new(const struct ec_host *h, const struct ec_daemon *d, void *daemon_self);
void reloads_free(struct reloads *rs);          /* [ctl] destroy(); NULL is taken */
/* [any] Ask for one. by: who. fn (NULL: nobody) is called once. *id (NULL: not wanted) is its number. EC_EAGAIN: too
 * many are asked for, or the daemon ends; EC_ENOMEM: fn will not be called. */
int32_t reloads_ask(struct reloads *rs, const char *by, reload_ended_fn *fn, void *arg, uint64_t *id);
#define RELOADS_LOOK_NS UINT64_C(50000000)
void reloads_look(struct reloads *rs);          /* [sub] each RELOADS_LOOK_NS: has one ended? NULL is taken */
/* [any] What is known of one, with lists that belong to the caller: reload_clear(). false: never heard of, or
 * forgotten. */
bool reloads_get(struct reloads *rs, uint64_t id, struct reload *to);
void reload_clear(struct reload *r);
/* The first errors of a set. */
void reload_problems(struct reload *r, const struct ruleset *set);

#endif
