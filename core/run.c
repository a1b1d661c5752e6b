#include "buildconf.h"

#include "core/run.h"

#include "core/account.h"
#include "core/bus/bus.h"
#include "core/changes.h"
#include "core/clock.h"
#include "core/conf/conf.h"
#include "core/control/control.h"
#include "core/log/crash.h"
#include "core/daemon.h"
#include "core/deadline.h"
#include "core/folder.h"
#include "core/instance.h"
#include "core/launcher/privilege.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/notify.h"
#include "core/pool.h"
#include "core/progress.h"
#include "core/questions.h"
#include "core/reload.h"
#include "core/signals.h"
#include "core/status.h"
#include "core/version.h"
#include "core/log/watchdog.h"
#include "core/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_NS 10000000u           /* --workers 0: how often the control loop is looked at */
#define ABANDON_SECONDS 2           /* for stop() of the others, where a plugin hangs at the end */

static void on_signal(int sig, void *arg)
{
    struct daemon *d = arg;

    if (sig != SIGHUP) {
        daemon_stop(d, sig == SIGINT ? "SIGINT" : "SIGTERM");
        return;
    }
    log_reopen();
    reload_request("SIGHUP");
}

void daemon_stop(struct daemon *d, const char *why)
{
    struct timeval limit = { (time_t)(d->opt.stop_timeout / 1000000000u) + 1, 0 };

    if (d->stopping)
        return;
    d->stopping = true;
    LOG(EC_LOG_INFO, "stops: %s", why);
    if (d->sources && !d->replay_ended)
        worker_stop();
    if (!d->sources || !d->opt.workers || d->replay_ended)
        event_base_loopbreak(d->base);
    else
        event_base_loopexit(d->base, &limit);   /* where a worker hangs, on_ended() never comes */
}

/* [any] The last source has ended, or the workers have stopped. */
static void on_workers_done(bool failed, void *arg)
{
    struct daemon *d = arg;

    d->ended_failed = failed;
    __atomic_store_n(&d->workers_ended, true, __ATOMIC_RELEASE);
    event_active(d->ended, EV_READ, 0);
}

/* Every packet is read and every flow has ended; what was made of them is still served. */
static void stay(struct daemon *d)
{
    worker_join();
    progress_close();
    d->replay_ended = true;
    LOG(EC_LOG_INFO, "the last capture is at its end; stays until it is asked to stop");
    notify("STATUS=replay finished");
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if (!d->stopping && !d->ended_failed && d->opt.stay && d->replays) {
        stay(d);
        return;
    }
    if (!d->stopping)
        LOG(EC_LOG_INFO, "stops: %s",
            d->ended_failed ? "a source has failed" : "the last source is at its end");
    d->stopping = true;
    event_base_loopbreak(d->base);
}

/* --workers 0: the control loop gets its turn between two batches, though not for each packet. */
static void on_tick(void *arg)
{
    struct daemon *d = arg;
    static uint64_t last;
    uint64_t now = clock_monotonic();

    if (now - last < TICK_NS)
        return;
    last = now;
    mark_beat();
    event_base_loop(d->base, EVLOOP_NONBLOCK);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    mark_beat();
    if (!d->opt.workers && (!d->sources || d->replay_ended))
        bus_drain_idle(clock_now());            /* no worker does it */
}

/* A copy: a reload frees the configuration that named them, and the workers open one after the
 * other. */
static int copy_uris(struct daemon *d)
{
    uint32_t n = d->cmd->n_source ? d->cmd->n_source : conf_count(d->opt.c, "sources");

    d->uri = calloc(n + 1, sizeof *d->uri);
    for (; d->uri && d->n_uri < n; d->n_uri++)
        if (!(d->uri[d->n_uri] =
                  strdup(d->cmd->n_source ? d->cmd->source[d->n_uri]
                                          : conf_text(d->opt.c, "sources", d->n_uri))))
            return -1;
    return d->uri ? 0 : -1;
}

/* A source that stands open for what is asked of it later, where no other is named. */
static int standing_uri(struct daemon *d)
{
    char *uri = d->sources || d->cmd->replay || !d->opt.workers ? NULL : worker_standing();

    if (!uri)
        return 0;
    d->uri = calloc(1, sizeof *d->uri);
    if (!d->uri) {
        free(uri);
        return -1;
    }
    d->uri[d->n_uri++] = uri;
    d->sources = true;
    return 0;
}

