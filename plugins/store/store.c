/* store: keeps events and documents in SQLite, or in PostgreSQL. This file is the glue: options, the subscription, the
 * timer, the counters, ec.store/1. */
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/json.h>
#include <ecyber/ext/store.h>

#include "plugins/store/documents.h"
#include "plugins/store/files.h"
#include "plugins/store/pages.h"
#include "plugins/store/pgstore.h"
#include "plugins/store/query.h"
#include "plugins/store/stream.h"
#include "plugins/store/url.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define TICK_NS UINT64_C(100000000)
#define KEEP_NS UINT64_C(10000000000)           /* between two looks at the segments */
#define SEGMENT_SHARE 8             /* a segment is at most this part of keep_bytes */

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, EC_R_SECRET, "url", NULL, 0, 4096, NULL,
              "postgresql://USER:PASSWORD@HOST/DATABASE; empty: as SQLALCHEMY_DATABASE_URL or DATABASE_URL say, else "
              "SQLite files in the state folder"),
    EC_OPTION(DURATION, EC_R_LIVE, "keep", "30d", 0, INT64_MAX, NULL,
              "events that came before this time are deleted, whole days at once; 0: never"),
    EC_OPTION(SIZE, EC_R_LIVE, "keep_bytes", "10GiB", 0, INT64_MAX, "bytes",
              "the oldest events are deleted when all of them take more; 0: no limit"),
    EC_OPTION(SIZE, EC_R_LIVE, "spool", "64MiB", 131072, INT64_C(4294967296), "bytes",
              "memory for events that cannot be written: disk full, file locked, database away"),
    EC_OPTION(SIZE, EC_R_LIVE, "spool_bytes", "1GiB", 0, INT64_C(1099511627776), "bytes",
              "room on disk, in the state folder, for those that do not fit in there, and over a restart; 0: none"),
    EC_OPTION(DURATION, EC_R_LIVE, "flush", "250ms", 10000000, INT64_C(60000000000), NULL,
              "time after which an event is written though its batch of 1,000 is not full"),
    EC_OPTION(U32, EC_R_LIVE, "segment_rows", "2000000", 1000, 16777216, "events",
              "in one file; there is at least one a day"),
    EC_OPTION(DURATION, EC_R_LIVE, "query_time", "250ms", 1000000, INT64_C(60000000000), NULL,
              "time for one page of a query; then it comes back with what was found so far"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

enum { M_IN, M_RECOVERED, M_STORED, M_FULL, M_MEMORY, M_FAILED, M_UNREAD, M_STOP, M_ERRORS, M_BATCHES, M_DAMAGED,
       M_EXPIRED, M_PUT, M_DELETED, M_PUT_FAILED, M_DEL_FAILED = M_PUT_FAILED + 4, M_HITS = M_DEL_FAILED + 4,
       M_MISSES, COUNTERS, M_SPOOLED = COUNTERS, M_SPOOL_BYTES, M_SPOOL_DISK, M_SEGMENTS, M_BYTES, M_PAGE_BYTES,
       M_TROUBLE, M_DOCUMENTS_TROUBLE, METRICS };
#define METRIC(kind, name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_##kind, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_IN] = METRIC(COUNTER, "events_in", "events", "that came to be stored"),
    [M_RECOVERED] =
        METRIC(COUNTER, "events_recovered", "events", "of those, that an earlier run had left in the spool on disk"),
    [M_STORED] = METRIC(COUNTER, "events_stored", "events", "written and committed"),
    [M_FULL] =
        METRIC(COUNTER, "dropped.spool_full", "events", "lost because nothing could be written and the spool was full"),
    [M_MEMORY] = METRIC(COUNTER, "dropped.memory", "events", "lost because there was no memory"),
    [M_FAILED] =
        METRIC(COUNTER, "dropped.failed", "events", "lost because they cannot be stored: no record in them, too long"),
    [M_UNREAD] = METRIC(COUNTER, "dropped.spool_read", "events", "lost because the spool on disk could not be read"),
    [M_STOP] = METRIC(COUNTER, "dropped.shutdown", "events", "lost because they could not be written before the end"),
    [M_ERRORS] = METRIC(COUNTER, "write_errors", "errors", "batches that could not be written and were tried again"),
    [M_BATCHES] = METRIC(COUNTER, "batches", "batches", "transactions of events"),
    [M_DAMAGED] = METRIC(COUNTER, "files_damaged", "files", "set aside because they were damaged"),
    [M_EXPIRED] = METRIC(COUNTER, "segments_expired", "files", "deleted because of their age or of all their size"),
    [M_PUT] = METRIC(COUNTER, "documents.put", "documents", "written"),
    [M_DELETED] = METRIC(COUNTER, "documents.deleted", "documents", "deleted"),
#define FAILED(at, what, verb) \
    [(at) + DOCUMENTS_CHANGED] = METRIC(COUNTER, what ".changed", "documents", \
                                        "not " verb " because somebody else had changed them meanwhile"), \
    [(at) + DOCUMENTS_MISSING] = METRIC(COUNTER, what ".missing", "documents", \
                                        "not " verb " because they are not there (any more)"), \
    [(at) + DOCUMENTS_TAKEN] = METRIC(COUNTER, what ".taken", "documents", \
                                      "not " verb " because another has the same unique value"), \
    [(at) + DOCUMENTS_DATABASE] = METRIC(COUNTER, what ".database", "documents", \
                                         "not " verb " because the database failed: full, locked, damaged, away")
    FAILED(M_PUT_FAILED, "put_failed", "written"),
    FAILED(M_DEL_FAILED, "del_failed", "deleted"),
    [M_HITS] = METRIC(COUNTER, "pages.hits", "pages", "of events that were answered from memory"),
    [M_MISSES] = METRIC(COUNTER, "pages.misses", "pages", "of events that were read from their files"),
    [M_SPOOLED] = METRIC(GAUGE, "spooled", "events", "that wait to be written"),
    [M_SPOOL_BYTES] = METRIC(GAUGE, "spool_bytes", "bytes", "of events that wait, in memory and on disk"),
    [M_SPOOL_DISK] = METRIC(GAUGE, "spool_disk_bytes", "bytes", "of the spool's file that are in use"),
    [M_SEGMENTS] = METRIC(GAUGE, "segments", "files", "with events"),
    [M_BYTES] = METRIC(GAUGE, "bytes", "bytes", "of all files with events"),
    [M_PAGE_BYTES] = METRIC(GAUGE, "page_bytes", "bytes", "of pages that are kept in memory"),
    [M_TROUBLE] = METRIC(GAUGE, "trouble.events", NULL,
                         "events cannot be written at the moment: disk full, file locked, database away; they wait in "
                         "the spool, and are lost where that is full"),
    [M_DOCUMENTS_TROUBLE] = METRIC(GAUGE, "trouble.documents", NULL,
                                   "the last change of a document failed: disk full, file locked, database away; "
                                   "changes of users, settings and states are refused"),
};

