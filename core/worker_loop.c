#include "core/worker_state.h"

#include "core/bus/bus.h"
#include "core/clock.h"
#include "core/epoch.h"
#include "core/host.h"
#include "core/instance.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/plan.h"

#include <time.h>
#include <unistd.h>

#define STATS_NS UINT64_C(200000000)
#define TICK_NS UINT64_C(10000000)
#define IDLE_NS UINT64_C(100000000)

static const void *state_of(const struct worker *w, const struct instance *i)
{
    return plan_state(w->plan, i->index);
}

static void *mem_of(const struct worker *w, const struct instance *i)
{
    return i->worker_mem ? i->worker_mem[w->id] : NULL;
}

static bool stopping(void)
{
    return atomic_load_explicit(&workers.stopping, memory_order_relaxed);
}

/* Between two batches nothing of the last one is held: a grace period may pass, and the plan may have changed. */
static void boundary(struct worker *w)
{
    mark_beat();
    epoch_enter();
    w->plan = plan_current();
    bus_batch(w->plan);
}

static void offline(void)
{
    epoch_leave();
    mark_sleep();
}

/* --workers 0: signals, control requests and reloads have their turn on this thread. */
static void tick(struct worker *w)
{
    uint64_t now;

    if (workers.c.workers || !workers.c.tick)
        return;
    now = clock_monotonic();
    if (now - w->tick_at < TICK_NS)
        return;
    w->tick_at = now;
    offline();
    workers.c.tick(workers.c.tick_arg);
    boundary(w);
}

static void stats_take(struct worker *w, bool now)
{
    uint64_t c[EC_SRC_ALL] = { 0 }, t = clock_monotonic();
    struct ec_mark old;

    if (!now && t - w->stats_at < STATS_NS)
        return;
    w->stats_at = t;
    old = mark_enter(w->source->instance->d.name, "stats");
    w->source->s->stats(w->handle, c, EC_SRC_ALL);
    mark_leave(old);
    w->clock_ns = c[EC_SRC_CLOCK];
    atomic_store_explicit(&w->done, c[EC_SRC_DONE], memory_order_relaxed);
    atomic_store_explicit(&w->whole, c[EC_SRC_WHOLE], memory_order_relaxed);
    for (uint32_t i = 0; i < EC_SRC_STATS; i++)
        atomic_store_explicit(&w->stats[i], w->before[i] + c[i], memory_order_relaxed);
}

/* Between two batches: no frame is out. */
static void fence(struct worker *w)
{
    if (!bus_fence_wanted())
        return;
    if (w->handle)
        stats_take(w, true);
    worker_note(w);
    bus_fence_pass();
}

/* idle() falls on every 64th packet whatever the batch is, so that what it publishes stands at the same place: no fetch
 * reaches over that point. */
static uint32_t fetch_max(const struct worker *w)
{
    uint32_t left = WORKER_IDLE_PACKETS - w->since_idle;

    return workers.c.batch < left ? workers.c.batch : left;
}

static uint32_t fetch(struct worker *w, uint32_t *why)
{
    uint32_t max = fetch_max(w), n;
    uint32_t timeout = w->more ? 0 : WORKER_WAIT_MS;
    struct ec_mark old;
    uint64_t drain;

    if (timeout)
        offline();
    old = mark_enter(w->source->instance->d.name, "fetch");
    *why = EC_SRC_ERROR;
    n = w->source->s->fetch(w->handle, w->f, max, w->wake_fd, timeout, why);
    mark_leave(old);
    boundary(w);
    if (n > max) {
        LOG(EC_LOG_ERROR, "%s handed out %u frames where %u were asked for", w->source->instance->d.name, n, max);
        *why = EC_SRC_ERROR;
        n = 0;
    }
    if (*why == EC_SRC_INTERRUPTED && read(w->wake_fd, &drain, sizeof drain) < 0)
        *why = EC_SRC_IDLE;         /* somebody else's wake */
    w->more = *why == EC_SRC_MORE;
    atomic_store_explicit(&w->status, *why, memory_order_relaxed);
    atomic_store_explicit(&w->fetched, atomic_load_explicit(&w->fetched, memory_order_relaxed) + n,
                          memory_order_relaxed);
    return n;
}

