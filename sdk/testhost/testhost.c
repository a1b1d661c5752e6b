/* testhost.c: a fake host for the tests of one plugin. */
#include "testhost.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "value.h"

#define BLOCK 65536u
#define MAX_OPEN 4

struct ec_conf { struct option *o; uint32_t n; };
struct service { const char *id; const void *vtable; void *self; };
struct metric { const struct ec_metric *row; uint64_t value; };
struct timer { struct ec_timer t; uint64_t due; };
struct name { char *space, *text; };

struct testhost {
    struct ec_host host;
    const struct ec_plugin *d;
    void *self, *worker;
    struct ec_conf *conf, pending;  /* what the state was built from; what the test has set */
    void *state;
    uint32_t gen;
    int started;
    uint64_t now_ns, seq;
    char why[1024], dir[64];
    const struct ec_topic **topic;
    struct ec_sub *sub;
    struct timer *timer;
    struct service *service;
    struct metric *metric;
    struct ec_event **event;
    struct name *name;
    uint32_t n_topic, n_sub, n_timer, n_service, n_metric, n_event, n_name, opened;
    uint64_t cells[1024];
    struct ec_mark mark;
    uint8_t *block[MAX_OPEN];
};

static void *grown(void *array, uint32_t n, size_t one)
{
    void *p = realloc(array, (n + 1) * one);
    if (!p)
        abort();
    memset((char *)p + n * one, 0, one);
    return p;
}
#define ADD(t, noun) ((t)->noun = grown((t)->noun, (t)->n_##noun, sizeof *(t)->noun), &(t)->noun[(t)->n_##noun++])

static struct testhost *of(const struct ec_host *h) { return h->ctx; }

static void host_log(const struct ec_host *h, int32_t level, struct ec_site *site, const char *msg)
{
    (void)h;
    (void)site;
    if (getenv("TESTHOST_LOG"))
        fprintf(stderr, "# log %d: %s\n", (int)level, msg);
}

static int32_t host_log_on(const struct ec_host *h, int32_t level)
{
    (void)h;
    (void)level;
    return 1;
}

static int32_t host_fail(const struct ec_host *h, int32_t err, const char *why)
{
    snprintf(of(h)->why, sizeof of(h)->why, "%s", why);
    return err;
}

static const struct value *conf_value(const struct ec_conf *c, const char *name, uint32_t i)
{
    for (uint32_t k = 0; k < c->n; k++)
        if (!strcmp(c->o[k].row->name, name))
            return i < c->o[k].n ? &c->o[k].v[i] : NULL;
    return NULL;
}

static int32_t host_conf_num(const struct ec_conf *c, const char *name, uint32_t i, int64_t *v)
{
    const struct value *x = conf_value(c, name, i);
    return x ? (*v = x->num, EC_OK) : EC_ENOENT;
}

static int32_t host_conf_f64(const struct ec_conf *c, const char *name, uint32_t i, double *v)
{
    const struct value *x = conf_value(c, name, i);
    return x ? (*v = x->f64, EC_OK) : EC_ENOENT;
}

static const char *host_conf_text(const struct ec_conf *c, const char *name, uint32_t i)
{
    const struct value *x = conf_value(c, name, i);
    return x ? x->text : NULL;
}

static const char *host_conf_key(const struct ec_conf *c, const char *name, uint32_t i)
{
    const struct value *x = conf_value(c, name, i);
    return x ? x->key : NULL;
}

static uint32_t host_conf_count(const struct ec_conf *c, const char *name)
{
    for (uint32_t k = 0; k < c->n; k++)
        if (!strcmp(c->o[k].row->name, name))
            return c->o[k].n;
    return 0;
}

static const char *host_conf_where(const struct ec_conf *c, const char *name, uint32_t i)
{
    (void)c;
    (void)name;
    (void)i;
    return "test:1:1";
}

static const void *host_use(const struct ec_host *h, const char *id, void **self)
{
    struct testhost *t = of(h);
    for (uint32_t i = 0; i < t->n_service; i++)
        if (!strcmp(t->service[i].id, id)) {
            *self = t->service[i].self;
            return t->service[i].vtable;
        }
    *self = NULL;
    return NULL;
}

static int32_t host_topic(const struct ec_host *h, const struct ec_topic *topic, uint32_t *id)
{
    *id = testhost_topic(of(h), topic);
    return EC_OK;
}

static int32_t host_subscribe(const struct ec_host *h, const struct ec_sub *s)
{
    memcpy(ADD(of(h), sub), s, s->size < sizeof *s ? s->size : sizeof *s);
    return EC_OK;
}