struct store_state {                /* one generation's options */
    uint64_t keep, keep_bytes, spool, spool_bytes, flush, rows, query_time;
    uint32_t serial;
    char *url;
};
struct store {
    const struct ec_host *host;
    const struct ec_json *json;
    void *json_self;
    struct schema *schema;
    struct segments segments;
    struct readers readers;
    struct files files;
    struct backend *backend;
    struct pages pages;
    struct stream stream;
    struct documents documents;
    bool open, closed;              /* open: from start() to destroy(); closed: stop() was called */
    uint32_t built, applied;        /* serials: of the last state made; of the one that is followed */
    _Atomic uint64_t query_time;
    atomic_bool flushing, keeping, recovering;      /* a job is under way */
    _Atomic uint64_t expired;
    uint64_t kept;                  /* ns of readers_clock(): the last look at the segments */
    pthread_mutex_t telling;
    uint64_t told[COUNTERS];
    char *text;                     /* of one event; used with backend->writing held */
    uint64_t cap;
};

static uint64_t wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void on_say(void *arg, enum stream_level level, const char *what)
{
    struct store *s = arg;

    if (level == STREAM_ERROR)
        EC_LOG(s->host, EC_LOG_ERROR, "%s", what);
    else if (level == STREAM_WARNING)
        EC_LOG(s->host, EC_LOG_WARNING, "%s", what);
    else
        EC_LOG(s->host, EC_LOG_INFO, "%s", what);
}

