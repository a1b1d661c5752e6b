/* behave.c: a plugin of every kind that does well, but for one callback. Environment:
 *   BAD_DO  crash | hang | fail     what it does
 *   BAD_IN  create | packet | …     where
 *   BAD_AT  N                       at the Nth call, from 1 (default 1)
 * As a source it opens "bad:N": N frames of 60 zero bytes, 1 ms apart; N = 0: without end, some
 * thousand a second. */
#include "bad.h"

#include <ecyber/ext/enrich.h>
#include <ecyber/ext/list.h>
#include <ecyber/ext/source.h>
#include <ecyber/ext/stage.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct behave_event { struct ec_part part; uint64_t n; };
static const struct ec_row event_rows[] = {
    EC_FIELD(U64, 0, struct behave_event, n, "n", NULL, "number")};
static const struct ec_record event_record = EC_RECORD_PART(struct behave_event, event_rows);
static const struct ec_topic event_topic = {
    sizeof event_topic, EC_TOPIC_EVENT, "org.example.behave/1",    "behave",
    &event_record,      NULL,           "one in a hundred packets"};
static const struct ec_record mood_record = EC_RECORD_PART(struct behave_event, event_rows);
static const struct ec_topic mood_topic = {
    sizeof mood_topic, EC_TOPIC_ATTRIBUTE, "org.example.mood/1", "mood", &mood_record, NULL,
    "an attribute"};
