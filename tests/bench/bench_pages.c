/* Time for a page of 50 events out of many, by the store's own engine. The events go in by its real writer (flows,
 * HTTP, DNS, one alert in ten, 1 ms apart, 65,536 addresses), and each segment but the last gets its indices, as in the
 * daemon. For each question pages are read behind a cursor that stands at the newest event, in the middle, and near the
 * oldest. usage: bench_pages FOLDER [EVENTS [PAGES]]; the segments stay in FOLDER. */
#include "core/record/service.h"
#include "plugins/store/files.h"
#include "plugins/store/query.h"
#include "plugins/store/stream.h"
#include "testhost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW   UINT64_C(1795372800000000000)
#define STEP  UINT64_C(1000000)
#define ROWS  2000000u /* of a segment: store.segment_rows */
#define ROOM  2048u    /* of one event */
#define PAGE  50u
#define BOUND UINT64_C(250000000) /* store.query_time */

struct alert {
    struct ec_part part;
    struct ec_span signature, category;
    uint32_t sid, severity;
};
static const struct ec_row alert_rows[] = {
    EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct alert, sid, "signature_id", NULL, ""),
    EC_FIELD(TEXT, EC_R_COLUMN | EC_R_FTS, struct alert, signature, "signature", NULL, ""),
    EC_FIELD(TEXT, EC_R_COLUMN, struct alert, category, "category", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct alert, severity, "severity", NULL, ""),
};
struct flow {
    struct ec_part part;
    uint64_t pkts[2], bytes[2], start;
};
static const struct ec_row flow_rows[] = {
    EC_FIELD(U64, EC_R_COLUMN, struct flow, pkts[0], "pkts_toserver", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, pkts[1], "pkts_toclient", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, bytes[0], "bytes_toserver", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct flow, bytes[1], "bytes_toclient", NULL, ""),
    EC_FIELD(TIME, EC_R_COLUMN, struct flow, start, "start", NULL, ""),
};
struct http {
    struct ec_part part;
    struct ec_span hostname, url, method, agent;
    uint32_t status, length;
};
static const struct ec_row http_rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct http, hostname, "hostname", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_FTS, struct http, url, "url", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN, struct http, method, "http_method", NULL, ""),
    EC_FIELD(WIRE, 0, struct http, agent, "http_user_agent", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN, struct http, status, "status", NULL, ""),
    EC_FIELD(U32, 0, struct http, length, "length", NULL, ""),
};
struct dns {
    struct ec_part part;
    struct ec_span rrname, rrtype;
    uint32_t id, pad;
};
static const struct ec_row dns_rows[] = {
    EC_FIELD(U32, EC_R_COLUMN, struct dns, id, "id", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct dns, rrname, "rrname", NULL, ""),
    EC_FIELD(TEXT, EC_R_COLUMN, struct dns, rrtype, "rrtype", NULL, ""),
};
static const struct ec_record records[] = {EC_RECORD_PART(struct flow, flow_rows),
                                           EC_RECORD_PART(struct http, http_rows), EC_RECORD_PART(struct dns, dns_rows),
                                           EC_RECORD_PART(struct alert, alert_rows)};