static void on_damaged(void *arg, struct segment_id id, const char *why)
{
    struct store *s = arg;

    s->backend->ops->damaged(s->backend, id, why);
}

static void on_unreadable(void *arg, const char *why)
{
    struct store *s = arg;

    EC_LOG(s->host, EC_LOG_WARNING, "%s; what stands in it is missing in answers", why);
}

/* The text of an event; it ends with NUL. */
static int64_t event_text(void *arg, const struct ec_event *ev, const char **text)
{
    struct store *s = arg;

    for (;;) {
        int64_t n = s->cap ? s->json->event(s->json_self, ev, 0, s->text, s->cap - 1, NULL) : 16383;
        char *grown;

        if (n < 0)
            return n;
        if (s->cap && (uint64_t)n < s->cap) {
            s->text[n] = '\0';
            *text = s->text;
            return n;
        }
        if (!(grown = realloc(s->text, (uint64_t)n + 1)))
            return EC_ENOMEM;
        s->text = grown;
        s->cap = (uint64_t)n + 1;
    }
}

/* Tell the host what was counted since the last time. */
static void count(struct store *s)
{
    struct stream_counts n = stream_counts(&s->stream);
    struct documents_counts d = documents_counts(&s->documents);
    struct pages_counts p = pages_counts(&s->pages);
    uint64_t now[COUNTERS] = {
        [M_IN] = n.in, [M_RECOVERED] = n.recovered, [M_STORED] = n.stored, [M_FULL] = n.full,
        [M_MEMORY] = n.memory, [M_FAILED] = n.failed,
        [M_UNREAD] = n.unread, [M_STOP] = n.shutdown, [M_ERRORS] = n.errors, [M_BATCHES] = n.batches,
        [M_DAMAGED] = n.damaged, [M_EXPIRED] = atomic_load(&s->expired), [M_PUT] = d.put, [M_DELETED] = d.deleted,
        [M_HITS] = p.hits, [M_MISSES] = p.misses };

    memcpy(&now[M_PUT_FAILED], d.put_failed, sizeof d.put_failed);
    memcpy(&now[M_DEL_FAILED], d.del_failed, sizeof d.del_failed);
    pthread_mutex_lock(&s->telling);
    for (uint32_t i = 0; i < COUNTERS; i++)
        if (now[i] > s->told[i]) {
            s->host->metric(s->host, i, (int64_t)(now[i] - s->told[i]));
            s->told[i] = now[i];
        }
    pthread_mutex_unlock(&s->telling);
    s->host->gauge(s->host, M_SPOOLED, (int64_t)n.spooled);
    s->host->gauge(s->host, M_SPOOL_BYTES, (int64_t)n.spool_bytes);
    s->host->gauge(s->host, M_SPOOL_DISK, (int64_t)n.spool_disk);
    s->host->gauge(s->host, M_PAGE_BYTES, (int64_t)p.bytes);
    s->host->gauge(s->host, M_TROUBLE, n.trouble);
    s->host->gauge(s->host, M_DOCUMENTS_TROUBLE, d.trouble);
}

static void follow(struct store *s, const struct store_state *st)
{
    pthread_mutex_lock(&s->backend->writing);
    pthread_mutex_lock(&s->stream.lock);
    s->stream.spool.limit = st->spool;
    spool_disk(&s->stream.spool, st->spool_bytes);
    s->backend->rows_max = st->rows;
    s->backend->bytes_max = st->keep_bytes ? st->keep_bytes / SEGMENT_SHARE : UINT64_MAX;
    s->applied = st->serial;
    pthread_mutex_unlock(&s->stream.lock);
    pthread_mutex_unlock(&s->backend->writing);
    atomic_store(&s->query_time, st->query_time);
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    struct store *s = self;

    (void)state;
    stream_add(&s->stream, ev, wall_clock());
}

static void on_idle(void *self, const void *state)
{
    (void)state;
    count(self);
}

static void flush_job(void *self, const void *state, void *arg)
{
    struct store *s = self;
    const struct store_state *st = state;

    (void)arg;
    stream_flush(&s->stream, wall_clock(), st->flush);
    atomic_store(&s->flushing, false);
    count(s);
}

static struct query_host reading(struct store *s);