static const struct ec_row option_rows[] = {
    EC_OPTION(U32, EC_R_LIVE, "n", "1", 0, 1000, NULL, "a number that a reload may change"),
    EC_OPTION(U32, 0, "fixed", "1", 0, 1000, NULL, "a number that it may not"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);
static const struct ec_metric metrics[] = {
    { sizeof(struct ec_metric), EC_METRIC_COUNTER, "packets", "packets", "seen" } };

struct behave { const struct ec_host *host; uint32_t topic; };
struct state { int64_t n; };

/* The bad deed. Returns 1 where this callback has to fail. */
static int deed(const char *callback)
{
    static unsigned calls;
    const char *in = getenv("BAD_IN"), *what = getenv("BAD_DO"), *at = getenv("BAD_AT");

    if (!in || !what || strcmp(in, callback) != 0 ||
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != (at ? (unsigned)atoi(at) : 1u))
        return 0;
    if (!strcmp(what, "crash"))
        raise(SIGSEGV);
    while (!strcmp(what, "hang"))
        pause();
    return !strcmp(what, "fail");
}

static int32_t may_fail(const struct behave *p, const char *callback)
{
    return deed(callback) ? ec_failf(p->host, EC_EIO, "told to fail in %s", callback) : EC_OK;
}

__attribute__((constructor))
static void behave_load(void)
{
    deed("load");
}

/* A source: frames out of nothing. */
struct handle { const struct behave *p; uint64_t n, at; int endless; uint8_t frame[60]; };

static int32_t source_open(void *self, const void *state, const char *uri, uint32_t share,
                           uint32_t shares, void **handle)
{
    struct handle *h = calloc(1, sizeof *h);
    struct behave *p = self;
    (void)state;
    (void)shares;
    if (!h)
        return EC_ENOMEM;
    if (may_fail(p, "open")) {
        free(h);
        return EC_EIO;
    }
    h->p = p;
    h->n = strtoull(uri + sizeof "bad:" - 1, NULL, 10);
    h->endless = !h->n;
    if (share && !h->endless)
        h->n = 0;
    *handle = h;
    return EC_OK;
}
static uint32_t source_fetch(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                             uint32_t timeout_ms, uint32_t *why)
{
    struct handle *h = handle;
    uint32_t n = 0;
    if (may_fail(h->p, "fetch")) {
        *why = EC_SRC_ERROR;
        return 0;
    }
    if (h->endless) {
        struct pollfd fd = { wake_fd, POLLIN, 0 };
        if (poll(&fd, 1, timeout_ms ? 1 : 0) > 0) {
            *why = EC_SRC_INTERRUPTED;
            return 0;
        }
        h->n = h->at + 10;
    }
    for (; n < max && h->at < h->n; n++) {
        *f[n] = (struct ec_frame){.size = sizeof **f,
                                  .flags = EC_FR_REPLAY,
                                  .data = h->frame,
                                  .count = ++h->at,
                                  .ts_ns = UINT64_C(1700000000000000000) + h->at * 1000000,
                                  .caplen = sizeof h->frame,
                                  .wirelen = sizeof h->frame,
                                  .linktype = 1};
    }
    *why = h->at < h->n ? EC_SRC_MORE : h->endless ? EC_SRC_IDLE : EC_SRC_END;
    return n;
}
static void source_finish(void *handle, struct ec_frame *const *f, const uint32_t *verdict,
                          uint32_t n)
{
    (void)handle;
    (void)f;
    (void)verdict;
    (void)n;
    deed("finish");
}
static void source_stats(void *handle, uint64_t *c, uint32_t n)
{
    const struct handle *h = handle;
    deed("stats");
    for (uint32_t i = 0; i < n; i++)
        c[i] = i == EC_SRC_SEEN || i == EC_SRC_DELIVERED ? h->at
               : i == EC_SRC_BYTES                       ? h->at * sizeof h->frame
                                                         : 0;
}
static void source_close(void *handle)
{
    deed("close");
    free(handle);
}
static const struct ec_source source = {sizeof source, EC_SOURCE_MAY_WAIT, "bad",
                                        source_open,   source_fetch,       source_finish,
                                        source_stats,  source_close,       NULL, NULL};

/* A stage: publishes an event for every hundredth packet. */
static void stage_prepare(void *self, void *w, const void *state, uint32_t worker,
                          struct ec_frame *const *f, uint32_t n)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    (void)f;
    (void)n;
    deed("prepare");
}
static void stage_packet(void *self, void *w, const void *state, uint32_t worker, uint32_t i,
                         struct ec_frame *f, uint32_t *verdict)
{
    struct behave *p = self;
    struct behave_event *e;
    struct ec_build b;
    (void)w;
    (void)state;
    (void)i;
    (void)verdict;
    deed("packet");
    p->host->cells(p->host, worker)[0]++;
    if (f->count % 100 || p->host->open(p->host, worker, p->topic, &b))
        return;
    ec_head(&b)->ts_ns = f->ts_ns;
    ec_head(&b)->flags |= EC_EV_IP;
    if ((e = ec_add(&b, p->topic, sizeof *e)))
        e->n = f->count;
    p->host->publish(p->host, &b);
}
static void stage_idle(void *self, void *w, const void *state, uint32_t worker, uint64_t now_ns)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    (void)now_ns;
    deed("idle");
}
static uint32_t stage_finish(void *self, void *w, const void *state, uint32_t worker,
                             uint32_t reason)
{
    (void)self;
    (void)w;
    (void)state;
    (void)worker;
    (void)reason;
    deed("end");
    return 0;
}
static const struct ec_stage stage = {sizeof stage, 0,          stage_prepare,
                                      stage_packet, stage_idle, stage_finish};

static int32_t mood_lookup(void *self, const void *state, const void *key, uint32_t len,
                           uint32_t side, uint32_t topic, struct ec_build *b)
{
    (void)self;
    (void)state;
    (void)key;
    (void)len;
    (void)side;
    (void)topic;
    (void)b;
    deed("lookup");
    return EC_ENOENT;
}
static const struct ec_enricher mood = {sizeof mood, EC_ENRICH_ADDRESS, "org.example.mood/1", NULL,
                                        mood_lookup, 0, 0, NULL};

static int32_t list_each(void *self, void (*row)(void *arg, const char *const *cell), void *arg)
{
    static const char *const cell[] = { "one", "the first deed" };
    struct behave *p = self;
    int32_t err = may_fail(p, "list");
    if (!err)
        row(arg, cell);
    return err;
}
static const char *const columns[] = { "deed", "help" };
static const struct ec_listing deeds = {sizeof deeds,     2,       "deeds",
                                        "what it can do", columns, list_each};
