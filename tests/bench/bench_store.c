/* Events a second into the store, as a ratio to a bare loop of prepared inserts: the same rows into the same tables
 * with the same durability (WAL, synchronous=NORMAL, 1,000 events a transaction), and nothing else: no spool, no JSON
 * writer, no look at the tables of records. The runs take turns in one process; medians. usage: bench_store [EVENTS
 * [RUNS]] */
#include "core/record/service.h"
#include "plugins/store/files.h"
#include "plugins/store/stream.h"
#include "testhost.h"
#ifdef HAVE_LIBPQ
#include "plugins/store/pgstore.h"
#include "tests/support/pg_server.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOW UINT64_C(1795372800000000000)

struct flow { struct ec_part part; uint64_t pkts[2], bytes[2], start; };
static const struct ec_row flow_rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct flow, pkts[0], "pkts_toserver", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, pkts[1], "pkts_toclient", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, bytes[0], "bytes_toserver", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, bytes[1], "bytes_toclient", NULL, ""),
    EC_FIELD(TIME, EC_R_COLUMN, struct flow, start, "start", NULL, ""),
};
struct http { struct ec_part part; struct ec_span hostname, url, method, agent; uint32_t status, length; };
static const struct ec_row http_rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct http, hostname, "hostname", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_FTS, struct http, url, "url", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN, struct http, method, "http_method", NULL, ""),
    EC_FIELD(WIRE, 0, struct http, agent, "http_user_agent", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN, struct http, status, "status", NULL, ""),
    EC_FIELD(U32, 0, struct http, length, "length", NULL, ""),
};
struct dns { struct ec_part part; struct ec_span rrname, rrtype, rcode; uint32_t type, id; };
static const struct ec_row dns_rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct dns, type, "type", "query,answer", ""),
    EC_FIELD(U32, EC_R_COLUMN, struct dns, id, "id", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct dns, rrname, "rrname", NULL, ""),
    EC_FIELD(TEXT, EC_R_COLUMN, struct dns, rrtype, "rrtype", NULL, ""),
    EC_FIELD(TEXT, EC_R_COLUMN, struct dns, rcode, "rcode", NULL, ""),
};
static const struct ec_record flow_record = EC_RECORD_PART(struct flow, flow_rows);
static const struct ec_record http_record = EC_RECORD_PART(struct http, http_rows);
static const struct ec_record dns_record = EC_RECORD_PART(struct dns, dns_rows);
static const struct ec_topic topics[] = {
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.flow/1", "flow", &flow_record, NULL, "" },
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.http/1", "http", &http_record, NULL, "" },
    { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.dns/1", "dns", &dns_record, NULL, "" },
};
static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };

static struct testhost *host;
static struct record_service *service;
static struct schema *schema;
static uint32_t topic[3];
static char folder[] = "/var/tmp/ecyber-bench-store-XXXXXX";

static void fail(const char *what)
{
    fprintf(stderr, "bench_store: %s\n", what);
    exit(1);
}