static void prepare(struct worker *w, uint32_t n)
{
    for (uint32_t i = 0; i < workers.n_stage; i++) {
        const struct worker_stage *st = &workers.stage[i];
        struct ec_mark old;

        if (!st->s->prepare)
            continue;
        old = mark_enter(st->instance->d.name, "prepare");
        st->s->prepare(st->instance->self, mem_of(w, st->instance), state_of(w, st->instance), w->id, w->f, n);
        mark_leave(old);
    }
}

static void packet(struct worker *w, uint32_t k)
{
    struct ec_frame *f = w->f[k];

    if (f->ts_ns > w->latest_ns)
        w->latest_ns = f->ts_ns;
    if (workers.packet_clock)
        clock_packet(f->ts_ns);
    w->verdict[k] = EC_V_PASS;
    for (uint32_t i = 0; i < workers.n_stage; i++) {
        const struct worker_stage *st = &workers.stage[i];
        struct ec_mark old = mark_enter(st->instance->d.name, "packet");
        uint32_t verdict = w->verdict[k];

        st->s->packet(st->instance->self, mem_of(w, st->instance), state_of(w, st->instance), w->id, k, f, &verdict);
        mark_leave(old);
        if (verdict > w->verdict[k])
            w->verdict[k] = verdict;
    }
    if (!workers.c.workers)
        bus_drain(w->latest_ns);
}

static void give_back(struct worker *w, uint32_t n)
{
    struct ec_mark old = mark_enter(w->source->instance->d.name, "finish");
    uint64_t dropped = 0;

    for (uint32_t i = 0; i < n; i++)
        dropped += w->verdict[i] != EC_V_PASS;
    w->source->s->finish(w->handle, w->f, w->verdict, n);
    mark_leave(old);
    atomic_store_explicit(&w->finished, atomic_load_explicit(&w->finished, memory_order_relaxed) + n,
                          memory_order_relaxed);
    atomic_store_explicit(&w->dropped, atomic_load_explicit(&w->dropped, memory_order_relaxed) + dropped,
                          memory_order_relaxed);
}

static void stages_idle(struct worker *w, uint64_t now_ns)
{
    w->since_idle = 0;
    w->idle_at = clock_monotonic();
    for (uint32_t i = 0; i < workers.n_stage; i++) {
        const struct worker_stage *st = &workers.stage[i];
        struct ec_mark old;

        if (!st->s->idle)
            continue;
        old = mark_enter(st->instance->d.name, "idle");
        st->s->idle(st->instance->self, mem_of(w, st->instance), state_of(w, st->instance), w->id, now_ns);
        mark_leave(old);
    }
    if (!workers.c.workers)
        bus_drain(w->latest_ns);
}

/* Who is asked to stop waits until stop_deadline only. */
static void wait_for_readers(struct worker *w, uint64_t stop_deadline)
{
    struct timespec step = { 0, 200000 };

    while (bus_pressed() && (!stopping() || clock_monotonic() < stop_deadline)) {
        offline();
        nanosleep(&step, NULL);
        boundary(w);
        fence(w);
    }
}

static void batch(struct worker *w, uint32_t n)
{
    prepare(w, n);
    for (uint32_t i = 0; i < n; i++)
        packet(w, i);
    give_back(w, n);
    w->since_idle += n;
    if (w->since_idle >= WORKER_IDLE_PACKETS)
        stages_idle(w, w->latest_ns);
}

/* A replay's stages live on packets alone; on a live source time also passes without them. */
static void quiet(struct worker *w, uint32_t n)
{
    if (!w->may_wait && clock_monotonic() - w->idle_at >= IDLE_NS)
        stages_idle(w, n ? w->latest_ns : clock_wall());
    if (!n && !workers.c.workers)
        bus_drain_idle(w->latest_ns);
    bus_flush();
}

static uint32_t generation(const struct worker *w)
{
    return w->plan ? w->plan->gen : 0;
}