static void free_uris(struct daemon *d)
{
    while (d->n_uri)
        free(d->uri[--d->n_uri]);
    free(d->uri);
    d->uri = NULL;
}

/* A check opens no source, but a capture that is not there would be found as late as the run. */
static int check_captures(const struct daemon *d)
{
    static const char scheme[] = "file:";
    int rc = EC_OK;

    for (uint32_t i = 0; i < d->n_uri; i++) {
        const char *path = d->uri[i] + sizeof scheme - 1;

        if (strncmp(d->uri[i], scheme, sizeof scheme - 1) || !strcmp(path, "-") || !folder_access(path, R_OK))
            continue;
        LOG(EC_LOG_ERROR, "%s cannot be read: %s", path, strerror(errno));
        rc = EC_ENOENT;
    }
    return rc;
}

int run_check(struct daemon *d)
{
    struct worker_config wc = { 0 };
    int rc = copy_uris(d) ? EC_ENOMEM : EC_OK;

    wc.n_uri = d->n_uri;
    wc.uri = (const char *const *)d->uri;
    if (!rc)
        rc = worker_check(&wc);
    if (!rc)
        rc = check_captures(d);
    free_uris(d);
    return rc;
}

static int start_workers(struct daemon *d)
{
    struct worker_config wc = {
        .workers = d->opt.workers, .batch = d->opt.batch, .tick = on_tick, .tick_arg = d,
        .stop_wait_ns = d->opt.stop_timeout / 2,
    };
    int rc;

    if (!d->n_uri && copy_uris(d))
        return -1;
    wc.n_uri = d->n_uri;
    wc.uri = (const char *const *)d->uri;
    d->replays = worker_ends(&wc);
    if (d->cmd->replay && progress_open(d->base, wc.n_uri))
        LOG(EC_LOG_WARNING, "no progress is shown: out of memory");
    rc = worker_start(&wc, on_workers_done, d);
    privilege_keep(d->opt.workers ? 0 : worker_powers(&wc));
    return rc;
}

/* The socket stands where it is configured; a replay has none of its own accord, so that it never
 * takes the place of the service's. */
static void open_control(struct daemon *d)
{
    const char *path = d->opt.control_socket;
    char why[512];

    if (!path && d->cmd->replay)
        return;
    if (!path) {
        path = ECYBER_RUNDIR "/control.sock";
        if (folder_make(ECYBER_RUNDIR)) {
            LOG(EC_LOG_WARNING, "%s cannot be written: %s; there is no control socket",
                ECYBER_RUNDIR, strerror(errno));
            return;
        }
    }
    if (control_open(d->base, path, why, sizeof why))
        LOG(EC_LOG_WARNING, "%s; there is no control socket", why);
}

static void log_start(const struct daemon *d)
{
    uint32_t out = plugins_left_out(&d->plugins);
    char names[512] = "";

    for (uint32_t k = 0; k < d->plugins.n; k++) {
        size_t at = strlen(names);

        if (d->plugins.all[k]->status == INSTANCE_REFUSED)
            snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "",
                     d->plugins.all[k]->d.name);
    }
    LOG(EC_LOG_INFO, "eCyber %s runs: %u plugins, %u workers", version_string(), d->plugins.n_order,
        d->opt.workers);
    if (out)
        LOG(EC_LOG_WARNING, "runs degraded: %u %s left out: %s", out,
            out == 1 ? "plugin is" : "plugins are", names);
}

static int open_loop(struct daemon *d, struct event **beat)
{
    struct timeval period = { 0, 100000 };

    d->base = event_base_new();
    if (!d->base)
        return -1;
    d->ended = event_new(d->base, -1, 0, on_ended, d);
    *beat = event_new(d->base, -1, EV_PERSIST, on_beat, d);
    status_commands(d);
    changes_commands(d);
    if (!d->ended || !*beat || event_add(*beat, &period) || signals_open(d->base, on_signal, d) ||
        account_open(d->base) || questions_open(d->base))
        return -1;
    return reload_open(d);
}

static void close_loop(struct daemon *d, struct event *beat)
{
    questions_close();
    account_close();                /* may answer a client */
    changes_close();                /* the same */
    control_close();
    watchdog_stop();
    reload_close();
    signals_close();
    if (beat)
        event_free(beat);
    if (d->ended)
        event_free(d->ended);
    if (d->base)
        event_base_free(d->base);
    d->base = NULL;
}