static int32_t host_timer(const struct ec_host *h, const struct ec_timer *timer)
{
    struct timer *x = ADD(of(h), timer);
    x->t = *timer;
    x->due = of(h)->now_ns + timer->every_ns;
    return EC_OK;
}

static int32_t host_metric_add(const struct ec_host *h, const struct ec_metric *m, uint32_t *index)
{
    *index = of(h)->n_metric;
    ADD(of(h), metric)->row = m;
    return EC_OK;
}

static uint32_t host_topic_count(const struct ec_host *h) { return of(h)->n_topic; }

static const struct ec_topic *host_topic_get(const struct ec_host *h, uint32_t id)
{
    return id && id <= of(h)->n_topic ? of(h)->topic[id - 1] : NULL;
}

static uint32_t host_topic_find(const struct ec_host *h, const char *name)
{
    struct testhost *t = of(h);
    for (uint32_t i = 0; i < t->n_topic; i++)
        if (!strcmp(t->topic[i]->name, name))
            return i + 1;
    return 0;
}

static int32_t host_open(const struct ec_host *h, uint32_t worker, uint32_t topic, struct ec_build *b)
{
    struct testhost *t = of(h);
    struct ec_event *ev;
    if (!topic || topic > t->n_topic || t->opened == MAX_OPEN)
        return host_fail(h, EC_EINVAL, "open() of an unknown topic, or nested too deep");
    memset(b, 0, sizeof *b);
    b->base = t->block[t->opened];
    if (!b->base && !(b->base = t->block[t->opened] = malloc(BLOCK)))
        abort();
    t->opened++;
    memset(b->base, 0, sizeof *ev);
    b->used = (sizeof *ev + 7) & ~7u;
    b->cap = BLOCK;
    b->topic = topic;
    ev = ec_head(b);
    ev->size = sizeof *ev;
    ev->publisher = worker;
    ev->gen = t->gen;
    ev->ts_ns = t->now_ns;
    return EC_OK;
}

static void host_discard(const struct ec_host *h, struct ec_build *b)
{
    of(h)->opened--;
    b->base = NULL;
}

static int32_t host_publish(const struct ec_host *h, struct ec_build *b)
{
    struct testhost *t = of(h);
    struct ec_event *copy;
    ec_head(b)->total = b->used;
    ec_head(b)->seq = ++t->seq;
    if (!(copy = malloc(b->used)))
        abort();
    memcpy(copy, b->base, b->used);
    *ADD(t, event) = copy;
    host_discard(h, b);
    return EC_OK;
}

static uint64_t *host_cells(const struct ec_host *h, uint32_t worker)
{
    (void)worker;
    return of(h)->cells;
}

static void host_metric(const struct ec_host *h, uint32_t index, int64_t delta)
{
    if (index < of(h)->n_metric)
        of(h)->metric[index].value += (uint64_t)delta;
}

static void host_gauge(const struct ec_host *h, uint32_t index, int64_t value)
{
    if (index < of(h)->n_metric)
        of(h)->metric[index].value = (uint64_t)value;
}

/* One table for all spaces; a number counts within its space. */
static uint32_t host_intern(const struct ec_host *h, const char *space, const char *text)
{
    struct testhost *t = of(h);
    struct name *x;
    uint32_t id = 1;
    for (uint32_t i = 0; i < t->n_name; i++)
        if (!strcmp(t->name[i].space, space)) {
            if (!strcmp(t->name[i].text, text))
                return id;
            id++;
        }
    x = ADD(t, name);
    x->space = strdup(space);
    x->text = strdup(text);
    return id;
}

static const char *host_interned(const struct ec_host *h, const char *space, uint32_t id)
{
    struct testhost *t = of(h);
    for (uint32_t i = 0; id && i < t->n_name; i++)
        if (!strcmp(t->name[i].space, space) && !--id)
            return t->name[i].text;
    return NULL;
}

static const void *host_state(const struct ec_host *h, uint32_t worker)
{
    (void)worker;
    return of(h)->state;
}

static void *host_worker_mem(const struct ec_host *h, uint32_t worker)
{
    (void)worker;
    return of(h)->worker;
}

static uint32_t host_gen(const struct ec_host *h, uint32_t worker)
{
    (void)worker;
    return of(h)->gen;
}

static uint32_t host_workers(const struct ec_host *h)
{
    (void)h;
    return 1;
}

static struct ec_mark *host_mark(const struct ec_host *h, uint32_t worker)
{
    (void)worker;
    return &of(h)->mark;
}

static int32_t host_work(const struct ec_host *h, void (*fn)(void *self, const void *state, void *arg), void *arg)
{
    fn(of(h)->self, of(h)->state, arg);
    return EC_OK;
}