static const struct ec_offer offers[] = {
    BAD_OFFER(EC_SOURCE_ID, &source),
    BAD_OFFER(EC_STAGE_ID, &stage),
    BAD_OFFER(EC_ENRICH_ID, &mood),
    BAD_OFFER(EC_LIST_ID, &deeds),
};

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    (void)self;
    (void)state;
    (void)ev;
    deed("event");
}
static void on_empty(void *self, const void *state)
{
    (void)self;
    (void)state;
    deed("empty");
}
static void on_timer(void *self, const void *state, uint64_t now_ns)
{
    (void)self;
    (void)state;
    (void)now_ns;
    deed("timer");
}
static void on_work(void *self, const void *state, void *arg)
{
    (void)self;
    (void)state;
    (void)arg;
    deed("work");
}

static int32_t behave_create(const struct ec_host *h, void **self)
{
    struct behave *p = calloc(1, sizeof *p);
    int32_t err;
    if (!p)
        return h->fail(h, EC_ENOMEM, "out of memory");
    p->host = h;
    if ((err = may_fail(p, "create"))) {
        free(p);
        return err;
    }
    *self = p;
    return EC_OK;
}
static int32_t behave_setup(void *self)
{
    static const struct ec_sub sub = {.size = sizeof sub,
                                      .mode = EC_SUB_QUEUED,
                                      .overflow = EC_OVF_DROP_NEW,
                                      .topic = "org.example.behave/1",
                                      .fn = on_event,
                                      .idle = on_empty};
    static const struct ec_timer timer = { sizeof timer, 0, UINT64_C(100000000), on_timer };
    struct behave *p = self;
    uint32_t id;
    int32_t err;
    if ((err = p->host->topic(p->host, &event_topic, &p->topic)) ||
        (err = p->host->topic(p->host, &mood_topic, &id)) ||
        (err = p->host->subscribe(p->host, &sub)) || (err = p->host->timer(p->host, &timer)))
        return err;
    return may_fail(p, "setup");
}
static int32_t behave_configure(void *self, const struct ec_conf *c, void **state)
{
    struct behave *p = self;
    struct state *s;
    if (may_fail(p, "configure"))
        return EC_EIO;
    if (!(s = calloc(1, sizeof *s)))
        return p->host->fail(p->host, EC_ENOMEM, "out of memory");
    p->host->conf_num(c, "n", 0, &s->n);
    *state = s;
    return EC_OK;
}
static void behave_state_free(void *self, void *state)
{
    (void)self;
    deed("state_free");
    free(state);
}
static int32_t behave_start(void *self, const void *state)
{
    struct behave *p = self;
    (void)state;
    p->host->work(p->host, on_work, NULL);
    return may_fail(p, "start");
}
static void behave_stop(void *self)
{
    (void)self;
    deed("stop");
}
static int32_t behave_worker_init(void *self, uint32_t worker, void **w)
{
    (void)worker;
    *w = NULL;
    return may_fail(self, "worker_init");
}
static void behave_worker_fini(void *self, void *w)
{
    (void)self;
    (void)w;
    deed("worker_fini");
}
static void behave_destroy(void *self)
{
    deed("destroy");
    free(self);
}

static const struct ec_plugin behave = {
    EC_PLUGIN_HEAD,
    "org.example.behave",
    "behave",
    "1",
    "does well but for one callback",
    "MIT",
    NULL,
    0,
    0,
    sizeof offers / sizeof offers[0],
    sizeof offers[0],
    1,
    sizeof metrics[0],
    NULL,
    offers,
    metrics,
    &options,
    behave_create,
    behave_setup,
    behave_configure,
    behave_state_free,
    behave_start,
    behave_stop,
    behave_worker_init,
    behave_worker_fini,
    behave_destroy,
};

EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void);
EC_EXPORT const struct ec_plugin *ec_plugin_entry_1(void)
{
    deed("entry");
    return &behave;
}
