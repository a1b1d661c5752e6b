#include "core/worker_state.h"

#include "core/bus/bus.h"
#include "core/clock.h"
#include "core/instance.h"
#include "core/launcher/privilege.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/plan.h"
#include "core/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct workers workers;

static void (*on_done)(bool failed, void *arg);
static void *on_done_arg;
static _Atomic uint32_t running;
static atomic_bool any_failed;
static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER;

void worker_reset(void)
{
    for (uint32_t i = 0; i < workers.n; i++)
        if (workers.w[i].wake_fd >= 0)
            close(workers.w[i].wake_fd);
    free(workers.w);
    free(workers.source);
    free(workers.stage);
    workers.w = NULL;
    workers.source = NULL;
    workers.stage = NULL;
    workers.n = workers.n_source = workers.n_stage = 0;
}

int worker_source(struct instance *i, const struct ec_source *s, char *why, uint32_t n)
{
    struct worker_source *more;

    if (!s || s->size < sizeof *s || !s->scheme || !s->open || !s->fetch || !s->finish || !s->stats || !s->close) {
        snprintf(why, n, "a source needs a scheme, all of its functions and the size of its struct");
        return EC_EINVAL;
    }
    for (uint32_t k = 0; k < workers.n_source; k++)
        if (!strcmp(workers.source[k].s->scheme, s->scheme)) {
            snprintf(why, n, "sources of \"%s:\" come from %s already", s->scheme, workers.source[k].instance->d.name);
            return EC_EEXIST;
        }
    more = realloc(workers.source, (workers.n_source + 1u) * sizeof *more);
    if (!more) {
        snprintf(why, n, "out of memory for a source");
        return EC_ENOMEM;
    }
    workers.source = more;
    workers.source[workers.n_source++] = (struct worker_source){ i, s };
    return EC_OK;
}

int worker_stage(struct instance *i, const struct ec_stage *s, char *why, uint32_t n)
{
    struct worker_stage *more;

    if (!s || s->size < sizeof *s || !s->packet) {
        snprintf(why, n, "a stage needs packet() and the size of its struct");
        return EC_EINVAL;
    }
    more = realloc(workers.stage, (workers.n_stage + 1u) * sizeof *more);
    if (!more) {
        snprintf(why, n, "out of memory for a stage");
        return EC_ENOMEM;
    }
    workers.stage = more;
    workers.stage[workers.n_stage++] = (struct worker_stage){ i, s };
    return EC_OK;
}

const struct worker_source *worker_source_of(const char *uri)
{
    for (uint32_t i = 0; i < workers.n_source; i++) {
        size_t n = strlen(workers.source[i].s->scheme);

        if (!strncmp(uri, workers.source[i].s->scheme, n) && uri[n] == ':')
            return &workers.source[i];
    }
    return NULL;
}

/* Async-signal-safe, as worker_stop() has to be. */
static void wake(uint32_t worker)
{
    uint64_t one = 1;

    if (worker < workers.n && write(workers.w[worker].wake_fd, &one, sizeof one) < 0)
        return;                     /* full: it is readable already */
}

/* The whole life of a worker on its thread. */
static void worker_main(void *arg)
{
    struct worker *w = arg;

    worker_loop(w);
    if (w->failed)
        atomic_store(&any_failed, true);
    if (atomic_fetch_sub(&running, 1) == 1 && on_done)
        on_done(atomic_load(&any_failed), on_done_arg);
}

static int workers_make(uint32_t n)
{
    workers.w = calloc(n, sizeof *workers.w);
    if (!workers.w)
        return EC_ENOMEM;
    workers.n = n;
    for (uint32_t i = 0; i < n; i++)
        workers.w[i].wake_fd = -1;
    for (uint32_t i = 0; i < n; i++) {
        struct worker *w = &workers.w[i];

        w->id = i;
        w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (w->wake_fd < 0)
            return EC_EIO;
        for (uint32_t k = 0; k < EC_BATCH_MAX; k++) {
            w->frame[k].size = (uint32_t)sizeof w->frame[k];
            w->f[k] = &w->frame[k];
        }
    }
    return EC_OK;
}

/* Sources are read one after the other, and only a replay has an end. */
int worker_check(const struct worker_config *c)
{
    for (uint32_t i = 0; i < c->n_uri; i++) {
        const struct worker_source *s = worker_source_of(c->uri[i]);

        if (!s) {
            LOG(EC_LOG_ERROR, "no plugin opens \"%s\"", c->uri[i]);
            return EC_ENOENT;
        }
        if (i + 1 < c->n_uri && !(s->s->flags & EC_SOURCE_MAY_WAIT)) {
            LOG(EC_LOG_ERROR, "\"%s\" never ends, so \"%s\" would never be opened: watch one interface, or \"any\"",
                c->uri[i], c->uri[i + 1]);
            return EC_EINVAL;
        }
    }
    return EC_OK;
}