static void recover_job(void *self, const void *state, void *arg)
{
    struct store *s = self;
    struct query_host h = reading(s);

    (void)state;
    (void)arg;
    /* One file for each job, so that the daemon need not wait long for the pool when it ends. */
    if (!stream_recover(&s->stream, &h) || s->host->work(s->host, recover_job, NULL))
        atomic_store(&s->recovering, false);
}

static void keep_job(void *self, const void *state, void *arg)
{
    struct store *s = self;
    const struct store_state *st = state;
    struct backend_limits limits = { st->keep, st->keep_bytes };
    uint64_t now = wall_clock(), bytes;
    uint32_t n;

    (void)arg;
    atomic_fetch_add(&s->expired, s->backend->ops->expire(s->backend, now, limits));
    bytes = s->backend->ops->bytes(s->backend, &n);
    s->host->gauge(s->host, M_SEGMENTS, n);
    s->host->gauge(s->host, M_BYTES, (int64_t)bytes);
    /* One index for each job, so that the daemon need not wait long for the pool when it ends. */
    if (!s->backend->ops->finish(s->backend, now) || s->host->work(s->host, keep_job, NULL))
        atomic_store(&s->keeping, false);
}

static void on_tick(void *self, const void *state, uint64_t now_ns)
{
    struct store *s = self;
    const struct store_state *st = state;
    uint64_t now = readers_clock();

    (void)now_ns;
    if (!s->open || !st)
        return;
    if (s->applied != st->serial)
        follow(s, st);
    if (stream_due(&s->stream, st->flush) && !atomic_exchange(&s->flushing, true) &&
        s->host->work(s->host, flush_job, NULL))
        atomic_store(&s->flushing, false);
    if (stream_recoverable(&s->stream) && !atomic_exchange(&s->recovering, true) &&
        s->host->work(s->host, recover_job, NULL))
        atomic_store(&s->recovering, false);
    if ((!s->kept || now - s->kept >= KEEP_NS) && !atomic_exchange(&s->keeping, true)) {
        s->kept = now;
        if (s->host->work(s->host, keep_job, NULL))
            atomic_store(&s->keeping, false);
    }
    count(s);
}

static int32_t store_create(const struct ec_host *host, void **self)
{
    struct store *s = calloc(1, sizeof *s);

    if (!s)
        return host->fail(host, EC_ENOMEM, "out of memory");
    s->host = host;
    documents_init(&s->documents, host);
    pthread_mutex_init(&s->telling, NULL);
    *self = s;
    return EC_OK;
}

static void close_backend(struct store *s)
{
    if (s->backend == &s->files.backend)
        backend_close(s->backend);
#ifdef HAVE_LIBPQ
    else
        pgstore_close(s->backend);
#endif
}

static void store_destroy(void *self)
{
    struct store *s = self;

    if (s->open) {
        pages_close(&s->pages);
        readers_close(&s->readers);
        segments_close(&s->segments);
        close_backend(s);
    }
    schema_free(s->schema);
    documents_free(&s->documents);
    pthread_mutex_destroy(&s->telling);
    free(s->text);
    free(s);
}

static int32_t store_setup(void *self)
{
    static const struct ec_sub everything = {
        .size = sizeof everything, .mode = EC_SUB_OWN_THREAD, .capacity = 262144, .bytes = 128u << 20,
        .overflow = EC_OVF_DROP_NEW, .topic = "*", .fn = on_event, .idle = on_idle };
    static const struct ec_timer tick = { .size = sizeof tick, .every_ns = TICK_NS, .fn = on_tick };
    struct store *s = self;
    int32_t err;

    s->json = s->host->use(s->host, EC_JSON_ID, &s->json_self);
    if (!s->json)
        return s->host->fail(s->host, EC_ENOTSUP, "the daemon does not offer " EC_JSON_ID);
    s->documents.json = s->json;
    s->documents.json_self = s->json_self;
    err = s->host->subscribe(s->host, &everything);
    return err ? err : s->host->timer(s->host, &tick);
}

static uint64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return (uint64_t)v;
}