static uint64_t host_now(const struct ec_host *h) { return of(h)->now_ns; }

static const char *host_state_dir(const struct ec_host *h)
{
    struct testhost *t = of(h);
    if (!t->dir[0]) {
        snprintf(t->dir, sizeof t->dir, "testhost-%ld", (long)getpid());
        mkdir(t->dir, 0700);
    }
    return t->dir;
}

static void *host_loop(const struct ec_host *h)
{
    (void)h;
    return NULL;
}

static const struct ec_host host_table = {
    sizeof(struct ec_host), EC_ABI_MAJOR, EC_API_LEVEL, 0, "testhost", "1", NULL, host_log, host_log_on, host_fail,
    host_conf_num, host_conf_f64, host_conf_text, host_conf_key, host_conf_count, host_conf_where, host_use, host_topic,
    host_subscribe, host_timer, host_metric_add, host_topic_count, host_topic_get, host_topic_find, host_open,
    host_publish, host_discard, host_cells, host_metric, host_gauge, host_intern, host_interned, host_state,
    host_worker_mem, host_gen, host_workers, host_mark, host_work, host_now, host_state_dir, host_loop,
};

static const struct ec_row *row_at(const struct ec_record *r, uint32_t i)
{
    return (const struct ec_row *)(const void *)((const char *)r->row + (size_t)i * r->row_stride);
}

struct testhost *testhost_new(const struct ec_plugin *d)
{
    struct testhost *t = grown(NULL, 0, sizeof *t);
    t->host = host_table;
    t->host.ctx = t;
    t->d = d;
    t->now_ns = UINT64_C(1700000000000000000);
    for (uint32_t i = 0; i < d->n_metric; i++)
        ADD(t, metric)->row =
            (const struct ec_metric *)(const void *)((const char *)d->metric + (size_t)i * d->metric_stride);
    if (d->options && !(t->pending.o = calloc(d->options->n_row + 1u, sizeof(struct option))))
        abort();
    for (uint32_t i = 0; d->options && i < d->options->n_row; i++, t->pending.n++)
        option_set(&t->pending.o[i], row_at(d->options, i), NULL);
    return t;
}

int testhost_option(struct testhost *t, const char *name, const char *value)
{
    for (uint32_t i = 0; i < t->pending.n; i++)
        if (!strcmp(t->pending.o[i].row->name, name))
            return option_set(&t->pending.o[i], t->pending.o[i].row, value);
    return EC_ENOENT;
}

void testhost_provide(struct testhost *t, const char *id, const void *vtable, void *self)
{
    struct service *s = ADD(t, service);
    s->id = id;
    s->vtable = vtable;
    s->self = self;
}

uint32_t testhost_topic(struct testhost *t, const struct ec_topic *topic)
{
    *ADD(t, topic) = topic;
    return t->n_topic;
}

static void conf_free(struct ec_conf *c)
{
    for (uint32_t i = 0; c && i < c->n; i++)
        option_clear(&c->o[i]);
    if (c)
        free(c->o);
    free(c);
}

/* A copy of what the test has set, so that the state keeps its own. */
static struct ec_conf *conf_copy(const struct ec_conf *from)
{
    struct ec_conf *c = grown(NULL, 0, sizeof *c);
    if (!(c->o = calloc(from->n + 1u, sizeof *c->o)))
        abort();
    for (c->n = 0; c->n < from->n; c->n++) {
        const struct option *o = &from->o[c->n];
        struct option *to = &c->o[c->n];
        to->row = o->row;
        for (uint32_t i = 0; i < o->n; i++) {
            to->v = grown(to->v, to->n, sizeof *to->v);
            to->v[to->n] = o->v[i];
            to->v[to->n].text = o->v[i].text ? strdup(o->v[i].text) : NULL;
            to->v[to->n++].key = o->v[i].key ? strdup(o->v[i].key) : NULL;
        }
    }
    return c;
}

int testhost_reload(struct testhost *t)
{
    struct ec_conf *c = conf_copy(&t->pending), *old = t->conf;
    void *next = NULL, *last = t->state;
    int err = t->d->configure ? t->d->configure(t->self, c, &next) : EC_OK;
    if (err) {
        conf_free(c);
        return err;
    }
    t->conf = c;
    t->state = next;
    t->gen++;
    if (last && t->d->state_free)
        t->d->state_free(t->self, last);
    conf_free(old);
    return EC_OK;
}

