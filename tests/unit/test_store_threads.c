/* Days that pass while events come in, pages are read, segments are closed and deleted, each on a thread of its own: in
 * SQLite's files, and in the partitions of a real PostgreSQL server. The clock is the test's. */
#include "tests/unit/unit.h"

#include "plugins/store/files.h"
#include "plugins/store/pages.h"
#include "plugins/store/stream.h"
#include "testhost.h"
#ifdef HAVE_LIBPQ
#include "plugins/store/pgstore.h"
#include "tests/support/pg_server.h"

#include <libpq-fe.h>
#endif

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY    UINT64_C(86400000000000)
#define BEGIN  UINT64_C(1700000000000000000)
#define EVENTS 24000u
#define A_DAY  3000u                /* events of one */

struct thing { struct ec_part part; uint32_t n, pad; };
static const struct ec_row thing_rows[] = { EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct thing, n, "n", NULL, "") };
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic thing = {
    (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing", &thing_record, NULL, ""};
static const struct ec_plugin nobody = { EC_PLUGIN_HEAD, .id = "t.nobody", .name = "nobody", .version = "1" };

static char folder[64];
static struct testhost *t;
static struct schema *schema;
static struct segments segments;
static struct readers readers;
static struct pages pages;
static struct files files;
static struct backend *backend;
static struct stream stream;
static uint32_t topic;
static _Atomic uint64_t now;
static atomic_bool over;

static int64_t text_of(void *arg, const struct ec_event *ev, const char **s)
{
    static char text[128];          /* one writer at a time */

    (void)arg;
    *s = text;
    return snprintf(text, sizeof text, "{\"event_type\":\"thing\",\"thing\":{\"n\":%u}}",
                    ((const struct thing *)(const void *)ec_part_first(ev))->n);
}

static void say(void *arg, enum stream_level level, const char *what)
{
    (void)arg;
    if (level != STREAM_INFO) {
        fprintf(stderr, "# %s\n", what);
        abort();
    }
}

static void damaged(void *arg, struct segment_id id, const char *why)
{
    (void)arg;
    (void)id;
    fprintf(stderr, "# damaged: %s\n", why);
    abort();
}

static void unreadable(void *arg, const char *why)
{
    (void)arg;
    fprintf(stderr, "# unreadable: %s\n", why);
    abort();
}

static void setup(void)
{
    strcpy(folder, "/tmp/ecyber-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    t = testhost_new(&nobody);
    topic = testhost_topic(t, &thing);
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_ptr_nonnull(schema = schema_new(testhost_host(t)));
    ck_assert_int_eq(segments_open(&segments, folder), 0);
    files = (struct files){ .backend = { .ops = &files_ops, .schema = schema, .segments = &segments,
                                         .readers = &readers, .json = text_of, .say = say, .rows_max = 2000,
                                         .bytes_max = UINT64_MAX } };
    backend = &files.backend;
    backend_open(backend);
}

static void begin(void)
{
    readers_open(&readers, backend);
    pages_open(&pages);
    stream = (struct stream){ .backend = backend, .spool.limit = 64 << 20 };
    stream_open(&stream);
    now = BEGIN;
    over = false;
}

static void setup_files(void)
{
    setup();
    begin();
}

static void end(void)
{
    stream_close(&stream, now);
    pages_close(&pages);
    readers_close(&readers);
    segments_close(&segments);
}

static void teardown(void)
{
    char command[128];

    backend_close(&files.backend);
    schema_free(schema);
    testhost_free(t);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void teardown_files(void)
{
    end();
    teardown();
}

static void add(uint32_t i)
{
    const struct ec_host *h = testhost_host(t);
    struct ec_build b;
    struct thing *p;

    if (h->open(h, 0, topic, &b) || !(p = ec_add(&b, topic, sizeof *p)))
        abort();
    p->n = i;
    ec_head(&b)->id = i + 1;
    ec_head(&b)->ts_ns = BEGIN + i;
    ec_head(&b)->total = b.used;
    stream_add(&stream, ec_head(&b), now);
    h->discard(h, &b);
}

static void *adder(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < EVENTS; i++) {
        if (i && i % A_DAY == 0)
            now += DAY;
        add(i);
    }
    over = true;
    return NULL;
}

static void *flusher(void *arg)
{
    (void)arg;
    while (!over) {
        stream_flush(&stream, now, 1000000);
        usleep(1000);
    }
    return NULL;
}

static void *keeper(void *arg)
{
    struct backend_limits limits = { 4 * DAY, 0 };
    uint32_t *expired = arg;

    while (!over) {
        while (backend->ops->finish(backend, now))
            ;
        *expired += backend->ops->expire(backend, now, limits);
        usleep(2000);
    }
    return NULL;
}

struct walk { uint32_t n; uint64_t last; };
static int32_t step(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct walk *w = arg;

    if (id >= w->last || !len || json[0] != '{')
        abort();
    w->last = id;
    w->n++;
    return 0;
}

/* All events, newest first, by pages. */
static uint32_t walk(void)
{
    const struct query_host h = { schema, &segments, &readers, UINT64_C(250000000), damaged, unreadable, NULL,
                                  backend == &files.backend ? &pages : NULL };
    struct ec_filter f = { sizeof f, EC_F_GE, "thing.n", "0" };
    struct ec_query q = { .size = sizeof q, .filter = &f, .n_filter = 1, .filter_stride = sizeof f, .limit = 700 };
    struct ec_page page = { .size = sizeof page };
    struct walk w = { 0, UINT64_MAX };
    char why[4600];

    do {
        q.cursor = page.next;
        if (query_events(&h, &q, step, &w, &page, why, sizeof why)) {
            fprintf(stderr, "# %s\n", why);
            abort();
        }
    } while (*page.next);
    return w.n;
}

static void *reader(void *arg)
{
    uint32_t *walks = arg;

    while (!over) {
        walk();
        ++*walks;
    }
    return NULL;
}

START_TEST(all_at_once)
{
    pthread_t thread[5];
    uint32_t expired = 0, walks[2] = { 0, 0 };
    struct stream_counts n;
    struct backend_limits limits = { 4 * DAY, 0 };

    pthread_create(&thread[0], NULL, adder, NULL);
    pthread_create(&thread[1], NULL, flusher, NULL);
    pthread_create(&thread[2], NULL, keeper, &expired);
    pthread_create(&thread[3], NULL, reader, &walks[0]);
    pthread_create(&thread[4], NULL, reader, &walks[1]);
    for (int i = 0; i < 5; i++)
        pthread_join(thread[i], NULL);
    while (stream_due(&stream, 0))      /* each turn ends after a while */
        stream_flush(&stream, now, 0);
    expired += backend->ops->expire(backend, now, limits);
    n = stream_counts(&stream);
    ck_assert_uint_eq(n.in, EVENTS);
    ck_assert_uint_eq(n.stored, EVENTS);
    ck_assert_uint_eq(n.spooled, 0);
    ck_assert_uint_gt(expired, 0);
    ck_assert_uint_gt(walks[0] + walks[1], 0);
    while (backend->ops->finish(backend, now))
        ;
    /* Of eight days the last five are there; on which side of a midnight those fell that waited then is a matter of
     * luck. */
    ck_assert_uint_ge(walk(), 2 * A_DAY);
    ck_assert_uint_lt(walk(), EVENTS);
}
END_TEST

static int32_t take_newest(void *arg, uint64_t id, const char *json, uint32_t len)
{
    uint64_t *newest = arg;

    (void)json;
    (void)len;
    *newest = id > *newest ? id : *newest;
    return 0;
}

static _Atomic uint64_t stored;     /* the last id that is known to be committed */

/* The same question again and again: from memory or not, what was stored before it was asked is in the answer. */
static void *asker(void *arg)
{
    const struct query_host h = { schema, &segments, &readers, UINT64_C(250000000), damaged, unreadable, NULL, &pages };
    struct ec_query q = { .size = sizeof q, .limit = 20 };

    (void)arg;
    while (!over) {
        uint64_t before = stored, newest = 0;
        struct ec_page page = { .size = sizeof page };
        char why[4600] = "";

        if (query_events(&h, &q, take_newest, &newest, &page, why, sizeof why) || newest < before) {
            fprintf(stderr, "# %llu of %llu, flags %u: %s\n", (unsigned long long)newest, (unsigned long long)before,
                    page.flags, why);
            abort();
        }
    }
    return NULL;
}

START_TEST(a_page_from_memory_is_never_older_than_its_question)
{
    pthread_t thread[3];

    stored = 0;
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, asker, NULL);
    for (uint32_t i = 0; i < 1500; i++) {
        now += i % 500 == 499 ? DAY : 0;
        add(i);
        stream_flush(&stream, now, 0);
        stored = i + 1;
        if (i % 10 == 9)
            usleep(2000);           /* time to be asked without a change */
    }
    over = true;
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_gt(pages_counts(&pages).hits, 0);
}
END_TEST

START_TEST(each_day_is_a_segment_and_cursors_run_across)
{
    struct backend_limits none = { 0, 0 }, days = { 2 * DAY, 0 };

    for (uint32_t i = 0; i < 5; i++) {
        add(i);
        stream_flush(&stream, now, 0);
        now += DAY;
    }
    now -= DAY;
    ck_assert_uint_eq(segments.n, 5);
    ck_assert_uint_eq(segments.segment[0].id.day, 20231114);
    ck_assert_uint_eq(segments.segment[4].id.day, 20231118);
    ck_assert_uint_eq(walk(), 5);
    ck_assert_uint_eq(backend->ops->expire(backend, now, none), 0);
    ck_assert_uint_eq(backend->ops->expire(backend, now, days), 2);
    ck_assert_uint_eq(segments.segment[0].id.day, 20231116);
    ck_assert_uint_eq(walk(), 3);
    /* The clock goes back: the order stays that of arrival. */
    now -= 3 * DAY;
    add(5);
    stream_flush(&stream, now, 0);
    ck_assert_uint_eq(segments.n, 3);
    ck_assert_uint_eq(walk(), 4);
}
END_TEST

#ifdef HAVE_LIBPQ
static struct pg_server server;
static char url[256];

static void setup_pg(void)
{
    PGconn *c = PQconnectdb(url);
    char why[4600];

    PQclear(PQexec(c, "SET client_min_messages=error; DROP SCHEMA IF EXISTS ecyber CASCADE"));
    PQfinish(c);
    setup();
    segments_close(&segments);
    segments_init(&segments);
    backend = pgstore_open(&files.backend, url, why, sizeof why);
    ck_assert_msg(backend != NULL, "%s", why);
    begin();
}

static void teardown_pg(void)
{
    end();
    pgstore_close(backend);
    teardown();
}

/* What is a day's goes with it, in every table. */
START_TEST(a_day_is_a_partition_of_each_table)
{
    struct backend_limits days = { 2 * DAY, 0 };
    PGconn *c = PQconnectdb(url);
    const char *sql = "SELECT count(*),count(DISTINCT left(relname,8)) FROM pg_class WHERE relispartition AND relkind='r'";
    PGresult *r;

    for (uint32_t i = 0; i < 4; i++, now += DAY) {
        add(i);
        stream_flush(&stream, now, 0);
    }
    now -= DAY;
    r = PQexec(c, sql);
    ck_assert_str_eq(PQgetvalue(r, 0, 0), "20");        /* event, json, batch, words, t_thing */
    ck_assert_str_eq(PQgetvalue(r, 0, 1), "4");
    PQclear(r);
    while (backend->ops->finish(backend, now))
        ;
    ck_assert_uint_eq(walk(), 4);
    ck_assert_uint_eq(backend->ops->expire(backend, now, days), 1);
    days = (struct backend_limits){ 0, 1 };             /* by bytes: all but the last */
    ck_assert_uint_eq(backend->ops->expire(backend, now, days), 2);
    r = PQexec(c, sql);
    ck_assert_str_eq(PQgetvalue(r, 0, 0), "5");
    PQclear(r);
    PQfinish(c);
    ck_assert_uint_eq(walk(), 1);
}
END_TEST

static void add_postgresql(Suite *suite)
{
    TCase *tc = tcase_create("postgresql");

    snprintf(url, sizeof url, "postgresql%s", strstr(server.url, "://"));
    tcase_add_checked_fixture(tc, setup_pg, teardown_pg);
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, each_day_is_a_segment_and_cursors_run_across);
    tcase_add_test(tc, a_day_is_a_partition_of_each_table);
    tcase_add_test(tc, all_at_once);
    suite_add_tcase(suite, tc);
}
#endif

int main(void)
{
    Suite *suite = suite_create("store-threads");
    TCase *tc = tcase_create("sqlite");
    int failed;

    tcase_add_checked_fixture(tc, setup_files, teardown_files);
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, each_day_is_a_segment_and_cursors_run_across);
    tcase_add_test(tc, all_at_once);
    tcase_add_test(tc, a_page_from_memory_is_never_older_than_its_question);
    suite_add_tcase(suite, tc);
#ifdef HAVE_LIBPQ
    if (!pg_server_installed(&server))
        fprintf(stderr, "# no PostgreSQL server is installed: its cases are left out\n");
    else if (pg_server_new(&server))
        add_postgresql(suite);
    else
        return 1;
#endif
    failed = unit_run(suite);
#ifdef HAVE_LIBPQ
    pg_server_free(&server);
#endif
    return failed;
}