bool worker_ends(const struct worker_config *c)
{
    const struct worker_source *s = c->n_uri ? worker_source_of(c->uri[c->n_uri - 1]) : NULL;

    return s && s->s->flags & EC_SOURCE_MAY_WAIT;
}

uint32_t worker_powers(const struct worker_config *c)
{
    uint32_t flags = 0;

    for (uint32_t i = 0; i < c->n_uri; i++) {
        const struct worker_source *s = worker_source_of(c->uri[i]);

        flags |= s ? s->s->flags : 0;
    }
    return (flags & EC_SOURCE_NET_RAW ? PRIVILEGE_RAW : 0) | (flags & EC_SOURCE_NET_ADMIN ? PRIVILEGE_ADMIN : 0);
}

char *worker_standing(void)
{
    for (uint32_t i = 0; i < workers.n_source; i++) {
        const struct worker_source *s = &workers.source[i];
        struct ec_mark old;
        uint32_t wanted;
        char *uri;

        if (!s->s->standing)
            continue;
        old = mark_enter(s->instance->d.name, "standing");
        wanted = s->s->standing(s->instance->self, plan_state(plan_current(), s->instance->index));
        mark_leave(old);
        if (wanted)
            return asprintf(&uri, "%s:", s->s->scheme) < 0 ? NULL : uri;
    }
    return NULL;
}

static int start_thread(struct worker *w)
{
    char name[16];

    snprintf(name, sizeof name, "W%u", w->id);
    return thread_start_capable(&w->thread, name, worker_main, w, worker_powers(&workers.c));
}

int worker_start(const struct worker_config *c, void (*done)(bool failed, void *arg), void *arg)
{
    int err;

    if ((err = worker_check(c)))
        return err;
    workers.c = *c;
    if (!workers.c.batch || workers.c.batch > EC_BATCH_MAX)
        workers.c.batch = EC_BATCH_MAX;
    workers.packet_clock = clock_follows_packets();
    on_done = done;
    on_done_arg = arg;
    atomic_store(&workers.stopping, false);
    atomic_store(&any_failed, false);
    if ((err = workers_make(c->workers ? c->workers : 1)))
        return err;
    atomic_store(&running, workers.n);
    bus_on_wake(wake);
    for (uint32_t i = 0; i < c->workers; i++) {
        if (start_thread(&workers.w[i])) {
            atomic_fetch_sub(&running, workers.n - i);
            worker_stop();
            return EC_EAGAIN;
        }
        workers.w[i].started = true;
    }
    return EC_OK;
}

void worker_run(void)
{
    if (!workers.c.workers && workers.n)
        worker_main(&workers.w[0]);
}

void worker_stop(void)
{
    atomic_store(&workers.stopping, true);
    for (uint32_t i = 0; i < workers.n; i++)
        wake(i);
}

void worker_join(void)
{
    for (uint32_t i = 0; i < workers.n; i++)
        if (workers.w[i].started) {
            pthread_join(workers.w[i].thread, NULL);
            workers.w[i].started = false;
        }
}

uint32_t worker_count(void)
{
    return workers.n ? workers.n : 1;
}

void worker_account_get(uint32_t worker, struct worker_account *a)
{
    const struct worker *w;

    memset(a, 0, sizeof *a);
    if (worker >= workers.n)
        return;
    w = &workers.w[worker];
    for (uint32_t i = 0; i < EC_SRC_STATS; i++)
        a->source[i] = atomic_load(&w->stats[i]);
    a->finished = atomic_load(&w->finished);
    a->fetched = atomic_load(&w->fetched);
    a->dropped_verdict = atomic_load(&w->dropped);
    a->status = atomic_load(&w->status);
}

void worker_note(struct worker *w)
{
    struct worker_account a;

    worker_account_get(w->id, &a);
    pthread_mutex_lock(&note_lock);
    w->noted = a;
    pthread_mutex_unlock(&note_lock);
}

void worker_account_fenced(uint32_t worker, struct worker_account *a)
{
    memset(a, 0, sizeof *a);
    if (worker >= workers.n)
        return;
    pthread_mutex_lock(&note_lock);
    *a = workers.w[worker].noted;
    pthread_mutex_unlock(&note_lock);
}

void worker_progress(uint64_t *done, uint64_t *whole, uint32_t *uri)
{
    *done = *whole = *uri = 0;
    if (!workers.n)
        return;
    *done = atomic_load_explicit(&workers.w[0].done, memory_order_relaxed);
    *whole = atomic_load_explicit(&workers.w[0].whole, memory_order_relaxed);
    *uri = atomic_load_explicit(&workers.w[0].at_uri, memory_order_relaxed);
}

const struct plan *worker_plan(uint32_t worker)
{
    return worker < workers.n ? workers.w[worker].plan : NULL;
}