static const struct ec_topic topics[] = {
    {(uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.flow/1", "flow", &records[0], NULL, ""},
    {(uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.http/1", "http", &records[1], NULL, ""},
    {(uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.dns/1", "dns", &records[2], NULL, ""},
    {(uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.alert/1", "alert", &records[3], NULL, ""}};
enum { FLOW, HTTP, DNS, ALERT, TOPICS };
static const struct ec_plugin nobody = {EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1"};

static struct testhost *host;
static struct record_service *service;
static struct schema *schema;
static struct segments segments;
static struct readers readers;
static struct files files;
static uint32_t topic[TOPICS];

static void fail(const char *what)
{
    fprintf(stderr, "bench_pages: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

static void say(void *arg, enum stream_level level, const char *what)
{
    (void)arg;
    if (level != STREAM_INFO)
        fprintf(stderr, "bench_pages: %s\n", what);
}

static uint32_t kind_of(uint32_t i)
{
    return i % 10 == 9 ? ALERT : i % 10 < 4 ? FLOW : i % 10 < 7 ? HTTP : DNS;
}

static void fill_alert(struct ec_build *b, uint32_t i)
{
    struct alert *a = ec_add(b, topic[ALERT], sizeof *a);
    uint32_t k = i / 10;
    char text[120];

    a->sid = 2000000 + k % 200;
    a->severity = k % 100 == 0 ? 1 : k % 100 < 10 ? 2 : 3;
    snprintf(text, sizeof text, "ET %s number%u tries something%s", k % 2 ? "SCAN" : "EXPLOIT", k % 200,
             k % 50000 == 7 ? " needle" : "");
    a->signature = ec_puts(b, text);
    a->category = ec_puts(b, "Attempted Information Leak");
}

static void fill_part(struct ec_build *b, uint32_t i, uint32_t kind)
{
    char name[80];

    snprintf(name, sizeof name, "host%u.example.com", i % 5000);
    if (kind == FLOW) {
        struct flow *f = ec_add(b, topic[FLOW], sizeof *f);

        *f = (struct flow){f->part, {i % 50, i % 70}, {i % 90000, i % 1000000}, NOW};
    } else if (kind == HTTP) {
        struct http *h = ec_add(b, topic[HTTP], sizeof *h);

        h->status = 200;
        h->length = i;
        h->hostname = ec_puts(b, name);
        snprintf(name, sizeof name, "/path/%u/index.php?session=%u", i % 300, i % 5000);
        h->url = ec_puts(b, name);
        h->method = ec_puts(b, "GET");
        h->agent = ec_puts(b, "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0");
    } else {
        struct dns *d = ec_add(b, topic[DNS], sizeof *d);

        d->id = i & 0xffff;
        d->rrname = ec_puts(b, name);
        d->rrtype = ec_puts(b, "A");
    }
}

/* Numbered i. One in 65,536 comes from 10.0.77.88, one in two million from 10.9.9.9. */
static void make_event(struct ec_build *b, uint32_t i)
{
    uint32_t kind = kind_of(i), addr = i * 2654435761u;
    struct ec_event *e;

    if (testhost_host(host)->open(testhost_host(host), 0, topic[kind], b))
        fail("open");
    e = ec_head(b);
    e->id = (NOW >> 20 << 21 & INT64_MAX) + i;
    e->ts_ns = NOW + i * STEP;
    e->flags = EC_EV_IP | EC_EV_PORTS | EC_EV_FLOW | EC_EV_COMMUNITY;
    e->flow_id = (uint64_t)addr << 20;
    e->ip_proto = kind == DNS ? 17 : 6;
    memset(e->src + 10, 0xff, 2);
    memset(e->dst + 10, 0xff, 2);
    memcpy(e->src + 12, (uint8_t[4]){10, 0, (uint8_t)(addr >> 24), (uint8_t)(addr >> 16)}, 4);
    if (i % 2000000 == 777777)
        memcpy(e->src + 12, (uint8_t[4]){10, 9, 9, 9}, 4);
    memcpy(e->dst + 12, "\x0a\x01\x02\x03", 4);
    memcpy(e->community, &addr, 4);
    e->sport = (uint16_t)addr;
    e->dport = 443;
    if (kind == ALERT)
        fill_alert(b, i);
    else
        fill_part(b, i, kind);
    e->total = b->used;
}

static void generate(uint32_t n)
{
    struct stream s = {.backend = &files.backend, .spool.limit = 64 << 20};
    double begun = now(), took;

    stream_open(&s);
    for (uint32_t i = 0; i < n; i++) {
        struct ec_build b;

        make_event(&b, i);
        stream_add(&s, ec_head(&b), NOW);
        testhost_host(host)->discard(testhost_host(host), &b);
    }
    stream_flush(&s, NOW, 0);
    took = now() - begun;
    if (stream_counts(&s).stored != n)
        fail("not all events were stored");
    printf("store: %u events written in %.0f s\n", n, took);
    begun = now();
    while (files_ops.finish(&files.backend, NOW))
        continue;
    printf("store: indices of the closed segments built in %.0f s\n", now() - begun);
    stream_close(&s, NOW);
}

static int32_t take(void *arg, uint64_t id, const char *json, uint32_t len)
{
    (void)id;
    (void)json;
    (void)len;
    ++*(uint32_t *)arg;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

struct question {
    const char *name, *type, *field, *value, *text;
    uint64_t since, until;
};

static struct ec_query query_of(const struct question *q, struct ec_filter *f)
{
    *f = (struct ec_filter){sizeof *f, EC_F_EQ, q->field, q->value};
    return (struct ec_query){.size = sizeof(struct ec_query),
                             .type = q->type,
                             .filter = f,
                             .n_filter = q->field != NULL,
                             .filter_stride = sizeof *f,
                             .since_ns = q->since,
                             .until_ns = q->until,
                             .text = q->text,
                             .limit = PAGE};
}

/* Pages from `share` of all rows on, as the next ones behind each other; at the end anew. */
static void measure(const struct query_host *h, const struct question *ask, const char *where, double share,
                    uint32_t pages)
{
    struct ec_filter f;
    struct ec_query q = query_of(ask, &f);
    uint32_t n = 0, partial = 0, list, segment;
    struct segment *all = segments_list(&segments, &list);
    struct ec_page page = {.size = sizeof page};
    char why[4600], first[EC_CURSOR_MAX] = "";
    double *took = calloc(pages, sizeof *took);
    struct filter filter;

    if (!all || !took || query_filter(h, &q, &filter, why, sizeof why))
        fail("the question is refused");
    segment = (uint32_t)((double)list * (1 - share));
    segment = segment >= list ? list - 1 : segment;
    if (share > 0)
        cursor_write(&(struct cursor){all[segment].id, share < 1 ? ROWS / 2 : ROWS / 10}, filter.hash, first);
    filter_free(&filter);
    strcpy(page.next, first);
    for (uint32_t i = 0; i < pages; i++) {
        char cursor[EC_CURSOR_MAX];

        snprintf(cursor, sizeof cursor, "%s", *page.next ? page.next : first);
        q.cursor = cursor;
        took[i] = now();
        if (query_events(h, &q, take, &n, &page, why, sizeof why))
            fail(why);
        took[i] = (now() - took[i]) * 1000;
        partial += (page.flags & EC_PAGE_PARTIAL) != 0;
    }
    qsort(took, pages, sizeof *took, by_value);
    printf("store: engine, %-28s %-8s %8.2f ms median, %8.2f ms p99, %4.1f events a page%s\n", ask->name, where,
           took[pages / 2], took[pages * 99 / 100], n / (double)pages, partial ? ", partial" : "");
    fflush(stdout);
    free(took);
    free(all);
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : 10000000, pages = argc > 3 ? (uint32_t)atoi(argv[3]) : 100;
    struct query_host h = {.segments = &segments, .readers = &readers, .bound = BOUND};
    uint64_t middle = NOW + n / 2 * STEP;
    const struct question all[] = {
        {"all", NULL, NULL, NULL, NULL, 0, 0},
        {"alerts", "alert", NULL, NULL, NULL, 0, 0},
        {"alerts, severity 1", "alert", "alert.severity", "1", NULL, 0, 0},
        {"alerts, severity 2", "alert", "alert.severity", "2", NULL, 0, 0},
        {"src_ip, 1 in 65,536", NULL, "src_ip", "10.0.77.88", NULL, 0, 0},
        {"src_ip, 1 in 2,000,000", NULL, "src_ip", "10.9.9.9", NULL, 0, 0},
        {"src_ip, network of 1 in 256", NULL, "src_ip", "10.0.77.0/24", NULL, 0, 0},
        {"alerts of a src_ip", "alert", "src_ip", "10.0.77.88", NULL, 0, 0},
        {"ten minutes in the middle", NULL, NULL, NULL, NULL, middle, middle + UINT64_C(600000000000)},
        {"text, a common word", NULL, NULL, NULL, "exploit", 0, 0},
        {"text, 1 in 500,000", NULL, NULL, NULL, "needle", 0, 0},
        {"http.hostname", NULL, "http.hostname", "host4444.example.com", NULL, 0, 0},
        {"no column: http.length", NULL, "http.length", "4445", NULL, 0, 0},
    };

    host = testhost_new(&nobody);
    for (int i = 0; i < TOPICS; i++)
        topic[i] = testhost_topic(host, &topics[i]);
    if (argc < 2 || !n || !pages || testhost_start(host) || !(service = record_service_new(testhost_host(host))) ||
        !(schema = schema_new(testhost_host(host))) || segments_open(&segments, argv[1]))
        fail("usage: bench_pages FOLDER [EVENTS [PAGES]]");
    h.schema = schema;
    files.backend = (struct backend){.ops = &files_ops,
                                     .schema = schema,
                                     .segments = &segments,
                                     .readers = &readers,
                                     .json = text_of,
                                     .json_arg = service,
                                     .say = say,
                                     .rows_max = ROWS,
                                     .bytes_max = UINT64_MAX};
    backend_open(&files.backend);
    readers_open(&readers, &files.backend);
    if (!segments.n)
        generate(n);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        measure(&h, &all[i], "newest", 0, pages);
        measure(&h, &all[i], "middle", 0.5, pages);
        measure(&h, &all[i], "oldest", 1, pages);
    }
    readers_close(&readers);
    segments_close(&segments);
    backend_close(&files.backend);
    return 0;
}
