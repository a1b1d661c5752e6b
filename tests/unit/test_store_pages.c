/* Pages that are kept in memory: the same answer as from the file, never an older one, within their bounds. */
#include "tests/unit/unit.h"

#include "plugins/store/files.h"
#include "plugins/store/pages.h"
#include "plugins/store/stream.h"
#include "testhost.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY   UINT64_C(86400000000000)
#define BEGIN UINT64_C(1700000000000000000)

struct thing { struct ec_part part; uint32_t n, size; };
static const struct ec_row thing_rows[] = { EC_FIELD(U32, EC_R_COLUMN, struct thing, n, "n", NULL, "") };
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
static struct stream stream;
static uint32_t topic;
static uint64_t now;

static int64_t text_of(void *arg, const struct ec_event *ev, const char **s)
{
    static char text[16384];
    const struct thing *p = (const void *)ec_part_first(ev);

    (void)arg;
    *s = text;
    return snprintf(text, sizeof text, "{\"event_type\":\"thing\",\"thing\":{\"n\":%u,\"pad\":\"%*s\"}}", p->n,
                    (int)p->size, "");
}

static void say(void *arg, enum stream_level level, const char *what)
{
    (void)arg;
    ck_assert_msg(level == STREAM_INFO, "%s", what);
}

static void damaged(void *arg, struct segment_id id, const char *why)
{
    (void)arg;
    (void)id;
    ck_abort_msg("%s", why);
}

static void unreadable(void *arg, const char *why)
{
    (void)arg;
    ck_abort_msg("%s", why);
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
                                         .readers = &readers, .json = text_of, .say = say, .rows_max = 1000000,
                                         .bytes_max = UINT64_MAX } };
    backend_open(&files.backend);
    readers_open(&readers, &files.backend);
    pages_open(&pages);
    stream = (struct stream){ .backend = &files.backend, .spool.limit = 64 << 20 };
    stream_open(&stream);
    now = BEGIN;
}

