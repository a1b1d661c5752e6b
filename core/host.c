#include "core/host.h"

#include "core/bus/bus.h"
#include "core/bus/lane.h"
#include "core/clock.h"
#include "core/conf/conf.h"
#include "core/extension.h"
#include "core/instance.h"
#include "core/intern.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/topic.h"
#include "core/version.h"
#include "core/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ASK_MAX 1024                /* subscriptions, timers, metrics of one plugin */

static uint32_t workers = 1;
static const char *state_base;
static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;

/* The last fail() of this thread. */
static __thread struct { const struct instance *who; char why[1024]; } last;

void host_configure(uint32_t n, const char *state_dir)
{
    workers = n ? n : 1;
    state_base = state_dir;
}

void host_why_clear(void)
{
    last.who = NULL;
    last.why[0] = '\0';
}

static const char *error_name(int32_t err)
{
    static const char *const names[] = {
        "EC_OK",    "EC_EINVAL", "EC_ENOMEM", "EC_ENOTSUP", "EC_EAGAIN", "EC_EIO",
        "EC_EPERM", "EC_ENOENT", "EC_EEND",   "EC_ELIMIT",  "EC_EEXIST",
    };

    return err <= 0 && err >= EC_EEXIST ? names[-err] : "an unknown error";
}

const char *host_why(const struct instance *i, int32_t err)
{
    if (last.who != i || !last.why[0])
        snprintf(last.why, sizeof last.why, "it gave no reason (%s)", error_name(err));
    last.who = i;
    return last.why;
}

static int32_t host_fail(const struct ec_host *h, int32_t err, const char *why)
{
    last.who = instance_of(h);
    snprintf(last.why, sizeof last.why, "%s", why ? why : "");
    return err;
}

static uint32_t errors;                    /* atomic */

uint32_t host_errors(void)
{
    return __atomic_load_n(&errors, __ATOMIC_RELAXED);
}

static void host_log(const struct ec_host *h, int32_t level, struct ec_site *site, const char *msg)
{
    if (level >= EC_LOG_ERROR)
        __atomic_add_fetch(&errors, 1, __ATOMIC_RELAXED);
    log_write(instance_of(h)->d.name, level, site, msg ? msg : "");
}

static int32_t host_log_on(const struct ec_host *h, int32_t level)
{
    return log_enabled(instance_of(h)->d.name, level);
}

/* May this plugin ask for something now? */
static struct instance_wants *asking(const struct ec_host *h, const char *what, uint32_t have)
{
    struct instance *i = instance_of(h);

    if (!i->wants.open) {
        ec_failf(h, EC_EPERM, "%s() may be called in setup() only", what);
        return NULL;
    }
    if (have >= ASK_MAX) {
        ec_failf(h, EC_ELIMIT, "%s(): there are %d already", what, ASK_MAX);
        return NULL;
    }
    return &i->wants;
}

static const void *host_use(const struct ec_host *h, const char *id, void **self)
{
    struct instance *i = instance_of(h);

    if (self)
        *self = NULL;
    if (!id || !asking(h, "use", 0))
        return NULL;
    for (uint32_t u = 0; u < i->d.n_use; u++) {
        if (strcmp(i->d.use[u].id, id) != 0)
            continue;
        if (!i->bound[u])
            return NULL;
        if (self)
            *self = i->bound[u]->self;
        return extension_offer(i->bound[u], id, 0);
    }
    ec_failf(h, EC_ENOENT, "it uses %s without naming it in its table of uses", id);
    return NULL;
}

static int32_t host_topic(const struct ec_host *h, const struct ec_topic *t, uint32_t *id)
{
    char why[768];
    int32_t err;

    if (!asking(h, "topic", 0))
        return EC_EPERM;
    err = topic_declare(instance_of(h), t, id, why, sizeof why);
    return err ? host_fail(h, err, why) : EC_OK;
}