int testhost_start(struct testhost *t)
{
    int err = t->d->create ? t->d->create(&t->host, &t->self) : EC_OK;
    if (!err && t->d->setup)
        err = t->d->setup(t->self);
    if (!err)
        err = testhost_reload(t);
    if (!err && t->d->start)
        err = t->d->start(t->self, t->state);
    if (!err && t->d->worker_init)
        err = t->d->worker_init(t->self, 0, &t->worker);
    t->started = !err;
    return err;
}

void testhost_stop(struct testhost *t)
{
    if (t->started && t->d->worker_fini)
        t->d->worker_fini(t->self, t->worker);
    if (t->started && t->d->stop)
        t->d->stop(t->self);
    if (t->state && t->d->state_free)
        t->d->state_free(t->self, t->state);
    if (t->self && t->d->destroy)
        t->d->destroy(t->self);
    conf_free(t->conf);
    t->conf = NULL;
    t->state = t->self = t->worker = NULL;
    t->started = 0;
}

void testhost_forget(struct testhost *t)
{
    for (uint32_t i = 0; i < t->n_event; i++)
        free(t->event[i]);
    t->n_event = 0;
}

void testhost_free(struct testhost *t)
{
    testhost_stop(t);
    testhost_forget(t);
    for (uint32_t i = 0; i < t->pending.n; i++)
        option_clear(&t->pending.o[i]);
    for (uint32_t i = 0; i < t->n_name; i++) {
        free(t->name[i].space);
        free(t->name[i].text);
    }
    for (uint32_t i = 0; i < MAX_OPEN; i++)
        free(t->block[i]);
    if (t->dir[0])
        rmdir(t->dir);
    free(t->pending.o);
    free(t->topic);
    free(t->sub);
    free(t->timer);
    free(t->service);
    free(t->metric);
    free(t->event);
    free(t->name);
    free(t);
}

const char *testhost_why(const struct testhost *t) { return t->why; }
const struct ec_host *testhost_host(struct testhost *t) { return &t->host; }
void *testhost_self(struct testhost *t) { return t->self; }
void *testhost_worker(struct testhost *t) { return t->worker; }
const void *testhost_state(struct testhost *t) { return t->state; }

const void *testhost_offer(struct testhost *t, const char *id)
{
    for (uint32_t i = 0; i < t->d->n_offer; i++) {
        const struct ec_offer *o =
            (const struct ec_offer *)(const void *)((const char *)t->d->offer + (size_t)i * t->d->offer_stride);
        if (!strcmp(o->id, id))
            return o->vtable;
    }
    return NULL;
}

void testhost_tick(struct testhost *t, uint64_t ns)
{
    t->now_ns += ns;
    for (uint32_t i = 0; i < t->n_timer; i++)
        while (t->timer[i].due <= t->now_ns) {
            t->timer[i].t.fn(t->self, t->state, t->timer[i].due);
            t->timer[i].due += t->timer[i].t.every_ns;
        }
}

static const char *topic_name(const struct testhost *t, const struct ec_event *ev)
{
    uint32_t id = ev->parts ? ec_part_first(ev)->topic : 0;
    return id && id <= t->n_topic ? t->topic[id - 1]->name : "";
}

void testhost_deliver(struct testhost *t, struct ec_build *b)
{
    struct ec_event *ev = ec_head(b);
    ev->total = b->used;
    for (uint32_t i = 0; i < t->n_sub; i++)
        if (!strcmp(t->sub[i].topic, "*") || !strcmp(t->sub[i].topic, topic_name(t, ev))) {
            t->sub[i].fn(t->self, t->state, ev);
            if (t->sub[i].idle)
                t->sub[i].idle(t->self, t->state);
        }
    host_discard(&t->host, b);
}

const struct ec_event *testhost_event(const struct testhost *t, const char *topic, uint32_t i)
{
    for (uint32_t k = 0; k < t->n_event; k++)
        if ((!topic || !strcmp(topic_name(t, t->event[k]), topic)) && !i--)
            return t->event[k];
    return NULL;
}

uint32_t testhost_count(const struct testhost *t, const char *topic)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < t->n_event; k++)
        n += !topic || !strcmp(topic_name(t, t->event[k]), topic);
    return n;
}

int64_t testhost_metric(const struct testhost *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_metric; i++)
        if (!strcmp(t->metric[i].row->name, name))
            return (int64_t)(t->metric[i].value + (i < 1024 ? t->cells[i] : 0));
    return -1;
}

const char *testhost_text(const struct ec_part *p, struct ec_span s)
{
    static char text[4096];
    size_t n = s.len < sizeof text - 1 ? s.len : sizeof text - 1;
    memcpy(text, ec_bytes(p, s), n);
    text[n] = 0;
    return text;
}