static void teardown(void)
{
    char command[128];

    stream_close(&stream, now);
    pages_close(&pages);
    readers_close(&readers);
    segments_close(&segments);
    backend_close(&files.backend);
    schema_free(schema);
    testhost_free(t);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Events first … first + n − 1, stored; each of about `size` bytes. Their ids are one more. */
static void store(uint32_t first, uint32_t n, uint32_t size)
{
    const struct ec_host *h = testhost_host(t);

    for (uint32_t i = first; i < first + n; i++) {
        struct ec_build b;
        struct thing *p;

        ck_assert(!h->open(h, 0, topic, &b));
        p = ec_add(&b, topic, sizeof *p);
        p->n = i;
        p->size = size;
        ec_head(&b)->id = i + 1;
        ec_head(&b)->ts_ns = BEGIN + i;
        ec_head(&b)->total = b.used;
        stream_add(&stream, ec_head(&b), now);
        h->discard(h, &b);
    }
    stream_flush(&stream, now, 0);
}

struct answer { uint32_t n, most; uint64_t first, hash; struct ec_page page; };

static int32_t take(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct answer *a = arg;

    ck_assert_uint_eq(strlen(json), len);
    if (!a->n++)
        a->first = id;
    for (uint32_t i = 0; i < len; i++)
        a->hash = a->hash * 31 + (uint8_t)json[i];
    return a->most && a->n == a->most;
}

/* most: the caller has enough after so many; 0: never. */
static struct answer ask_from(const struct ec_query *q, uint32_t most, bool memory)
{
    const struct query_host h = { schema, &segments, &readers, UINT64_C(10000000000), damaged, unreadable, NULL,
                                  memory ? &pages : NULL };
    struct answer a = { .most = most, .page.size = sizeof a.page };
    char why[4600] = "";

    ck_assert_msg(!query_events(&h, q, take, &a, &a.page, why, sizeof why), "%s", why);
    ck_assert_uint_eq(a.page.flags, 0);
    return a;
}

static struct answer ask(const struct ec_query *q)
{
    return ask_from(q, 0, true);
}

static void equal(const struct answer *a, const struct answer *b)
{
    ck_assert_uint_eq(a->n, b->n);
    ck_assert_uint_eq(a->first, b->first);
    ck_assert_uint_eq(a->hash, b->hash);
    ck_assert_str_eq(a->page.next, b->page.next);
}

/* Read, read and kept, from memory; and as without one. */
static void thrice(const struct ec_query *q)
{
    struct answer read = ask_from(q, 0, false), got;
    uint64_t hits = pages_counts(&pages).hits;

    for (int i = 0; i < 3; i++) {
        got = ask(q);
        equal(&got, &read);
        ck_assert_uint_eq(pages_counts(&pages).hits, hits + (i == 2));
    }
}

START_TEST(each_question_has_its_own_answer)
{
    struct ec_filter f[2] = { { sizeof f[0], EC_F_GE, "thing.n", "3" }, { sizeof f[0], EC_F_LT, "thing.n", "30" } };
    struct ec_query q = { .size = sizeof q, .limit = 10, .filter_stride = sizeof f[0] };
    char cursor[EC_CURSOR_MAX];

    store(0, 40, 10);
    thrice(&q);
    q.limit = 11;
    thrice(&q);
    q.flags = EC_QUERY_OLDEST_FIRST;
    thrice(&q);
    q.type = "thing";
    thrice(&q);
    strcpy(cursor, ask(&q).page.next);
    q.cursor = cursor;
    thrice(&q);
    q.cursor = NULL;
    q.filter = f;
    q.n_filter = 1;
    thrice(&q);
    q.n_filter = 2;
    thrice(&q);
    f[1].op = EC_F_LE;
    thrice(&q);
    f[1].value = "3";
    thrice(&q);
    f[1].field = "id";
    thrice(&q);
    q.since_ns = BEGIN + 20;
    thrice(&q);
    q.until_ns = BEGIN + 21;
    thrice(&q);
}
END_TEST

START_TEST(what_was_stored_is_seen)
{
    struct ec_query q = { .size = sizeof q, .limit = 10 };

    store(0, 5, 10);
    thrice(&q);
    for (uint32_t i = 5; i < 20; i++) {
        store(i, 1, 10);
        ck_assert_uint_eq(ask(&q).first, i + 1);
        ck_assert_uint_eq(ask(&q).first, i + 1);
    }
    ck_assert_uint_eq(pages_counts(&pages).hits, 1 + 15);
    now += DAY;                     /* into another file */
    store(20, 1, 10);
    ck_assert_uint_eq(ask(&q).first, 21);
}
END_TEST

START_TEST(what_another_process_stores_is_seen)
{
    static const char sql[] =
        "BEGIN; INSERT INTO event(row,id,ts,event_type) VALUES(6,99,1,'thing'); INSERT INTO batch VALUES(6,6,1,1);"
        "INSERT INTO json VALUES(6,'{\"event_type\":\"thing\"}'); COMMIT";
    struct ec_query q = { .size = sizeof q, .limit = 10 };
    char path[SEGMENT_PATH];
    sqlite3 *db;

    store(0, 5, 10);
    thrice(&q);
    segments_path(&segments, segments.segment[0].id, path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_uint_eq(ask(&q).first, 99);
}
END_TEST

START_TEST(what_retention_has_deleted_is_gone)
{
    struct ec_query q = { .size = sizeof q, .limit = 100 };
    struct backend_limits days = { DAY, 0 };

    store(0, 5, 10);
    now += 3 * DAY;
    store(5, 5, 10);
    thrice(&q);
    ck_assert_uint_eq(ask(&q).n, 10);
    ck_assert_uint_eq(files.backend.ops->expire(&files.backend, now, days), 1);
    ck_assert_uint_eq(ask(&q).n, 5);
}
END_TEST

START_TEST(who_has_enough_goes_on_at_the_same_place)
{
    struct ec_query q = { .size = sizeof q, .limit = 10 };
    struct answer read, kept;

    store(0, 40, 10);
    read = ask_from(&q, 4, true);
    kept = ask_from(&q, 4, true);   /* what was broken off is not kept */
    equal(&kept, &read);
    ck_assert_uint_eq(pages_counts(&pages).bytes, 0);
    ck_assert_uint_eq(ask(&q).n, 10);
    kept = ask_from(&q, 4, true);
    ck_assert_uint_eq(pages_counts(&pages).hits, 1);
    equal(&kept, &read);
    q.cursor = kept.page.next;
    ck_assert_uint_eq(ask(&q).first, 36);
}
END_TEST

START_TEST(what_is_asked_once_is_not_kept)
{
    struct ec_query q = { .size = sizeof q, .limit = 10 };

    store(0, 40, 10);
    for (uint64_t i = 1; i < 200; i++) {
        q.since_ns = BEGIN - i;
        ask(&q);
    }
    ck_assert_uint_eq(pages_counts(&pages).bytes, 0);
    ck_assert_uint_eq(pages_counts(&pages).hits, 0);
    ck_assert_uint_eq(pages_counts(&pages).misses, 199);
}
END_TEST

/* Of 40 questions the last 16 are kept; of large pages as many as there is room for; none over 1 MiB. */
START_TEST(memory_is_bounded)
{
    struct ec_query q = { .size = sizeof q };
    uint64_t hits;

    store(0, 200, 8000);
    for (q.limit = 1; q.limit <= 40; q.limit++)
        thrice(&q);
    hits = pages_counts(&pages).hits;
    for (q.limit = 40 - PAGES_KEPT + 1; q.limit <= 40; q.limit++)
        ask(&q);
    ck_assert_uint_eq(pages_counts(&pages).hits, hits + PAGES_KEPT);
    for (q.limit = 100; q.limit < 120; q.limit++) {     /* 0.8 MB and more */
        thrice(&q);
        ck_assert_uint_le(pages_counts(&pages).bytes, PAGES_BYTES);
    }
    ck_assert_uint_gt(pages_counts(&pages).bytes, PAGES_BYTES / 2);
    hits = pages_counts(&pages).hits;
    for (q.limit = 150; q.limit < 160; q.limit++)
        for (int i = 0; i < 3; i++)
            ck_assert_uint_eq(ask(&q).n, q.limit);
    ck_assert_uint_eq(pages_counts(&pages).hits, hits);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store-pages");
    TCase *tc = tcase_create("pages");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_question_has_its_own_answer);
    tcase_add_test(tc, what_was_stored_is_seen);
    tcase_add_test(tc, what_another_process_stores_is_seen);
    tcase_add_test(tc, what_retention_has_deleted_is_gone);
    tcase_add_test(tc, who_has_enough_goes_on_at_the_same_place);
    tcase_add_test(tc, what_is_asked_once_is_not_kept);
    tcase_add_test(tc, memory_is_bounded);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