static int32_t host_subscribe(const struct ec_host *h, const struct ec_sub *s)
{
    struct instance_wants *w = asking(h, "subscribe", instance_of(h)->wants.n_sub);
    struct ec_sub *sub;
    char *topic;

    if (!w)
        return EC_EPERM;
    if (!s || s->size < sizeof *s || !s->topic || !s->fn)
        return host_fail(h, EC_EINVAL, "a subscription lacks its size, topic or function");
    topic = strdup(s->topic);
    sub = topic ? reallocarray(w->sub, w->n_sub + 1, sizeof *sub) : NULL;
    if (!sub) {
        free(topic);
        return host_fail(h, EC_ENOMEM, "out of memory");
    }
    sub[w->n_sub] = *s;
    sub[w->n_sub].size = sizeof *sub;
    sub[w->n_sub++].topic = topic;
    w->sub = sub;
    return EC_OK;
}

static int32_t host_timer(const struct ec_host *h, const struct ec_timer *t)
{
    struct instance_wants *w = asking(h, "timer", instance_of(h)->wants.n_timer);
    struct ec_timer *timer;

    if (!w)
        return EC_EPERM;
    if (!t || t->size < sizeof *t || !t->fn || t->every_ns < 1000000)
        return host_fail(h, EC_EINVAL,
                         "a timer lacks its size or function, or its period is under 1 ms");
    if (!(timer = reallocarray(w->timer, w->n_timer + 1, sizeof *timer)))
        return host_fail(h, EC_ENOMEM, "out of memory");
    timer[w->n_timer] = *t;
    timer[w->n_timer++].size = sizeof *timer;
    w->timer = timer;
    return EC_OK;
}

static int32_t host_metric_add(const struct ec_host *h, const struct ec_metric *m, uint32_t *index)
{
    struct instance *i = instance_of(h);
    struct instance_wants *w = asking(h, "metric_add", i->wants.n_metric);
    const struct ec_metric **metric;

    if (!w)
        return EC_EPERM;
    if (!m || m->size < sizeof *m || !m->name || !index)
        return host_fail(h, EC_EINVAL, "a metric lacks its size or name");
    if (!(metric = reallocarray(w->metric, w->n_metric + 1, sizeof *metric)))
        return host_fail(h, EC_ENOMEM, "out of memory");
    metric[w->n_metric] = m;
    w->metric = metric;
    *index = i->d.n_metric + w->n_metric++;
    return EC_OK;
}

static uint32_t host_topic_count(const struct ec_host *h)
{
    (void)h;
    return topic_count();
}

static const struct ec_topic *host_topic_get(const struct ec_host *h, uint32_t id)
{
    (void)h;
    return topic_get(id);
}

static uint32_t host_topic_find(const struct ec_host *h, const char *name)
{
    (void)h;
    return topic_find(name);
}

static int32_t host_open(const struct ec_host *h, uint32_t worker, uint32_t topic,
                         struct ec_build *b)
{
    return bus_open(instance_of(h), worker, topic, b);
}

static int32_t host_publish(const struct ec_host *h, struct ec_build *b)
{
    return bus_publish(instance_of(h), b);
}

static void host_discard(const struct ec_host *h, struct ec_build *b)
{
    (void)h;
    bus_discard(b);
}

static uint64_t *host_cells(const struct ec_host *h, uint32_t worker)
{
    uint64_t *cells = metric_cells(worker);

    return cells ? cells + instance_of(h)->first_metric : NULL;
}

static void host_metric(const struct ec_host *h, uint32_t index, int64_t delta)
{
    const struct instance *i = instance_of(h);

    if (index < i->n_metric)
        metric_delta(i->first_metric + index, delta);
}

static void host_gauge(const struct ec_host *h, uint32_t index, int64_t value)
{
    const struct instance *i = instance_of(h);

    if (index < i->n_metric)
        metric_set(i->first_metric + index, value);
}

static uint32_t host_intern(const struct ec_host *h, const char *space, const char *name)
{
    (void)h;
    return intern_name(space, name);
}

static const char *host_interned(const struct ec_host *h, const char *space, uint32_t id)
{
    (void)h;
    return intern_get(space, id);
}

static const struct plan *plan_of(uint32_t worker)
{
    const struct plan *p = worker < workers ? worker_plan(worker) : NULL;

    return p ? p : plan_current();
}