/* The predecessor took its database from the environment. */
static const char *configured_url(const struct ec_host *h, const struct ec_conf *c)
{
    const char *url = h->conf_text(c, "url", 0), *name[] = { "SQLALCHEMY_DATABASE_URL", "DATABASE_URL" };

    for (uint32_t i = 0; i < 2 && (!url || !*url); i++)
        url = getenv(name[i]);
    return url ? url : "";
}

static int32_t store_configure(void *self, const struct ec_conf *c, void **state)
{
    struct store *s = self;
    const struct ec_host *h = s->host;
    struct store_state *st = calloc(1, sizeof *st);

    if (!st)
        return h->fail(h, EC_ENOMEM, "out of memory");
    *st = (struct store_state){
        .keep = number(h, c, "keep"), .keep_bytes = number(h, c, "keep_bytes"), .spool = number(h, c, "spool"),
        .spool_bytes = number(h, c, "spool_bytes"),
        .flush = number(h, c, "flush"), .rows = number(h, c, "segment_rows"), .query_time = number(h, c, "query_time"),
        .serial = ++s->built, .url = strdup(configured_url(h, c)) };
    if (!st->url) {
        free(st);
        return h->fail(h, EC_ENOMEM, "out of memory");
    }
    *state = st;
    return EC_OK;
}

static void store_state_free(void *self, void *state)
{
    struct store_state *st = state;

    (void)self;
    free(st->url);
    free(st);
}

/* What every backend is told. */
static struct backend backend_of(struct store *s)
{
    return (struct backend){ .ops = &files_ops, .schema = s->schema, .segments = &s->segments, .readers = &s->readers,
                             .json = event_text, .json_arg = s, .say = on_say, .say_arg = s };
}

static int32_t start_files(struct store *s)
{
    const char *folder = s->host->state_dir(s->host);
    char said[9200], path[4200];
    int32_t err;

    if (!folder)
        return s->host->fail(s->host, EC_EIO, "there is no state folder, so nothing can be stored: see core.state_dir");
    snprintf(path, sizeof path, "%s/documents.db", folder);
    if ((err = documents_open(&s->documents, &documents_file, path, said, sizeof said)))
        return s->host->fail(s->host, err, said);
    if (*said)
        EC_LOG(s->host, EC_LOG_CRITICAL, "%s", said);
    if (segments_open(&s->segments, folder))
        return ec_failf(s->host, EC_EIO, "%s cannot be read: %s", folder, strerror(errno));
    s->files.backend = backend_of(s);
    s->backend = &s->files.backend;
    backend_open(s->backend);
    return EC_OK;
}

static int32_t start_postgresql(struct store *s, char *url)
{
#ifdef HAVE_LIBPQ
    const char *folder = s->host->state_dir(s->host);
    struct backend b = backend_of(s);
    char said[4700], path[4200];
    int32_t err;

    if (folder) {
        snprintf(path, sizeof path, "%s/documents-copy.db", folder);
        documents_keep_copy(&s->documents, path);
    }
    segments_init(&s->segments);
    if (!(s->backend = pgstore_open(&b, url, said, sizeof said)))
        return s->host->fail(s->host, EC_EIO, said);
    if ((err = documents_open(&s->documents, &documents_pg, url, said, sizeof said))) {
        pgstore_close(s->backend);
        segments_close(&s->segments);
        return s->host->fail(s->host, err, said);
    }
    return EC_OK;
#else
    (void)url;
    return s->host->fail(s->host, EC_ENOTSUP, "store.url names PostgreSQL, and this eCyber was built without libpq");
#endif
}

static int32_t start_backend(struct store *s, const char *configured)
{
    char why[200], *url = NULL;
    int32_t err;

    switch (*configured ? url_parse(configured, &url, why, sizeof why) : URL_SQLITE) {
    case URL_POSTGRESQL:
        err = start_postgresql(s, url);
        break;
    case URL_SQLITE:
        if (url)
            EC_LOG(s->host, EC_LOG_INFO, "the store's URL names SQLite: its files are in %s, whatever path it has",
                   s->host->state_dir(s->host) ? s->host->state_dir(s->host) : "no folder");
        err = start_files(s);
        break;
    default:
        err = s->host->fail(s->host, EC_EINVAL, why);
    }
    free(url);
    return err;
}