static bool source_open(struct worker *w)
{
    const struct worker_source *s = w->source;
    struct instance *i = s->instance;
    struct ec_mark old;
    int32_t err;

    boundary(w);
    w->source_gen = generation(w);
    host_why_clear();
    old = mark_enter(i->d.name, "open");
    err = s->s->open(i->self, state_of(w, i), w->uri, w->id, workers.n, &w->handle);
    mark_leave(old);
    if (!err)
        return true;
    LOG(EC_LOG_ERROR, "cannot open %s: %s", w->uri, host_why(i, err));
    w->failed = true;
    return false;
}

static void source_reload(struct worker *w)
{
    const struct instance *i = w->source->instance;
    struct ec_mark old;

    if (w->source_gen == generation(w))
        return;
    w->source_gen = generation(w);
    if (!w->source->s->reload)
        return;
    old = mark_enter(i->d.name, "reload");
    w->source->s->reload(w->handle, state_of(w, i));
    mark_leave(old);
}

static void source_close(struct worker *w)
{
    struct ec_mark old;

    stats_take(w, true);
    for (uint32_t i = 0; i < EC_SRC_STATS; i++)
        w->before[i] = atomic_load_explicit(&w->stats[i], memory_order_relaxed);
    old = mark_enter(w->source->instance->d.name, "close");
    w->source->s->close(w->handle);
    mark_leave(old);
    w->handle = NULL;
}

/* One source from its opening to its end. */
static void source_run(struct worker *w)
{
    uint32_t why = EC_SRC_MORE;

    w->may_wait = w->source->s->flags & EC_SOURCE_MAY_WAIT;
    w->more = true;
    if (!source_open(w))
        return;
    while (!stopping() && why != EC_SRC_END && why != EC_SRC_ERROR) {
        uint32_t n;

        source_reload(w);
        n = fetch(w, &why);
        if (n)
            batch(w, n);
        quiet(w, n);
        stats_take(w, false);
        fence(w);
        tick(w);
        if (w->may_wait)            /* on a live source the kernel's buffer would overflow instead */
            wait_for_readers(w, 0);
    }
    if (why == EC_SRC_ERROR) {
        LOG(EC_LOG_ERROR, "%s broke: %s", w->uri, host_why(w->source->instance, EC_EIO));
        w->failed = true;
    }
    source_close(w);
}

/* Every open flow ends and is published, in bounded parts, with time for the readers between them. */
static void stages_finish(struct worker *w)
{
    uint32_t reason = stopping() ? EC_STAGE_END_SHUTDOWN : EC_STAGE_END_SOURCE;
    uint64_t deadline = clock_monotonic() + workers.c.stop_wait_ns;

    if (w->clock_ns)                /* the end of the capture, which may be later than this worker's last packet */
        stages_idle(w, w->clock_ns);
    for (uint32_t i = 0; i < workers.n_stage; i++) {
        const struct worker_stage *st = &workers.stage[i];
        uint32_t left = st->s->finish ? 1 : 0;

        while (left) {
            struct ec_mark old;

            boundary(w);
            fence(w);
            old = mark_enter(st->instance->d.name, "finish");
            left = st->s->finish(st->instance->self, mem_of(w, st->instance), state_of(w, st->instance), w->id, reason);
            mark_leave(old);
            if (!workers.c.workers)
                bus_drain(w->latest_ns);
            if (!stopping())
                deadline = clock_monotonic() + workers.c.stop_wait_ns;
            wait_for_readers(w, deadline);
        }
    }
}

void worker_loop(struct worker *w)
{
    char why[1024] = "";

    epoch_enter();
    bus_attach(w->id);
    boundary(w);
    if (instance_worker_init(w->id, why, sizeof why)) {
        LOG(EC_LOG_ERROR, "worker W%u cannot begin: %s", w->id, why);
        w->failed = true;
    } else {
        for (uint32_t i = 0; i < workers.c.n_uri && !stopping(); i++) {
            w->uri = workers.c.uri[i];
            atomic_store_explicit(&w->at_uri, i, memory_order_relaxed);
            w->source = worker_source_of(w->uri);
            source_run(w);
        }
        stages_finish(w);
        instance_worker_fini(w->id);
    }
    if (!workers.c.workers)
        bus_drain_idle(w->latest_ns);
    worker_note(w);
    bus_detach();
    w->plan = NULL;
    offline();
}