/* Which thread did not end, and what is it doing? A worker that waits for packets is in no plugin.
 */
static bool name_thread(const struct mark_thread *t, void *arg)
{
    const struct daemon *d = arg;

    if (t->mark.plugin && (t->beat_ns || d->stuck))
        LOG(EC_LOG_CRITICAL, "thread %s is still in plugin %s, %s()", t->name, t->mark.plugin,
            t->mark.callback ? t->mark.callback : "?");
    return true;
}

struct inside { const char *plugin; bool is; };

static bool look_inside(const struct mark_thread *t, void *arg)
{
    struct inside *in = arg;

    in->is = t->mark.plugin && !strcmp(t->mark.plugin, in->plugin);
    return !in->is;
}

static void end_at_once(int sig)
{
    (void)sig;
    _exit(EXIT_FAILED);
}

/* What the plugins that no thread is in hold must not be lost for the others' sake. They may wait
 * for the others, so their time is short. */
void daemon_abandon(struct daemon *d)
{
    d->stuck = true;
    LOG(EC_LOG_CRITICAL, "threads did not end within %.0f s: ends at once",
        (double)d->opt.stop_timeout / 1e9);
    mark_each(name_thread, d);
    signal(SIGALRM, end_at_once);
    alarm(ABANDON_SECONDS);
    for (uint32_t k = d->plugins.n_order; k--; ) {
        struct inside in = { d->plugins.order[k]->d.name, false };

        mark_each(look_inside, &in);
        if (!in.is)
            instance_stop(d->plugins.order[k]);
    }
    control_close();
    log_flush(true);
    _Exit(EXIT_FAILED);
}

/* Everything is started: until the end of the sources, or until somebody asks to stop. */
static void serve(struct daemon *d)
{
    if (d->sources && !d->opt.workers) {
        worker_run();
        if (!d->stopping)
            event_base_loop(d->base, EVLOOP_NONBLOCK);
        if (!d->replay_ended)
            return;
    }
    mark_beat();
    event_base_dispatch(d->base);
}

/* Sources have ended, flows too: deliver what is queued. */
static int finish(struct daemon *d)
{
    bool ended;

    if (d->sources && d->opt.workers && !__atomic_load_n(&d->workers_ended, __ATOMIC_ACQUIRE)) {
        LOG(EC_LOG_CRITICAL, "a worker did not end within %.0f s: ends at once",
            (double)d->opt.stop_timeout / 1e9);
        mark_each(name_thread, d);
        _Exit(EXIT_FAILED);
    }
    if (d->sources)
        worker_join();
    progress_close();
    ended = bus_stop(d->opt.stop_timeout);
    status_write_last(d);                       /* once more when the plugins have stopped, unless one hangs there */
    d->ran = true;
    ended &= pool_stop(d->opt.stop_timeout);    /* a reload that is under way, too */
    d->pool = false;
    if (!ended)
        daemon_abandon(d);
    return d->ended_failed ? EXIT_FAILED : EXIT_FINE;
}

int run(struct daemon *d)
{
    struct event *beat = NULL;
    int rc = EXIT_FAILED;
    bool good;

    deadline_close();
    if (open_loop(d, &beat)) {
        LOG(EC_LOG_CRITICAL, "the control loop cannot be made: %s", strerror(errno));
    } else if (bus_start()) {
        LOG(EC_LOG_CRITICAL, "the event bus cannot be started: no threads are left");
    } else {
        watchdog_start(d->base, d->opt.watchdog_warn, d->opt.watchdog_abort);
        open_control(d);
        log_start(d);
        good = !standing_uri(d);
        if (!d->sources)
            privilege_keep(0);
        if (good && (!d->sources || !start_workers(d))) {
            notify("READY=1\nSTATUS=running");
            serve(d);
            notify("STOPPING=1\nSTATUS=delivering what is queued");
            rc = finish(d);
        } else {
            LOG(EC_LOG_CRITICAL, "the workers cannot be started");
            worker_join();          /* those that were */
            if (!bus_stop(0))
                daemon_abandon(d);
        }
        if (!rc)
            crash_survived();
    }
    close_loop(d, beat);
    free_uris(d);
    return rc;
}