static int32_t store_start(void *self, const void *state)
{
    struct store *s = self;
    const struct store_state *st = state;
    int32_t err;

    if (!s->schema && !(s->schema = schema_new(s->host)))
        return s->host->fail(s->host, EC_ENOMEM, "out of memory");
    if ((err = start_backend(s, st->url)))
        return err;
    readers_open(&s->readers, s->backend);
    pages_open(&s->pages);
    s->stream.backend = s->backend;
    s->stream.spool.folder = s->host->state_dir(s->host);
    s->stream.spool.host = s->host;
    stream_open(&s->stream);
    s->open = true;
    follow(s, state);
    return EC_OK;
}

static void store_stop(void *self)
{
    struct store *s = self;

    if (!s->open || s->closed)
        return;
    s->closed = true;
    stream_close(&s->stream, wall_clock());
    count(s);
}

static int32_t offer_kind(void *self, const struct ec_host *h, const struct ec_kind *k, uint32_t *kind)
{
    struct store *s = self;

    return documents_kind(&s->documents, h, k, kind);
}

static int32_t offer_put(void *self, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p)
{
    struct store *s = self;

    return documents_put(&s->documents, kind, id, version, p);
}

static int32_t offer_del(void *self, uint32_t kind, uint64_t id, uint64_t version)
{
    struct store *s = self;

    return documents_del(&s->documents, kind, id, version);
}

static int32_t offer_get(void *self, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg)
{
    struct store *s = self;

    return documents_get(&s->documents, kind, id, fn, arg);
}

static int32_t offer_find(void *self, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after,
                          uint32_t limit, ec_store_row_fn *fn, void *arg)
{
    struct store *s = self;

    return documents_find(&s->documents, kind, f, n, after, limit, fn, arg);
}

static struct query_host reading(struct store *s)
{
    return (struct query_host){
        s->schema, &s->segments, &s->readers, atomic_load(&s->query_time), on_damaged, on_unreadable, s,
        s->backend == &s->files.backend ? &s->pages : NULL};    /* others write into a server, too */
}

static int32_t not_open(const struct store *s, char *why, uint32_t n)
{
    if (s->open)
        return EC_OK;
    snprintf(why, n, "events can be read from start() on");
    return EC_EAGAIN;
}

static int32_t offer_events(void *self, const struct ec_query *q, ec_store_event_fn *fn, void *arg,
                            struct ec_page *page, char *why, uint32_t n)
{
    struct store *s = self;
    struct query_host h = reading(s);
    int32_t err = not_open(s, why, n);

    return err ? err : query_events(&h, q, fn, arg, page, why, n);
}

static int32_t offer_event(void *self, uint64_t id, ec_store_event_fn *fn, void *arg)
{
    struct store *s = self;
    struct query_host h = reading(s);
    char why[4600] = "there is no such event";
    int32_t err = not_open(s, why, sizeof why);

    if (!err)
        err = query_event(&h, id, fn, arg, why, sizeof why);
    return err ? s->host->fail(s->host, err, why) : EC_OK;
}

static int32_t offer_count(void *self, const struct ec_query *q, const char *field, uint32_t top, ec_store_count_fn *fn,
                           void *arg, struct ec_page *page, char *why, uint32_t n)
{
    struct store *s = self;
    struct query_host h = reading(s);
    int32_t err = not_open(s, why, n);

    return err ? err : query_count(&h, q, field, top, fn, arg, page, why, n);
}

static const struct ec_store service = {.size = sizeof service,
                                        .kind = offer_kind,
                                        .put = offer_put,
                                        .del = offer_del,
                                        .get = offer_get,
                                        .find = offer_find,
                                        .events = offer_events,
                                        .event = offer_event,
                                        .count = offer_count};
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_STORE_ID, &service } };
static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_json), 0, EC_JSON_ID } };

static const struct ec_plugin store = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.store",
    .name = "store",
    .version = "0.1.0",
    .summary = "keeps events and documents in SQLite or PostgreSQL",
    .license = "MIT",
    .n_use = 1,
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_offer = 1,
    .offer_stride = sizeof offers[0],
    .offer = offers,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = store_create,
    .setup = store_setup,
    .configure = store_configure,
    .state_free = store_state_free,
    .start = store_start,
    .stop = store_stop,
    .destroy = store_destroy,
};
EC_PLUGIN(store)