static const void *host_state(const struct ec_host *h, uint32_t worker)
{
    lane_online();                  /* a descriptor's callback on a lane's loop: the state stays until it returns */
    return plan_state(plan_of(worker), instance_of(h)->index);
}

static void *host_worker_mem(const struct ec_host *h, uint32_t worker)
{
    const struct instance *i = instance_of(h);

    return i->worker_mem && worker < workers ? i->worker_mem[worker] : NULL;
}

static uint32_t host_gen(const struct ec_host *h, uint32_t worker)
{
    const struct plan *p = plan_of(worker);

    (void)h;
    return p ? p->gen : 0;
}

static uint32_t host_workers(const struct ec_host *h)
{
    (void)h;
    return workers;
}

static struct ec_mark *host_mark(const struct ec_host *h, uint32_t worker)
{
    (void)h;
    (void)worker;
    return &mark_self->mark;
}

struct job {
    struct instance *i;
    struct plan *plan;
    void (*fn)(void *self, const void *state, void *arg);
    void *arg;
};

static void job_run(void *arg)
{
    struct job *j = arg;

    j->fn(j->i->self, plan_state(j->plan, j->i->index), j->arg);
    plan_release(j->plan);
    free(j);
}

static int32_t host_work(const struct ec_host *h,
                         void (*fn)(void *self, const void *state, void *arg), void *arg)
{
    struct instance *i = instance_of(h);
    struct job *j = fn ? malloc(sizeof *j) : NULL;
    int32_t err;

    if (!j)
        return host_fail(h, fn ? EC_ENOMEM : EC_EINVAL,
                         fn ? "out of memory" : "work() without a function");
    *j = (struct job){ i, plan_hold(i->d.name), fn, arg };
    err = pool_run(i->d.name, "work", job_run, j);
    if (err) {
        plan_release(j->plan);
        free(j);
        return host_fail(h, err, "the work pool's queue is full");
    }
    return EC_OK;
}

static uint64_t host_now(const struct ec_host *h)
{
    (void)h;
    return clock_now();
}

/* The plugin's own folder below the state folder, made on first use; under state_lock. */
static const char *make_state_dir(const struct ec_host *h, struct instance *i)
{
    char *path;

    if (i->state_dir)
        return i->state_dir;
    if (!state_base) {
        host_fail(h, EC_EPERM, "there is no state folder: core.state_dir cannot be written");
        return NULL;
    }
    if (asprintf(&path, "%s/%s", state_base, i->d.name) < 0)
        return NULL;
    if (mkdir(path, 0750) && errno != EEXIST) {
        ec_failf(h, EC_EIO, "%s: the folder cannot be made: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    return i->state_dir = path;
}

static const char *host_state_dir(const struct ec_host *h)
{
    const char *dir;

    pthread_mutex_lock(&state_lock);
    dir = make_state_dir(h, instance_of(h));
    pthread_mutex_unlock(&state_lock);
    return dir;
}

static void *host_loop(const struct ec_host *h)
{
    return bus_loop(instance_of(h));
}

void host_init(struct instance *i)
{
    i->host = (struct ec_host){
        .size = sizeof i->host, .abi_major = EC_ABI_MAJOR, .api_level = EC_API_LEVEL,
        .product = "eCyber", .version = version_string(), .ctx = i,
        .log = host_log, .log_on = host_log_on, .fail = host_fail,
        .conf_num = conf_num, .conf_f64 = conf_f64, .conf_text = conf_text, .conf_key = conf_key,
        .conf_count = conf_count, .conf_where = conf_where,
        .use = host_use, .topic = host_topic, .subscribe = host_subscribe, .timer = host_timer,
        .metric_add = host_metric_add,
        .topic_count = host_topic_count, .topic_get = host_topic_get, .topic_find = host_topic_find,
        .open = host_open, .publish = host_publish, .discard = host_discard,
        .cells = host_cells, .metric = host_metric, .gauge = host_gauge,
        .intern = host_intern, .interned = host_interned,
        .state = host_state, .worker_mem = host_worker_mem, .gen = host_gen,
        .workers = host_workers,
        .mark = host_mark,
        .work = host_work, .now = host_now, .state_dir = host_state_dir, .loop = host_loop,
    };
}