struct cost { double wall, cpu; };  /* seconds */

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct cost begin(void)
{
    return (struct cost){ seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct cost since(struct cost t)
{
    return (struct cost){ seconds(CLOCK_MONOTONIC) - t.wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - t.cpu };
}

static int64_t text_of(void *arg, const struct ec_event *ev, const char **s)
{
    static char room[65536];
    int64_t n = record_json.event(arg, ev, 0, room, sizeof room - 1, NULL);

    if (n < 0 || n >= (int64_t)sizeof room)
        return -1;
    room[n] = '\0';
    *s = room;
    return n;
}

static void fill_part(struct ec_build *b, uint32_t i)
{
    char name[64];

    snprintf(name, sizeof name, "host%u.example.com", i % 5000);
    if (i % 3 == 0) {
        struct flow *f = ec_add(b, topic[0], sizeof *f);

        *f = (struct flow){ f->part, { i % 50, i % 70 }, { i % 90000, i % 1000000 }, NOW };
    } else if (i % 3 == 1) {
        struct http *h = ec_add(b, topic[1], sizeof *h);

        h->status = 200;
        h->length = i;
        h->hostname = ec_puts(b, name);
        snprintf(name, sizeof name, "/path/%u/index.php?session=%u", i % 300, i);
        h->url = ec_puts(b, name);
        h->method = ec_puts(b, "GET");
        h->agent = ec_puts(b, "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0");
    } else {
        struct dns *d = ec_add(b, topic[2], sizeof *d);

        d->id = i & 0xffff;
        d->rrname = ec_puts(b, name);
        d->rrtype = ec_puts(b, "A");
        d->rcode = ec_puts(b, "NOERROR");
    }
}

/* Events of three kinds, one behind the other. */
static uint8_t *make_events(uint32_t n, const struct ec_event **ev)
{
    uint8_t *all = malloc((size_t)n * 1024), *at = all;

    for (uint32_t i = 0; all && i < n; i++, at += 1024) {
        struct ec_event *e;
        struct ec_build b;
        uint32_t addr = i * 2654435761u;

        if (testhost_host(host)->open(testhost_host(host), 0, topic[i % 3], &b))
            fail("open");
        e = ec_head(&b);
        e->id = (NOW >> 20 << 21 & INT64_MAX) + i;
        e->ts_ns = NOW + i * UINT64_C(10000);
        e->flags = EC_EV_IP | EC_EV_PORTS | EC_EV_FLOW | EC_EV_COMMUNITY;
        e->flow_id = (uint64_t)addr << 20;
        e->ip_proto = i % 3 == 2 ? 17 : 6;
        memset(e->src + 10, 0xff, 2);
        memset(e->dst + 10, 0xff, 2);
        memcpy(e->src + 12, &addr, 4);
        memcpy(e->dst + 12, "\x0a\x01\x02\x03", 4);
        memcpy(e->community, &addr, 4);
        e->sport = (uint16_t)addr;
        e->dport = 443;
        fill_part(&b, i);
        e->total = b.used;
        if (b.used > 1024)
            fail("an event is too long");
        memcpy(at, b.base, b.used);
        ev[i] = (const void *)at;
        testhost_host(host)->discard(testhost_host(host), &b);
    }
    return all;
}

static void say(void *arg, enum stream_level level, const char *what)
{
    (void)arg;
    if (level != STREAM_INFO)
        fprintf(stderr, "bench_store: %s\n", what);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *v, uint32_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

/* The store's way, from the subscription on. */
static struct cost run_store(const struct ec_event *const *ev, uint32_t n, char path[SEGMENT_PATH])
{
    struct segments segments;
    struct readers readers;
    struct files files = { .backend = { .ops = &files_ops, .schema = schema, .segments = &segments,
                                        .readers = &readers, .json = text_of, .json_arg = service, .say = say,
                                        .rows_max = UINT64_MAX, .bytes_max = UINT64_MAX } };
    struct stream s = { .backend = &files.backend, .spool.limit = 64 << 20 };
    struct stream_counts counts;
    struct cost t;

    if (segments_open(&segments, folder))
        fail("the folder cannot be opened");
    backend_open(&files.backend);
    readers_open(&readers, &files.backend);
    stream_open(&s);
    t = begin();
    for (uint32_t i = 0; i < n; i++)
        stream_add(&s, ev[i], NOW);
    stream_flush(&s, NOW, 0);
    t = since(t);
    counts = stream_counts(&s);
    segments_path(&segments, segments.segment[0].id, path);
    stream_close(&s, NOW);
    readers_close(&readers);
    segments_close(&segments);
    backend_close(&files.backend);
    if (counts.stored != n)
        fail("not all events were stored");
    return t;
}

#ifdef HAVE_LIBPQ
/* The same into PostgreSQL, as its package configures it. */
static double run_pg(const char *url, const struct ec_event *const *ev, uint32_t n)
{
    struct segments segments;
    struct readers readers;
    struct backend b = { .schema = schema, .segments = &segments, .readers = &readers, .json = text_of,
                         .json_arg = service, .say = say, .rows_max = UINT64_MAX, .bytes_max = UINT64_MAX };
    struct stream s = { .spool.limit = 64 << 20 };
    struct stream_counts counts;
    char why[4600];
    struct cost t;

    segments_init(&segments);
    if (!(s.backend = pgstore_open(&b, url, why, sizeof why)))
        fail(why);
    readers_open(&readers, s.backend);
    stream_open(&s);
    t = begin();
    for (uint32_t i = 0; i < n; i++)
        stream_add(&s, ev[i], NOW);
    stream_flush(&s, NOW, 0);
    t = since(t);
    counts = stream_counts(&s);
    stream_close(&s, NOW);
    readers_close(&readers);
    pgstore_close(s.backend);
    segments_close(&segments);
    if (counts.stored != n)
        fail("not all events were stored in PostgreSQL");
    return n / t.wall;
}

static void postgresql(const struct ec_event *const *ev, uint32_t n)
{
    struct pg_server server;
    double rate[3];
    char url[256];

    if (!pg_server_installed(&server) || !pg_server_new(&server))
        return;
    snprintf(url, sizeof url, "postgresql%s", strstr(server.url, "://"));
    for (uint32_t i = 0; i < 3; i++)
        rate[i] = run_pg(url, ev, n);
    pg_server_free(&server);
    printf("store: %.0f events/s into PostgreSQL on the same machine (median of 3 runs of %u events)\n",
           median(rate, 3), n);
}
#endif

/* All rows of a table, in memory. */
struct rows {
    const char *insert, *select;
    int columns;
    uint32_t n;
    sqlite3_value **value;
    sqlite3_stmt *st;
    uint32_t at;
};

static void rows_read(sqlite3 *db, struct rows *r, uint32_t most)
{
    sqlite3_stmt *st;

    r->n = 0;
    if (sqlite3_prepare_v2(db, r->select, -1, &st, NULL))
        fail(sqlite3_errmsg(db));
    r->columns = sqlite3_column_count(st);
    r->value = calloc((size_t)most * (size_t)r->columns, sizeof(sqlite3_value *));
    while (r->value && r->n < most && sqlite3_step(st) == SQLITE_ROW) {
        for (int c = 0; c < r->columns; c++)
            r->value[r->n * (uint32_t)r->columns + (uint32_t)c] = sqlite3_value_dup(sqlite3_column_value(st, c));
        r->n++;
    }
    sqlite3_finalize(st);
}

/* The rows whose event is at most `row`; the first column is its key. */
static void rows_write(struct rows *r, int64_t row, int shift)
{
    for (; r->at < r->n; r->at++) {
        sqlite3_value **v = r->value + (size_t)r->at * (size_t)r->columns;

        if (sqlite3_value_int64(v[0]) >> shift > row)
            return;
        for (int c = 0; c < r->columns; c++)
            sqlite3_bind_value(r->st, c + 1, v[c]);
        if (sqlite3_step(r->st) != SQLITE_DONE)
            fail("an insert failed");
        sqlite3_reset(r->st);
    }
}

#define TABLES 6
static struct cost run_bare(struct rows *r, uint32_t n)
{
    enum db_fault fault;
    char path[SEGMENT_PATH], why[4600];
    struct segment_writer *w;
    sqlite3 *db;
    struct cost t;
    int found;

    snprintf(path, sizeof path, "%s/bare.db", folder);
    if (!(w = segment_writer_open(schema, path, text_of, service, &fault, why, sizeof why)))
        fail(why);
    segment_writer_close(w);        /* the same tables and indices */
    if (db_open(&db, path, 0, 0600, SEGMENT_VERSION, &found, why, sizeof why))
        fail(why);
    for (int i = 0; i < TABLES; i++) {
        r[i].at = 0;
        if (sqlite3_prepare_v2(db, r[i].insert, -1, &r[i].st, NULL))
            fail(sqlite3_errmsg(db));
    }
    t = begin();
    for (int64_t row = 0; row < (int64_t)n; row += SEGMENT_BATCH) {
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (int i = 0; i < TABLES; i++)
            rows_write(&r[i], row + SEGMENT_BATCH, i < 3 ? 0 : PARTS_SHIFT);
        if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
            fail(sqlite3_errmsg(db));
    }
    t = since(t);
    for (int i = 0; i < TABLES; i++)
        sqlite3_finalize(r[i].st);
    sqlite3_close(db);
    db_unlink(path);
    return t;
}

static void copy_rows(const char *path, struct rows *rows, uint32_t n)
{
    sqlite3 *db;

    if (sqlite3_open(path, &db))
        fail("the segment cannot be read");
    for (int k = 0; k < TABLES; k++)
        rows_read(db, &rows[k], n);
    sqlite3_close(db);
    if (rows[0].n != n || rows[1].n != n || rows[3].n + rows[4].n + rows[5].n != n)
        fail("rows are missing");
}

int main(int argc, char **argv)
{
    struct rows rows[TABLES] = {
        {.insert = "INSERT INTO event VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
         .select = "SELECT * FROM event"},
        {.insert = "INSERT INTO json VALUES(?1,?2)", .select = "SELECT * FROM json"},
        {.insert = "INSERT INTO words(rowid,text) VALUES(?1,?2)", .select = "SELECT key>>8,' '||url FROM t_http"},
        {.insert = "INSERT INTO t_flow VALUES(?1,?2,?3,?4,?5,?6)", .select = "SELECT * FROM t_flow"},
        {.insert = "INSERT INTO t_http VALUES(?1,?2,?3,?4,?5)", .select = "SELECT * FROM t_http"},
        {.insert = "INSERT INTO t_dns VALUES(?1,?2,?3,?4,?5,?6)", .select = "SELECT * FROM t_dns"}};
    uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 100000, runs = argc > 2 ? (uint32_t)atoi(argv[2]) : 5;
    const struct ec_event **ev = calloc(n ? n : 1, sizeof *ev);
    double *rate = calloc(runs + 1, sizeof *rate), *bare_rate = calloc(runs + 1, sizeof *bare_rate);
    double *wall = calloc(runs + 1, sizeof *wall), *cpu = calloc(runs + 1, sizeof *cpu);
    char path[SEGMENT_PATH], command[128];
    uint8_t *all;

    host = testhost_new(&nobody);
    for (int i = 0; i < 3; i++)
        topic[i] = testhost_topic(host, &topics[i]);
    if (!n || !runs || testhost_start(host) || !(service = record_service_new(testhost_host(host))) ||
        !(schema = schema_new(testhost_host(host))) || !mkdtemp(folder))
        fail("cannot begin");
    if (!(all = make_events(n, ev)))
        fail("out of memory");
    for (uint32_t i = 0; i <= runs; i++) { /* the first one warms up, and its rows are those of the bare loop */
        struct cost store = run_store(ev, n, path), bare;

        if (!i)
            copy_rows(path, rows, n);
        db_unlink(path);
        bare = run_bare(rows, n);
        rate[i ? i - 1 : 0] = n / store.wall;
        bare_rate[i ? i - 1 : 0] = n / bare.wall;
        wall[i ? i - 1 : 0] = bare.wall / store.wall;
        cpu[i ? i - 1 : 0] = bare.cpu / store.cpu;
    }
    printf("store: %.0f events/s into SQLite, bare prepared inserts of the same rows %.0f/s, ratio %.2f by time and %.2f by "
           "CPU (medians of %u runs of %u events)\n",
           median(rate, runs), median(bare_rate, runs), median(wall, runs), median(cpu, runs), runs, n);
#ifdef HAVE_LIBPQ
    postgresql(ev, n);
#endif
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}
