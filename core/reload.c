#include "core/reload.h"

#include "core/conf/conf.h"
#include "core/daemon.h"
#include "core/epoch.h"
#include "core/freeze.h"
#include "core/generation.h"
#include "core/log/log.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/pool.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* BUILD on a pool thread, SWAP on the control thread, GRACE on a pool thread, and back to IDLE on
 * the control thread. */
enum step { STEP_IDLE, STEP_BUILD, STEP_GRACE };

static struct {
    struct daemon *d;
    struct event *done;             /* the step on the pool thread has ended */
    enum step step;
    bool again, in_place;
    const char *who;
    uint32_t gen;                   /* that is being built */
    struct plan *next, *old;
    struct reload_result result;
    char why[1024];                 /* of the step that failed */
} r;

struct waiter {
    void (*fn)(bool fine, const char *why, void *arg);
    void *arg;
    struct waiter *next;
};
static struct waiter *waiting, *watching;   /* for the next one; for the one that is being built */

static void tell_waiters(struct waiter **list, bool fine, const char *why)
{
    struct waiter *all = *list, *w;

    *list = NULL;
    while ((w = all)) {
        all = w->next;
        w->fn(fine, why, w->arg);
        free(w);
    }
}

int reload_then(void (*fn)(bool fine, const char *why, void *arg), void *arg)
{
    struct waiter *w = r.d && !r.d->stopping ? malloc(sizeof *w) : NULL;

    if (!w)
        return -1;
    *w = (struct waiter){ fn, arg, waiting };
    waiting = w;
    return 0;
}

static void take_sentence(const char *sentence, void *arg)
{
    (void)arg;
    log_f("core", EC_LOG_ERROR, NULL, "reload: %s", sentence);
    if (!r.why[0])
        snprintf(r.why, sizeof r.why, "%s", sentence);
}

static void tell_kept(const char *section, const char *name, void *arg)
{
    (void)arg;
    log_f("core", EC_LOG_WARNING, NULL,
          "reload: %s.%s has changed; it takes effect at the next start", section, name);
}

/* [cfg] Reads the old conf, which lives as long as the current plan: nobody else swaps it. */
static void build(void *arg)
{
    const struct plan *now = plan_current();
    struct conf *c = daemon_conf_load(r.d, NULL, take_sentence, NULL);
    struct options o;
    char why[sizeof r.why];

    (void)arg;
    r.next = NULL;
    if (!c)
        return;
    if (conf_keep(c, now->conf, tell_kept, NULL)) {
        take_sentence("out of memory", NULL);
        conf_free(c);
        return;
    }
    options_read(&o, c);
    if (!options_check(&o, why, sizeof why))
        r.next =
            generation_build(r.d->plugins.order, r.d->plugins.n_order, c, r.gen, why, sizeof why);
    if (!r.next) {
        take_sentence(why, NULL);
        conf_free(c);
    }
}

/* [cfg] Wait until nobody can hold the old plan, then free it. It is never freed early: over the
 * grace period its holder is named, again and again. */
static void grace(void *arg)
{
    uint64_t limit = r.d->opt.reload_grace;
    const struct timespec pause = { 0, 2000000 };
    uint64_t waited = 0;
    const char *holder = NULL;

    (void)arg;
    while (!epoch_wait(limit, &holder))
        LOG(EC_LOG_WARNING, "reload: generation %u is still held, after %.1f s, by thread %s",
            r.old->gen, (double)limit / 1e9, holder ? holder : "?");
    while (plan_refs(r.old)) {
        nanosleep(&pause, NULL);
        waited += 2000000;
        if (waited < limit)
            continue;
        waited = 0;
        LOG(EC_LOG_WARNING,
            "reload: generation %u is still held, after %.1f s, by a job of plugin %s", r.old->gen,
            (double)limit / 1e9, r.old->holder);
    }
    generation_free(r.d->plugins.order, r.old);
    r.old = NULL;
}

static void build_on_pool(void *arg)
{
    build(arg);
    event_active(r.done, EV_READ, 0);
}

static void grace_on_pool(void *arg)
{
    grace(arg);
    event_active(r.done, EV_READ, 0);
}

static void failed(void)
{
    r.result.failed++;
    snprintf(r.result.why, sizeof r.result.why, "%s", r.why[0] ? r.why : "no reason was given");
    metric_delta(freeze_metric(FREEZE_RELOAD_FAILURES), 1);
    LOG(EC_LOG_ERROR, "reload failed, generation %u stays: %s", plan_current()->gen, r.result.why);
    tell_waiters(&watching, false, r.result.why);
}

/* The live options of the core itself. */
static void apply_core(struct conf *c)
{
    char why[512];

    options_read(&r.d->opt, c);
    if (options_log(&r.d->opt, why, sizeof why))
        LOG(EC_LOG_ERROR, "reload: %s", why);
}

static void swap(void)
{
    struct plan *next = r.next;

    r.next = NULL;
    r.old = plan_swap(next);
    apply_core(next->conf);
    r.result.done++;
    r.result.why[0] = '\0';
    metric_delta(freeze_metric(FREEZE_RELOADS), 1);
    metric_set(freeze_metric(FREEZE_GENERATION), next->gen);
    LOG(EC_LOG_INFO, "reloaded: generation %u", next->gen);
    tell_waiters(&watching, true, NULL);
}

static void idle(void)
{
    r.step = STEP_IDLE;
    r.result.running = false;
    if (r.again) {
        r.again = false;
        reload_request(r.who);
    }
}

/* [ctl] A step on the pool thread has ended. */
static void on_done(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (r.step == STEP_BUILD && r.next) {
        swap();
        r.step = STEP_GRACE;
        if (!pool_run(NULL, "reload", grace_on_pool, NULL))
            return;
        grace(NULL);                /* the pool is full: here, then */
    } else if (r.step == STEP_BUILD) {
        failed();
    }
    idle();
}

static void run_in_place(void)
{
    build(NULL);
    if (r.next) {
        swap();
        grace(NULL);
    } else {
        failed();
    }
    idle();
}

void reload_request(const char *who)
{
    if (!r.d || r.d->stopping)
        return;
    r.who = who;
    if (r.step != STEP_IDLE) {
        r.again = true;
        LOG(EC_LOG_INFO, "reload: one is under way, the next follows it");
        return;
    }
    LOG(EC_LOG_INFO, "reload: asked for by %s", who);
    r.why[0] = '\0';
    watching = waiting;
    waiting = NULL;
    r.gen = plan_current()->gen + 1;
    r.step = STEP_BUILD;
    r.result.running = true;
    if (r.in_place) {
        run_in_place();
    } else if (pool_run(NULL, "reload", build_on_pool, NULL)) {
        snprintf(r.why, sizeof r.why, "the work pool's queue is full");
        failed();
        idle();
    }
}

const struct reload_result *reload_last(void)
{
    return &r.result;
}

int reload_open(struct daemon *d)
{
    memset(&r, 0, sizeof r);
    r.d = d;
    r.in_place = !d->opt.workers;
    r.done = event_new(d->base, -1, 0, on_done, NULL);
    return r.done ? 0 : -1;
}

void reload_close(void)
{
    if (r.done)
        event_free(r.done);
    r.done = NULL;
    if (r.d && r.next)
        generation_free(r.d->plugins.order, r.next);
    r.next = NULL;
    r.d = NULL;
    tell_waiters(&watching, false, NULL);
    tell_waiters(&waiting, false, NULL);
}
