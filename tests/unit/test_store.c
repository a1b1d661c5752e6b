/* The store on real SQLite files and on a real PostgreSQL server, in the fake host: what goes in comes out, by filter
 * and cursor; documents; what happens when files fail, and when the server dies. */
#include "tests/unit/unit.h"

#include "core/record/service.h"
#include "plugins/store/segments.h"
#include "testhost.h"
#ifdef HAVE_LIBPQ
#include "tests/support/pg_server.h"

#include <libpq-fe.h>
#endif

#include <ecyber/ext/store.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define NOON   UINT64_C(1700000000000000000)     /* 2023-11-14T22:13:20Z, the fake host's time */

const struct ec_plugin *ec_plugin_entry_1(void);

struct answer { struct ec_span name; uint32_t ttl, pad; };
struct thing {
    struct ec_part part;
    struct ec_span text, wire, secret;
    struct ec_list answers, tags, meta;
    uint64_t when, big;
    double score;
    uint32_t n, kind;
    uint8_t ip[16], ok, mac[6], pad;
};
static const struct ec_row answer_rows[] = {
    EC_FIELD(TEXT, 0, struct answer, name, "name", NULL, ""),
    EC_FIELD(U32, 0, struct answer, ttl, "ttl", NULL, ""),
};
static const struct ec_record answer_record = EC_RECORD_ELEMENT(struct answer, answer_rows);
static const struct ec_row thing_rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN | EC_R_FTS | EC_R_INDEX, struct thing, text, "text", NULL, ""),
    EC_FIELD(WIRE, EC_R_COLUMN, struct thing, wire, "on.wire", NULL, ""),
    EC_FIELD(TEXT, EC_R_SECRET | EC_R_COLUMN, struct thing, secret, "secret", NULL, ""),
    EC_FIELD_LIST(&answer_record, struct thing, answers, "answers", ""),
    EC_FIELD(TEXT, EC_R_LIST, struct thing, tags, "tags", NULL, ""),
    EC_FIELD(MAP, 0, struct thing, meta, "meta", NULL, ""),
    EC_FIELD(TIME, EC_R_COLUMN, struct thing, when, "when", NULL, ""),
    EC_FIELD(U64, EC_R_COLUMN, struct thing, big, "big", NULL, ""),
    EC_FIELD(F64, EC_R_COLUMN, struct thing, score, "score", NULL, ""),
    EC_FIELD_OPT(U32, EC_R_COLUMN, 0, struct thing, n, "n", NULL, ""),
    EC_FIELD_ENUM(EC_R_COLUMN, struct thing, kind, "kind", "good,bad,ugly", ""),
    EC_FIELD(IP, 0, struct thing, ip, "peer", NULL, ""),
    EC_FIELD(BOOL, 0, struct thing, ok, "ok", NULL, ""),
    EC_FIELD(MAC, EC_R_COLUMN, struct thing, mac, "mac", NULL, ""),
};
static const struct ec_record thing_record = EC_RECORD_PART(struct thing, thing_rows);
static const struct ec_topic thing_topic = { (uint32_t)sizeof(struct ec_topic), EC_TOPIC_EVENT, "t.thing/1", "thing",
                                             &thing_record, NULL, "" };
struct note { struct ec_part part; uint32_t n, pad; };
static const struct ec_row note_rows[] = { EC_FIELD(U32, EC_R_COLUMN, struct note, n, "n", NULL, "") };
static const struct ec_record note_record = EC_RECORD_PART(struct note, note_rows);
static const struct ec_topic note_topic = {(uint32_t)sizeof(struct ec_topic),
                                           EC_TOPIC_EVENT | EC_TOPIC_NESTED,
                                           "t.note/1",
                                           "ecyber.note",
                                           &note_record,
                                           NULL,
                                           ""};

struct user { struct ec_part part; struct ec_span name, hash; uint32_t age, pad; uint8_t ip[16]; };
static const struct ec_row user_rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN, struct user, name, "name", NULL, ""),
    EC_FIELD(TEXT, EC_R_SECRET, struct user, hash, "hash", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct user, age, "age", NULL, ""),
    EC_FIELD(IP, 0, struct user, ip, "ip", NULL, ""),
};
static const struct ec_record user_record = EC_RECORD_PART(struct user, user_rows);
static const struct ec_kind users = { sizeof users, 1, "users", &user_record, "name" };

/* The same in a later release: each record got a row. */
static const struct ec_row note2_rows[] = {
    EC_FIELD(U32, EC_R_COLUMN, struct note, n, "n", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct note, pad, "more", NULL, ""),
};
static const struct ec_record note2_record = EC_RECORD_PART(struct note, note2_rows);
static const struct ec_topic note2_topic = {(uint32_t)sizeof(struct ec_topic),
                                            EC_TOPIC_EVENT | EC_TOPIC_NESTED,
                                            "t.note/1",
                                            "ecyber.note",
                                            &note2_record,
                                            NULL,
                                            ""};
static const struct ec_row user2_rows[] = {
    EC_FIELD(TEXT, EC_R_COLUMN, struct user, name, "name", NULL, ""),
    EC_FIELD(TEXT, EC_R_SECRET, struct user, hash, "hash", NULL, ""),
    EC_FIELD(U32, EC_R_COLUMN | EC_R_INDEX, struct user, age, "age", NULL, ""),
    EC_FIELD(IP, 0, struct user, ip, "ip", NULL, ""),
    EC_FIELD(U32, EC_R_INDEX, struct user, pad, "level", NULL, ""),
};
static const struct ec_record user2_record = EC_RECORD_PART(struct user, user2_rows);
static const struct ec_kind users2 = { sizeof users2, 2, "users", &user2_record, "name" };

static char folder[64], why[4600];
static struct testhost *t;
static struct record_service *json;
static const struct ec_store *store;
static struct ec_plugin plugin;     /* the real one, but for setup() */
static uint32_t thing, note, kind;
static uint64_t next_id;
static const char *url = "";        /* of PostgreSQL; "": SQLite */
/* What a test does to a database, whichever it is. */
static const struct database {
    void (*fail)(void), (*mend)(void);  /* no event can be written from now on; again it can */
    void (*shut)(void), (*open)(void);  /* no document can be written from now on; again it can */
    void (*newer)(void);                /* the next start finds documents of format 78 */
    void (*finished)(void);             /* asserts that yesterday has its indices */
    bool readable;                      /* events can be read while it fails */
} *db_of_test;
static int64_t days;                /* by which the wall clock is ahead (ld --wrap) */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = __real_clock_gettime(clock, now);

    if (clock == CLOCK_REALTIME)
        now->tv_sec += days * 86400;
    return rc;
}
static bool later_release;

/* Another plugin would declare its kind between the store's setup() and start(). */
static int32_t setup_with_kind(void *self)
{
    int32_t err = ec_plugin_entry_1()->setup(self);

    return err ? err : store->kind(self, testhost_host(t), later_release ? &users2 : &users, &kind);
}

static bool other_numbers;           /* the next run gives topics and names other numbers */

static void prepare(void)
{
    plugin = *ec_plugin_entry_1();
    plugin.setup = setup_with_kind;
    t = testhost_new(&plugin);
    json = record_service_new(testhost_host(t));
    testhost_provide(t, EC_JSON_ID, &record_json, json);
    if (other_numbers) {
        note = testhost_topic(t, later_release ? &note2_topic : &note_topic);
        testhost_host(t)->intern(testhost_host(t), "app_proto", "another");
    }
    thing = testhost_topic(t, &thing_topic);
    if (!other_numbers)
        note = testhost_topic(t, later_release ? &note2_topic : &note_topic);
    ck_assert_int_eq(testhost_option(t, "flush", "10ms"), 0);
    if (*url)
        ck_assert_int_eq(testhost_option(t, "url", url), 0);
    store = testhost_offer(t, EC_STORE_ID);
}

static void started(void)
{
    ck_assert_msg(!testhost_start(t), "%s", testhost_why(t));
}

static void stopped(void)
{
    testhost_free(t);
    record_service_free(json);
    t = NULL;
}

static void setup(void)
{
    strcpy(folder, "/tmp/ecyber-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    next_id = 1000;
    later_release = other_numbers = false;
    days = 0;
    prepare();
}

static void teardown(void)
{
    char command[128];

    if (t)
        stopped();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(chdir("/") | system(command), 0);
}

static void again(void)
{
    stopped();
    prepare();
    started();
}

/* Names of the files in the store's folder that begin so; the last one's path. */
static uint32_t files(const char *begin, char path[300])
{
    char dir[32];
    struct dirent *e;
    uint32_t n = 0;
    DIR *d;

    snprintf(dir, sizeof dir, "testhost-%ld", (long)getpid());
    d = opendir(dir);
    while (d && (e = readdir(d)))
        if (!strncmp(e->d_name, begin, strlen(begin))) {
            size_t len = strlen(e->d_name);

            if (len > 4 && (!strcmp(e->d_name + len - 4, "-wal") || !strcmp(e->d_name + len - 4, "-shm")))
                continue;
            n++;
            if (path)
                snprintf(path, 300, "%s/%s", dir, e->d_name);
        }
    if (d)
        closedir(d);
    return n;
}

struct made { struct ec_build b; struct thing *p; };

static struct made event(uint32_t n)
{
    struct made m;
    struct ec_event *ev;

    if (testhost_host(t)->open(testhost_host(t), 0, thing, &m.b))
        abort(); /* each assertion writes to a file of Check's, which counts where files are limited */
    ev = ec_head(&m.b);
    ev->id = next_id++;
    ev->ts_ns = NOON + n * SECOND;
    m.p = ec_add(&m.b, thing, sizeof *m.p);
    m.p->part.has = 1;
    m.p->n = n;
    return m;
}

static void deliver(struct made *m)
{
    testhost_deliver(t, &m->b);
}

/* What waits is written: the timer runs. */
static void settle(void)
{
    usleep(15000);
    testhost_tick(t, SECOND);
}

static void things(uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++) {
        struct made m = event(i);
        deliver(&m);
    }
}

struct seen { uint32_t n; uint64_t id[2000]; char text[70000], *last; };
static struct seen seen;

static int32_t see(void *arg, uint64_t id, const char *text, uint32_t len)
{
    struct seen *s = arg;

    ck_assert_uint_lt(s->n, 2000);
    s->id[s->n++] = id;
    ck_assert_uint_eq(strlen(text), len);
    snprintf(s->text, sizeof s->text, "%s", text);
    return 0;
}

static int32_t ask(const struct ec_query *q, struct ec_page *page)
{
    page->size = sizeof *page;
    seen.n = 0;
    *why = '\0';
    return store->events(testhost_self(t), q, see, &seen, page, why, sizeof why);
}

/* How many events meet one condition; −1: it is refused. */
static int meet(const char *field, uint32_t op, const char *value)
{
    struct ec_filter f = { sizeof f, op, field, value };
    struct ec_query q = { .size = sizeof q, .filter = &f, .n_filter = 1, .filter_stride = sizeof f, .limit = 1000 };
    struct ec_page page;
    int32_t err = ask(&q, &page);

    ck_assert_msg(!err || *why, "%s %u %s: %d", field, op, value, err);
    ck_assert_msg(!err || err == EC_EINVAL, "%s %u %s: %d %s", field, op, value, err, why);
    return err ? -1 : (int)seen.n;
}

static int64_t metric(const char *name)
{
    return testhost_metric(t, name);
}

static void balanced(void)
{
    ck_assert_int_eq(metric("events_in"), metric("events_stored") + metric("spooled") + metric("dropped.spool_full") +
                     metric("dropped.memory") + metric("dropped.failed") + metric("dropped.spool_read") +
                     metric("dropped.shutdown"));
}

static const uint8_t wire[] = {'a',  0,    0xff, 'b',  '\\', 0xc3, 0xa4, '"', '\'',
                               0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, '\n'};
#define WIRE "a\\x00\\xffb\\\xc3\xa4\"'\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\n"

static void rich_event(void)
{
    struct made m = event(7);
    struct ec_event *ev = ec_head(&m.b);
    struct answer *a;
    struct ec_pair *pair;
    struct ec_span *tag;
    struct note *p;

    ev->flags = EC_EV_IP | EC_EV_PORTS | EC_EV_FLOW | EC_EV_COMMUNITY | EC_EV_TX;
    memcpy(ev->src, (uint8_t[16]){ [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [14] = 2, [15] = 3 }, 16);
    memcpy(ev->dst, (uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, [15] = 9 }, 16);
    ev->sport = 40000;
    ev->dport = 443;
    ev->ip_proto = 6;
    ev->flow_id = INT64_MAX;
    ev->tx_id = 3;
    m.p->text = ec_puts(&m.b, "GET /cgi-bin/Login.php?x=1");
    m.p->wire = ec_put(&m.b, wire, sizeof wire);
    m.p->secret = ec_puts(&m.b, "hunter2");
    a = ec_rows(&m.b, &m.p->answers, 2, sizeof *a);
    a[0].name = ec_puts(&m.b, "one.example");
    a[1].name = ec_puts(&m.b, "two.example");
    a[1].ttl = 60;
    tag = ec_rows(&m.b, &m.p->tags, 2, sizeof *tag);
    tag[0] = ec_puts(&m.b, "red");
    tag[1] = ec_puts(&m.b, "blue");
    pair = ec_rows(&m.b, &m.p->meta, 1, sizeof *pair);
    pair[0].key = ec_puts(&m.b, "attack target");
    pair[0].value = ec_puts(&m.b, "server");
    m.p->when = NOON;
    m.p->big = UINT64_C(18446744073709551615);
    m.p->score = 0.25;
    m.p->kind = 2;
    m.p->ip[0] = 0xfe;
    m.p->ip[1] = 0x80;
    m.p->ok = 1;
    memcpy(m.p->mac, "\x02\x00\x00\x00\x00\x01", 6);
    p = ec_add(&m.b, note, sizeof *p);
    p->n = 5;
    p = ec_add(&m.b, note, sizeof *p);
    p->n = 6;
    deliver(&m);
}

static void meets(const char *field, uint32_t op, const char *value, int n)
{
    ck_assert_msg(meet(field, op, value) == n, "%s op %u '%s': %d, not %d: %s", field, op, value,
                  meet(field, op, value), n, why);
}

static void rich_filters(void)
{
    meets("event_type", EC_F_EQ, "thing", 2);
    meets("thing.n", EC_F_EQ, "7", 1);
    meets("thing.n", EC_F_EQ, "6,7,8", 1);
    meets("thing.n", EC_F_NE, "7", 1);
    meets("thing.n", EC_F_GE, "7", 1);
    meets("thing.n", EC_F_LT, "7", 0);
    meets("thing.n", EC_F_HAS, "", 1);
    meets("src_ip", EC_F_EQ, "10.1.2.3", 1);
    meets("src_ip", EC_F_EQ, "10.1.0.0/16", 1);
    meets("src_ip", EC_F_EQ, "10.1.3.0/24,10.1.2.3/32", 1);
    meets("src_ip", EC_F_NE, "10.0.0.0/8", 1);
    meets("dest_ip", EC_F_EQ, "2001:db8::/32", 1);
    meets("dest_ip", EC_F_EQ, "2001:DB8:0::9", 1);
    meets("ip", EC_F_EQ, "2001:db8::9", 1);
    meets("ip", EC_F_EQ, "10.1.2.3", 1);
    meets("ip", EC_F_EQ, "10.1.2.4", 0);
    meets("port", EC_F_EQ, "443", 1);
    meets("port", EC_F_EQ, "40000", 1);
    meets("dest_port", EC_F_EQ, "40000", 0);
    meets("proto", EC_F_EQ, "tcp", 1);
    meets("flow_id", EC_F_EQ, "9223372036854775807", 1);
    meets("tx_id", EC_F_EQ, "3", 1);
    meets("community_id", EC_F_EQ, "1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1);
    meets("thing.text", EC_F_EQ, "GET /cgi-bin/Login.php?x=1", 1);
    meets("thing.on.wire", EC_F_EQ, WIRE, 1);
    meets("thing.answers.name", EC_F_EQ, "two.example", 1);
    meets("thing.answers.ttl", EC_F_GT, "59", 1);
    meets("thing.answers.ttl", EC_F_GT, "60", 0);
    meets("thing.tags", EC_F_EQ, "blue", 1);
    meets("thing.tags", EC_F_EQ, "green", 0);
    meets("thing.meta.attack target", EC_F_EQ, "server", 1);
    meets("thing.meta", EC_F_HAS, "", 1);
    meets("thing.when", EC_F_EQ, "2023-11-14T22:13:20.000000+0000", 1);
    meets("thing.when", EC_F_LT, "2023-11-14T23:13:20+01:00", 1);
    meets("thing.big", EC_F_EQ, "18446744073709551615", 1);
    meets("thing.score", EC_F_GT, "0.2", 1);
    meets("thing.kind", EC_F_EQ, "ugly", 1);
    meets("thing.peer", EC_F_EQ, "fe80::/10", 1);
    meets("thing.ok", EC_F_EQ, "true", 1);
    meets("thing.mac", EC_F_EQ, "02:00:00:00:00:01", 1);
    meets("ecyber.note.n", EC_F_EQ, "5", 1);
    meets("ecyber.note.n", EC_F_EQ, "6", 1);
    meets("ecyber.note.n", EC_F_EQ, "7", 0);
    meets("id", EC_F_EQ, "1000", 1);
    meets("timestamp", EC_F_GE, "2023-11-14T22:13:27Z", 1);
}

static void two_events(void)
{
    struct made m;

    started();
    rich_event();
    m = event(0);
    m.p->part.has = 0;
    deliver(&m);
    settle();
    ck_assert_int_eq(metric("events_stored"), 2);
}

START_TEST(every_type_of_field_is_found)
{
    two_events();
    rich_filters();
    again();
    rich_filters();
}
END_TEST

/* Begins today without an event: this one cannot be stored. */
static void today(void)
{
    struct ec_build b;

    ck_assert_int_eq(testhost_host(t)->open(testhost_host(t), 0, thing, &b), 0);
    testhost_deliver(t, &b);
    settle();
    ck_assert_int_eq(metric("dropped.failed"), 1);
}

/* Closed and finished, the same answers come by the indices. */
START_TEST(a_day_that_is_over_gives_the_same_answers)
{
    days = -1;
    two_events();
    stopped();
    days = 0;
    prepare();
    started();
    today();
    stopped();
    prepare();
    started();
    for (int i = 0; i < 3; i++)
        testhost_tick(t, SECOND);
    db_of_test->finished();
    rich_filters();
}
END_TEST

/* All events by pages of `limit`, with a filter on every third. Returns how many; ids must only fall (or grow). */
static uint32_t walk(uint32_t flags, uint32_t limit, const char *value, uint32_t *pages)
{
    struct ec_filter f = { sizeof f, EC_F_GE, "thing.n", value };
    struct ec_query q = { .size = sizeof q, .flags = flags, .filter = &f, .n_filter = 1, .filter_stride = sizeof f,
                          .limit = limit };
    struct ec_page page = { .size = sizeof page };
    char cursor[EC_CURSOR_MAX] = "";
    uint64_t last = flags & EC_QUERY_OLDEST_FIRST ? 0 : UINT64_MAX;
    uint32_t n = 0;

    *pages = 0;
    do {
        q.cursor = cursor;
        ck_assert_msg(!ask(&q, &page), "%s", why);
        for (uint32_t i = 0; i < seen.n; i++) {
            ck_assert(flags & EC_QUERY_OLDEST_FIRST ? seen.id[i] > last : seen.id[i] < last);
            last = seen.id[i];
        }
        n += seen.n;
        strcpy(cursor, page.next);
        ck_assert_uint_le(seen.n, limit);
        ck_assert(seen.n == limit || (page.flags & EC_PAGE_PARTIAL) || !*cursor);
        ck_assert_uint_lt(++*pages, 10000);
    } while (*cursor);
    return n;
}

START_TEST(cursors_run_across_segments)
{
    uint32_t pages;
    struct ec_query q = {
        .size = sizeof q, .limit = 10, .since_ns = NOON + 1500 * SECOND, .until_ns = NOON + 1510 * SECOND};
    struct ec_page page;

    ck_assert_int_eq(testhost_option(t, "segment_rows", "1000"), 0);
    started();
    things(0, 4500);
    settle();
    balanced();
    ck_assert_int_eq(metric("events_stored"), 4500);
    ck_assert_uint_eq(files("events-", NULL), *url ? 0 : 5);
    for (uint32_t flags = 0; flags <= EC_QUERY_OLDEST_FIRST; flags += EC_QUERY_OLDEST_FIRST) {
        ck_assert_uint_eq(walk(flags, 1000, "0", &pages), 4500);
        ck_assert_uint_eq(pages, 5);
        ck_assert_uint_eq(walk(flags, 7, "4000", &pages), 500);
        ck_assert_uint_eq(walk(flags, 1, "4490", &pages), 10);
        ck_assert_uint_eq(walk(flags, 10, "9999", &pages), 0);
    }
    /* [since, until) of the events' own time, in one segment of five. */
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.n, 10);
    ck_assert_uint_eq(seen.id[0], 1000 + 1509);
    ck_assert_str_eq(page.next, "");
    q.flags = EC_QUERY_OLDEST_FIRST;
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.n, 10);
    ck_assert_uint_eq(seen.id[0], 1000 + 1500);
    /* New events do not move what was read. */
    q = (struct ec_query){ .size = sizeof q, .limit = 5 };
    ck_assert_int_eq(ask(&q, &page), 0);
    things(4500, 10);
    settle();
    q.cursor = page.next;
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.id[0], 1000 + 4494);
}
END_TEST

/* What is asked for again comes from memory, until something is stored. Of a server each page is read: others may
 * write there. */
START_TEST(a_page_is_kept_until_something_is_stored)
{
    struct ec_query q = { .size = sizeof q, .limit = 5 };
    struct ec_page page;
    char next[EC_CURSOR_MAX];

    started();
    things(0, 10);
    settle();
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(ask(&q, &page), 0);
        ck_assert_uint_eq(seen.n, 5);
        ck_assert_uint_eq(seen.id[0], 1009);
        ck_assert_uint_eq(seen.id[4], 1005);
        ck_assert_ptr_nonnull(strstr(seen.text, "{\"id\":\"1005\""));
        if (i)
            ck_assert_str_eq(page.next, next);
        strcpy(next, page.next);
    }
    settle();
    ck_assert_int_eq(metric("pages.hits"), *url ? 0 : 2);
    ck_assert_int_eq(metric("pages.misses"), *url ? 0 : 2);
    ck_assert_int_eq(metric("page_bytes") > 0, !*url);
    things(10, 1);
    settle();
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.id[0], 1010);
    q.cursor = next;
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.id[0], 1004);
}
END_TEST

/* No time for more than one piece: the page is partial, and every page gets on. */
START_TEST(time_bounds_a_page)
{
    uint32_t pages;

    ck_assert_int_eq(testhost_option(t, "query_time", "1ms"), 0);
    started();
    things(0, 60000);
    settle();
    ck_assert_uint_eq(walk(0, 1000, "99999999", &pages), 0);
    ck_assert_uint_gt(pages, 1);
    ck_assert_uint_eq(walk(0, 1000, "59000", &pages), 1000);
    ck_assert_uint_eq(walk(EC_QUERY_OLDEST_FIRST, 1000, "59999", &pages), 1);
}
END_TEST

START_TEST(wrong_questions_are_refused)
{
    static const struct { const char *cursor;
    } cursors[] = {{"x"},
                   {"20231114.1.5"},
                   {"20231114.1.5.0"},
                   {"20231114.1.5.0.0"},
                   {"99999999999.1.1.1"},
                   {"'; DROP TABLE event;--"},
                   {"1.1.99999999999999999999.1"}};
    struct ec_query q = { .size = sizeof q, .limit = 1 };
    struct ec_page page;
    char next[EC_CURSOR_MAX];

    started();
    things(0, 3);
    settle();
    meets("src_port", EC_F_EQ, "http", -1);
    ck_assert_str_eq(why, "src_port: 'http' is not a whole number (443)");
    meets("thing.txet", EC_F_EQ, "x", -1);
    ck_assert_str_eq(why, "there is no field 'thing.txet'; the nearest is 'thing.text'");
    meets("zzzzzzzz", EC_F_EQ, "x", -1);
    ck_assert_str_eq(why, "there is no field 'zzzzzzzz'");
    meets("thing.secret", EC_F_EQ, "hunter2", -1);
    meets("src_ip", EC_F_EQ, "10.0.0.0/33", -1);
    meets("src_ip", EC_F_EQ, "10.0.0.0/-1", -1);
    meets("src_ip", EC_F_EQ, "10.0.0", -1);
    meets("src_ip", EC_F_LT, "10.0.0.0/8", -1);
    meets("thing.meta", EC_F_EQ, "x", -1);
    meets("thing.ok", EC_F_EQ, "maybe", -1);
    meets("thing.score", EC_F_EQ, "nan", -1);
    meets("thing.when", EC_F_EQ, "yesterday", -1);
    meets("thing.n", EC_F_EQ, "", -1);
    meets("thing.n", EC_F_EQ, "1,", -1);
    meets("thing.n", 99, "1", -1);
    ck_assert_int_eq(ask(&q, &page), 0);
    strcpy(next, page.next);
    ck_assert_str_ne(next, "");
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        q.cursor = cursors[i].cursor;
        ck_assert_int_eq(ask(&q, &page), EC_EINVAL);
        ck_assert_str_eq(why, "cursor: it is none of this query; begin without one");
    }
    q.cursor = next;
    q.type = "thing";
    ck_assert_int_eq(ask(&q, &page), EC_EINVAL);        /* of another query */
    q.type = NULL;
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.id[0], 1001);
    q.cursor = NULL;
    q.text = " ,.;";
    ck_assert_int_eq(ask(&q, &page), EC_EINVAL);
}
END_TEST

/* In every place that takes text: stored, found as it is, and never a part of a statement. */
START_TEST(hostile_texts_are_only_texts)
{
    static const char *const hostile[] = {"'",
                                          "\"",
                                          "' OR '1'='1",
                                          "'; DROP TABLE event; --",
                                          "\" OR 1=1 --",
                                          "1); DELETE FROM json; --",
                                          "%",
                                          "_",
                                          "\\",
                                          "?1",
                                          "/*",
                                          "--",
                                          ";",
                                          "$.x",
                                          "$",
                                          "[0]",
                                          "a.\"b\"",
                                          "{\"id\":1}",
                                          "<script>alert(1)</script>",
                                          "%s%n",
                                          "\x01\x1f\x7f",
                                          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                          "*",
                                          "NEAR(a b)",
                                          "a AND",
                                          "text:a",
                                          "^a",
                                          "-a",
                                          "\"\"\"",
                                          "x'00'",
                                          "NULL",
                                          "true",
                                          "1e999",
                                          "0x10",
                                          " ",
                                          "' UNION SELECT sql FROM sqlite_master --",
                                          "1' AND SLEEP(5)#",
                                          "admin'--",
                                          "') OR ('a'='a",
                                          "%27%20OR%201=1",
                                          "1;PRAGMA user_version=9",
                                          "||(SELECT 1)||",
                                          "ATTACH DATABASE 'x' AS y",
                                          "load_extension('x')",
                                          "${jndi:ldap://x/a}",
                                          "{{7*7}}",
                                          "../../../etc/passwd",
                                          "\r\nSet-Cookie: x",
                                          "\xc0\xae",
                                          "a\xff\xfe"};
    struct ec_query q = { .size = sizeof q, .limit = 10 };
    struct ec_page page;
    struct made m;

    started();
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        m = event((uint32_t)i);
        m.p->text = ec_puts(&m.b, hostile[i]);
        m.p->wire = ec_puts(&m.b, hostile[i]);
        deliver(&m);
    }
    settle();
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        meets("thing.text", EC_F_EQ, hostile[i], 1);
        meets("thing.on.wire", EC_F_EQ, hostile[i], 1);
        ck_assert_int_le(meet("thing.tags", EC_F_EQ, hostile[i]), 0);
        ck_assert_int_le(meet("thing.answers.name", EC_F_NE, hostile[i]), (int)(sizeof hostile / sizeof hostile[0]));
        ck_assert_int_eq(meet(hostile[i], EC_F_EQ, "1"), -1);
        ck_assert_int_le(meet("thing.n", EC_F_EQ, hostile[i]), 0);
        ck_assert_int_le(meet("ip", EC_F_EQ, hostile[i]), 0);
        q.type = hostile[i];
        ck_assert_int_eq(ask(&q, &page), 0);
        ck_assert_uint_eq(seen.n, 0);
        q.type = NULL;
        q.text = hostile[i];
        ck_assert(ask(&q, &page) == 0 || strstr(why, "no word"));
        q.text = NULL;
        q.cursor = hostile[i];
        ck_assert_int_eq(ask(&q, &page), EC_EINVAL);
        q.cursor = NULL;
    }
    meets("thing.n", EC_F_GE, "0", sizeof hostile / sizeof hostile[0]);
}
END_TEST

START_TEST(words_are_found)
{
    struct ec_query q = { .size = sizeof q, .limit = 10, .text = "login CGI" };
    struct ec_page page;

    started();
    rich_event();
    things(1, 10);
    settle();
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.n, 1);
    q.text = "login logout";
    ck_assert_int_eq(ask(&q, &page), 0);
    ck_assert_uint_eq(seen.n, 0);
}
END_TEST

/* What is handed out is what eve.json has, with the id in front. */
START_TEST(an_event_by_its_id)
{
    char text[4096];
    int64_t n;
    struct made m;

    started();
    m = event(42);
    m.p->text = ec_puts(&m.b, "x");
    ec_head(&m.b)->total = m.b.used;
    n = record_json.event(json, ec_head(&m.b), 0, text, sizeof text, NULL);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    deliver(&m);
    settle();
    seen.n = 0;
    ck_assert_int_eq(store->event(testhost_self(t), 1000, see, &seen), 0);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_int_eq(strncmp(seen.text, "{\"id\":\"1000\",", 13), 0);
    ck_assert_str_eq(seen.text + 13, text + 1);
    ck_assert_int_eq(store->event(testhost_self(t), 1001, see, &seen), EC_ENOENT);
    ck_assert_str_eq(testhost_why(t), "there is no such event");
}
END_TEST

struct top { uint32_t n; char value[8][64]; uint64_t count[8]; };
static int32_t add_top(void *arg, const char *value, uint64_t n)
{
    struct top *top = arg;

    ck_assert_uint_lt(top->n, 8);
    snprintf(top->value[top->n], 64, "%s", value);
    top->count[top->n++] = n;
    return 0;
}

static void tops(const char *field, const char *value, uint64_t n)
{
    struct ec_query q = { .size = sizeof q };
    struct ec_page page = { .size = sizeof page };
    struct top top = { .n = 0 };

    ck_assert_msg(!store->count(testhost_self(t), &q, field, 8, add_top, &top, &page, why, sizeof why), "%s: %s", field,
                  why);
    ck_assert_msg(top.n && !strcmp(top.value[0], value) && top.count[0] == n, "%s: %u values, %s %u, not %s %u", field,
                  top.n, top.n ? top.value[0] : "", top.n ? (unsigned)top.count[0] : 0, value, (unsigned)n);
}

START_TEST(values_are_counted)
{
    struct ec_query q = { .size = sizeof q };
    struct ec_page page = { .size = sizeof page };
    struct top top = { .n = 0 };

    started();
    rich_event();
    rich_event();
    things(1, 9);
    settle();
    tops("event_type", "thing", 11);
    tops("src_ip", "10.1.2.3", 2);
    tops("dest_ip", "2001:db8::9", 2);
    tops("ip", "10.1.2.3", 2);
    tops("port", "40000", 2);
    tops("proto", "TCP", 2);
    tops("thing.n", "7", 3);
    tops("thing.kind", "good", 9);
    tops("thing.ok", "false", 9);
    tops("thing.answers.name", "one.example", 2);
    tops("thing.tags", "blue", 2);
    tops("thing.meta.attack target", "server", 2);
    tops("thing.when", "1970-01-01T00:00:00.000000+0000", 9);
    tops("thing.peer", "::", 9);
    tops("ecyber.note.n", "5", 2);
    tops("thing.on.wire", WIRE, 2);
    ck_assert_int_eq(store->count(testhost_self(t), &q, "nothing", 8, add_top, &top, &page, why, sizeof why),
                     EC_EINVAL);
    ck_assert_int_eq(store->count(testhost_self(t), &q, "thing.meta", 8, add_top, &top, &page, why, sizeof why),
                     EC_EINVAL);
}
END_TEST

struct kept { uint32_t n; uint64_t id, version; char name[64], hash[64]; uint32_t age, level; };
static int32_t keep(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    struct kept *k = arg;
    const struct user *u = (const void *)p;

    k->n++;
    k->id = id;
    k->version = version;
    snprintf(k->name, sizeof k->name, "%s", testhost_text(p, u->name));
    snprintf(k->hash, sizeof k->hash, "%s", testhost_text(p, u->hash));
    k->age = u->age;
    k->level = u->pad;
    return 0;
}

static int32_t put(uint64_t *id, uint64_t version, const char *name, uint32_t age)
{
    struct { struct user u; char room[400]; } made = { .u.age = age };
    size_t n = strlen(name);

    made.u.part.size = sizeof made.u;
    made.u.part.total = sizeof made;
    memcpy(made.room, name, n);
    memcpy(made.room + 200, "$y$hash", 7);
    made.u.name = (struct ec_span){ sizeof made.u, (uint32_t)n };
    made.u.hash = (struct ec_span){ sizeof made.u + 200, 7 };
    memcpy(made.u.ip, (uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = (uint8_t)age}, 16);
    return store->put(testhost_self(t), kind, id, version, &made.u.part);
}

static uint32_t find(const char *field, uint32_t op, const char *value, uint64_t after, uint32_t limit, struct kept *k)
{
    struct ec_filter f = { sizeof f, op, field, value };

    memset(k, 0, sizeof *k);
    ck_assert_msg(!store->find(testhost_self(t), kind, &f, field ? 1 : 0, after, limit, keep, k), "%s",
                  testhost_why(t));
    return k->n;
}

START_TEST(documents_are_kept)
{
    uint64_t ann = 0, bob = 0, other = 0;
    struct ec_filter wrong = { sizeof wrong, EC_F_EQ, "nmae", "x" };
    struct kept k = { 0 };
    struct stat st;
    char path[300];

    started();
    ck_assert_int_eq(put(&ann, 0, "ann", 30), 0);
    ck_assert_int_eq(put(&bob, 0, "bob' OR 1=1", 40), 0);
    ck_assert_uint_ne(ann, bob);
    ck_assert_int_eq(put(&other, 0, "ann", 50), EC_EEXIST);
    ck_assert_str_eq(testhost_why(t), "another of the users has the same name");
    ck_assert_uint_eq(other, 0);
    ck_assert_int_eq(store->get(testhost_self(t), kind, ann, keep, &k), 0);
    ck_assert_str_eq(k.name, "ann");
    ck_assert_str_eq(k.hash, "$y$hash");
    ck_assert_uint_eq(k.version, 1);
    ck_assert_int_eq(put(&ann, 1, "ann", 31), 0);
    ck_assert_int_eq(put(&ann, 1, "ann", 32), EC_EAGAIN);
    ck_assert_int_eq(put(&bob, 0, "ann", 1), EC_EEXIST);
    again();
    ck_assert_int_eq(store->get(testhost_self(t), kind, ann, keep, &k), 0);
    ck_assert_uint_eq(k.version, 2);
    ck_assert_uint_eq(k.age, 31);
    ck_assert_uint_eq(find("name", EC_F_EQ, "bob' OR 1=1", 0, 10, &k), 1);
    ck_assert_uint_eq(k.id, bob);
    ck_assert_uint_eq(find("age", EC_F_GT, "30", 0, 10, &k), 2);
    ck_assert_uint_eq(find("ip", EC_F_EQ, "192.0.2.0/27", 0, 10, &k), 1);
    ck_assert_uint_eq(find("hash", EC_F_EQ, "$y$hash", 0, 10, &k), 2);
    ck_assert_uint_eq(find(NULL, 0, NULL, 0, 1, &k), 1);
    ck_assert_uint_eq(k.id, ann);
    ck_assert_uint_eq(find(NULL, 0, NULL, ann, 1, &k), 1);
    ck_assert_uint_eq(k.id, bob);
    ck_assert_int_eq(store->find(testhost_self(t), kind, &wrong, 1, 0, 1, keep, &k), EC_EINVAL);
    ck_assert_str_eq(testhost_why(t), "there is no field 'nmae'; the nearest is 'name'");
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 1), EC_EAGAIN);
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 2), 0);
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 0), EC_ENOENT);
    ck_assert_int_eq(store->get(testhost_self(t), kind, ann, keep, &k), EC_ENOENT);
    ck_assert_int_eq(put(&other, 0, "eve", 1), 0);
    ck_assert_uint_gt(other, bob);                      /* no id comes twice */
    ck_assert_uint_eq(files("documents.db", path), !*url);
    if (!*url) {
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
    }
}
END_TEST

static void noted(uint32_t n, uint32_t more)
{
    struct made m = event(n);
    struct note *p = ec_add(&m.b, note, sizeof *p);

    p->n = n;
    p->pad = more;
    deliver(&m);
    settle();
}

/* A later release knows more rows: what is there already stays as it is, and can be asked for. */
START_TEST(a_record_gets_a_row)
{
    uint64_t ann = 0, bob = 0;
    struct kept k = { 0 };

    started();
    noted(1, 0);
    ck_assert_int_eq(put(&ann, 0, "ann", 30), 0);
    later_release = true;
    again();
    ck_assert_int_eq(store->get(testhost_self(t), kind, ann, keep, &k), 0);
    ck_assert_str_eq(k.name, "ann");
    ck_assert_uint_eq(k.level, 0);                      /* it is absent */
    ck_assert_int_eq(put(&bob, 0, "bob", 40), 0);
    ck_assert_int_eq(store->get(testhost_self(t), kind, bob, keep, &k), 0);
    ck_assert_uint_eq(k.level, 0);
    ck_assert_uint_eq(find("level", EC_F_EQ, "0", 0, 10, &k), 1);
    ck_assert_uint_eq(k.id, bob);
    noted(2, 5);
    meets("ecyber.note.n", EC_F_GE, "1", 2);
    meets("ecyber.note.more", EC_F_EQ, "5", 1);
    meets("ecyber.note.more", EC_F_NE, "5", 1);
    tops("ecyber.note.more", "5", 1);
}
END_TEST

START_TEST(failed_writes_of_documents_are_counted)
{
    uint64_t ann = 0, other = 0;

    started();
    ck_assert_int_eq(put(&ann, 0, "ann", 30), 0);
    ck_assert_int_eq(put(&other, 0, "ann", 50), EC_EEXIST);
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 7), EC_EAGAIN);
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann + 1, 0), EC_ENOENT);
    db_of_test->shut();
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 0), EC_EIO);
    ck_assert_msg(strstr(testhost_why(t), "locked") || strstr(testhost_why(t), "PostgreSQL: "), "%s", testhost_why(t));
    settle();
    ck_assert_int_eq(metric("trouble.documents"), 1);
    db_of_test->open();
    ck_assert_int_eq(store->del(testhost_self(t), kind, ann, 0), 0);
    settle();
    ck_assert_int_eq(metric("trouble.documents"), 0);
    ck_assert_int_eq(metric("documents.put"), 1);
    ck_assert_int_eq(metric("put_failed.taken"), 1);
    ck_assert_int_eq(metric("documents.deleted"), 1);
    ck_assert_int_eq(metric("del_failed.changed"), 1);
    ck_assert_int_eq(metric("del_failed.missing"), 1);
    ck_assert_int_eq(metric("del_failed.database"), 1);
    ck_assert_int_eq(metric("del_failed.taken"), 0);
}
END_TEST

static void overwrite(const char *path, long at, const char *with, size_t n)
{
    FILE *f = fopen(path, "r+");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(with, 1, n, f), n);
    fclose(f);
}

START_TEST(damaged_documents_are_set_aside)
{
    char path[300];
    uint64_t id = 0;
    struct kept k = { 0 };

    started();
    ck_assert_int_eq(put(&id, 0, "ann", 1), 0);
    stopped();
    ck_assert_uint_eq(files("documents.db", path), 1);
    overwrite(path, 0, "this is no database at all", 26);
    prepare();
    started();
    ck_assert_uint_eq(files("documents.db.damaged-", NULL), 1);
    ck_assert_int_eq(store->get(testhost_self(t), kind, id, keep, &k), EC_ENOENT);
    id = 0;
    ck_assert_int_eq(put(&id, 0, "ann", 1), 0);
}
END_TEST

START_TEST(a_newer_format_is_refused)
{
    started();
    stopped();
    db_of_test->newer();
    prepare();
    ck_assert_int_ne(testhost_start(t), 0);
    ck_assert_msg(strstr(testhost_why(t), "has format 78, and this eCyber knows up to 2") != NULL, "%s",
                  testhost_why(t));
}
END_TEST

START_TEST(a_newer_segment_is_left_alone)
{
    struct ec_query q = { .size = sizeof q, .limit = 10 };
    struct ec_page page;
    char path[300];
    sqlite3 *db;

    started();
    things(0, 1);
    settle();
    stopped();
    ck_assert_uint_eq(files("events-", path), 1);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version=77", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    prepare();
    started();
    ck_assert_int_eq(ask(&q, &page), EC_EIO);   /* there is no other file */
    ck_assert_ptr_nonnull(strstr(why, "has format 77"));
    /* Events go on in another file, and the newer one is named when it is asked. */
    things(1, 1);
    settle();
    ck_assert_int_eq(metric("events_stored"), 1);
    ck_assert_uint_eq(files("events-", NULL), 2);
    ck_assert_int_eq(ask(&q, &page), 0);        /* what can be read is handed out, and it says that it is not all */
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(page.flags, EC_PAGE_PARTIAL);
    ck_assert_str_eq(page.next, "");
    ck_assert_int_eq(store->event(testhost_self(t), 1000, see, &seen), EC_EIO);
    ck_assert_ptr_nonnull(strstr(testhost_why(t), "has format 77, and this eCyber knows up to 2"));
}
END_TEST

START_TEST(a_damaged_segment_is_set_aside)
{
    char path[300], zeros[8192] = { 0 };

    ck_assert_int_eq(testhost_option(t, "segment_rows", "1000"), 0);
    started();
    things(0, 1000);
    things(1000, 10);
    settle();
    stopped();
    ck_assert_uint_eq(files("events-", path), 2);
    path[strlen(path) - 4] = '1';
    overwrite(path, 0, "no database", 11);              /* the closed one, found by a reader */
    prepare();
    started();
    meets("thing.n", EC_F_GE, "0", 10);
    ck_assert_int_eq(metric("files_damaged"), 0);
    settle();
    ck_assert_int_eq(metric("files_damaged"), 1);
    ck_assert_uint_eq(files("events-", NULL), 2);
    stopped();
    path[strlen(path) - 4] = '2';
    overwrite(path, 4096, zeros, sizeof zeros);         /* the open one, found by the writer or a reader */
    prepare();
    started();
    things(2000, 5);
    settle();
    usleep(1100000);
    settle();
    balanced();
    ck_assert_int_eq(metric("events_stored"), 5);
    meets("thing.n", EC_F_GE, "2000", 5);
}
END_TEST

/* A limit on files' size stands for a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = { bytes, RLIM_INFINITY };

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(what_fits_the_spool_is_not_lost)
{
    int64_t stored;

    ck_assert_int_eq(testhost_option(t, "spool", "1MiB"), 0);
    ck_assert_int_eq(testhost_option(t, "spool_bytes", "0"), 0);    /* the limit is on each file */
    started();
    things(0, 100);
    settle();
    ck_assert_int_eq(metric("events_stored"), 100);
    db_of_test->fail();
    things(100, 20000);
    settle();
    balanced();
    stored = metric("events_stored");
    ck_assert_int_lt(stored, 20100);
    ck_assert_int_gt(metric("spooled"), 1000);
    ck_assert_int_gt(metric("dropped.spool_full"), 1000);
    ck_assert_int_ge(metric("write_errors"), 1);
    ck_assert_int_eq(metric("trouble.events"), 1);
    if (db_of_test->readable)
        meets("thing.n", EC_F_LT, "100", 100);
    db_of_test->mend();
    usleep(1100000);
    settle();
    ck_assert_int_eq(metric("trouble.events"), 0);
    balanced();
    ck_assert_int_eq(metric("spooled"), 0);
    ck_assert_int_eq(metric("events_stored") + metric("dropped.spool_full"), 20100);
    things(20100, 1);
    settle();
    meets("thing.n", EC_F_EQ, "20100", 1);
}
END_TEST

/* No file can be made or grow: what is there is read, changes are refused, and it goes on when there is room. */
START_TEST(a_start_on_a_full_disk_reads_what_is_there)
{
    uint64_t ann = 0, bob = 0;
    struct kept k = {0};
    sqlite3 *db;
    char path[300];

    ck_assert_int_eq(testhost_option(t, "segment_rows", "1000"), 0);
    started();
    things(0, 1500);
    settle();
    ck_assert_int_eq(put(&ann, 0, "ann", 30), 0);
    stopped();
    limit_files(16384);                                 /* less than the index of a journal takes */
    prepare();
    started();
    ck_assert_int_eq(store->get(testhost_self(t), kind, ann, keep, &k), 0);
    ck_assert_str_eq(k.name, "ann");
    ck_assert_int_eq(put(&bob, 0, "bob", 40), EC_EIO);
    ck_assert_msg(strstr(testhost_why(t), "documents.db: ") != NULL, "%s", testhost_why(t));
    meets("thing.n", EC_F_LT, "2", 2);                  /* of the file before the last one */
    meets("thing.n", EC_F_GE, "1498", 2);
    things(1500, 10);
    settle();
    balanced();
    ck_assert_int_eq(metric("spooled"), 10);
    ck_assert_int_eq(metric("put_failed.database"), 1);
    ck_assert_int_eq(metric("trouble.events") + metric("trouble.documents"), 2);
    limit_files(RLIM_INFINITY);
    ck_assert_int_eq(put(&bob, 0, "bob", 40), 0);
    usleep(1100000);
    settle();
    ck_assert_int_eq(metric("trouble.events") + metric("trouble.documents"), 0);
    ck_assert_int_eq(metric("events_stored"), 10);
    meets("thing.n", EC_F_GE, "1498", 12);
    files("documents.db", path);                        /* nobody else is kept out any more */
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "SELECT count(*) FROM d_users", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}
END_TEST

/* Somebody else holds the lock of the database. */
START_TEST(a_locked_file_is_waited_for)
{
    char path[300];
    sqlite3 *db;

    started();
    things(0, 10);
    settle();
    files("events-", path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    things(10, 10);
    settle();
    balanced();
    ck_assert_int_eq(metric("events_stored"), 10);
    ck_assert_int_eq(metric("spooled"), 10);
    sqlite3_close(db);
    usleep(1100000);
    settle();
    ck_assert_int_eq(metric("events_stored"), 20);
    ck_assert_uint_eq(files("events-", NULL), 1);
}
END_TEST

/* A run that can write files of the spool and no transaction, up to its end: rich events, too. */
static void spooled_run(void)
{
    struct made m;

    started();
    things(0, 10);
    settle();
    db_of_test->fail();
    rich_event();
    m = event(8);
    ((struct ec_event *)ec_head(&m.b))->app_proto = testhost_host(t)->intern(testhost_host(t), "app_proto", "wonder");
    deliver(&m);
    things(10, 4000);
    settle();
    balanced();
    ck_assert_int_eq(metric("spooled"), 4002);
    stopped();
    db_of_test->mend();
    ck_assert_uint_ge(files("spool-", NULL), 2);
}

static void until_recovered(void)
{
    for (int i = 0; i < 50 && files("spool-", NULL); i++)
        settle();
    settle();
    balanced();
}

START_TEST(the_spool_outlives_the_process)
{
    spooled_run();
    other_numbers = true;
    prepare();
    started();
    until_recovered();
    ck_assert_int_eq(metric("events_recovered"), 4002);
    ck_assert_int_eq(metric("events_stored"), 4002);
    ck_assert_uint_eq(files("spool-", NULL), 0);
    meets("thing.n", EC_F_LT, "500", 502);
    meets("app_proto", EC_F_EQ, "wonder", 1);
    meets("ecyber.note.n", EC_F_EQ, "6", 1);
    meets("thing.meta.attack target", EC_F_EQ, "server", 1);
}
END_TEST

/* A part was written before the end, and nobody came to delete its file: it comes again, and is not stored again. */
START_TEST(what_was_stored_is_not_stored_again)
{
    spooled_run();
    ck_assert_int_eq(system("mkdir kept && cp testhost-*/spool-* kept/"), 0);
    prepare();
    started();
    until_recovered();
    ck_assert_int_eq(metric("events_stored"), 4002);
    stopped();
    ck_assert_int_eq(system("cp kept/* testhost-*/"), 0);
    prepare();
    started();
    until_recovered();
    ck_assert_int_eq(metric("events_recovered"), 0);
    ck_assert_int_eq(metric("events_stored"), 0);
    meets("thing.n", EC_F_LT, "500", 502);
}
END_TEST

START_TEST(a_torn_spool_is_counted)
{
    char path[300];
    struct stat st;

    spooled_run();
    ck_assert_uint_ge(files("spool-", path), 2);
    ck_assert_int_eq(stat(path, &st) | truncate(path, st.st_size - 100), 0);
    ck_assert_int_eq(system("echo garbage > $(ls -d testhost-*)/spool-0000000000000001-00000001"), 0);
    prepare();
    started();
    until_recovered();
    ck_assert_int_eq(metric("events_recovered"), 4001);
    ck_assert_int_eq(metric("dropped.spool_read"), 2);      /* the torn one, and the file that is none */
    ck_assert_int_eq(metric("events_stored"), 4001);
}
END_TEST

/* The record has another layout in the next run: its blocks mean nothing there. */
START_TEST(a_spool_of_another_layout_is_counted)
{
    spooled_run();
    later_release = true;
    prepare();
    started();
    until_recovered();
    ck_assert_int_eq(metric("events_recovered"), 4001);     /* all but the one with notes */
    ck_assert_int_eq(metric("dropped.spool_read"), 1);
}
END_TEST

START_TEST(a_file_taken_away_is_begun_anew)
{
    char path[300];

    started();
    things(0, 10);
    settle();
    files("events-", path);
    ck_assert_int_eq(unlink(path), 0);
    things(10, 10);
    settle();
    ck_assert_int_eq(metric("events_stored"), 20);
    ck_assert_uint_eq(files("events-", NULL), 1);
    meets("thing.n", EC_F_GE, "0", 10);
}
END_TEST

START_TEST(old_days_are_deleted)
{
    static const int64_t ago[] = {31, 20, 2};   /* days; a day is kept for 30 */
    uint32_t pages;

    for (uint32_t i = 0; i < 3; i++) {
        days = -ago[i];
        started();
        things(1000 * i, 1000);
        settle();
        ck_assert_int_eq(metric("segments_expired"), 0);
        stopped();
        prepare();
    }
    days = 0;
    started();
    things(3000, 1);
    ck_assert_uint_eq(walk(0, 1000, "0", &pages), 3000);
    settle();
    ck_assert_int_eq(metric("segments_expired"), 1);
    ck_assert_uint_eq(walk(0, 1000, "0", &pages), 2001);
    meets("thing.n", EC_F_LT, "1000", 0);
    stopped();
    prepare();                      /* by bytes: the one that is written stays */
    ck_assert_int_eq(testhost_option(t, "keep_bytes", "1KiB"), 0);
    started();
    testhost_tick(t, SECOND);
    settle();
    ck_assert_int_eq(metric("segments_expired"), 2);
    ck_assert_uint_eq(files("events-", NULL), !*url);
    meets("thing.n", EC_F_GE, "0", 1);
    things(3001, 1);
    settle();
    meets("thing.n", EC_F_GE, "0", 2);
}
END_TEST

/* The predecessor's URLs, in the configuration and in the environment; a password is never said. */
START_TEST(urls_name_the_database)
{
    ck_assert_int_eq(testhost_option(t, "url", "mysql://root:hunter2@localhost/x"), 0);
    ck_assert_int_ne(testhost_start(t), 0);
    ck_assert_str_eq(testhost_why(t), "store.url: it begins with neither postgresql:// nor sqlite://");
    stopped();
    prepare();
    ck_assert_int_eq(testhost_option(t, "url", "sqlite+aiosqlite:///./ecyber.db"), 0);
    started();
    things(0, 3);
    settle();
    ck_assert_uint_eq(files("events-", NULL), 1);
    stopped();
    setenv("DATABASE_URL", "sqlite:///x.db", 1);
    setenv("SQLALCHEMY_DATABASE_URL", "postgres+asyncpg://ecyber:hunter2@127.0.0.1:1/ecyber", 1);
    prepare();
#ifdef HAVE_LIBPQ
    {
        struct ec_query q = {.size = sizeof q, .limit = 1};
        struct ec_page page;

        started();                  /* the server is away: it may come back */
        ck_assert_int_eq(ask(&q, &page), EC_EIO);
        ck_assert_msg(strstr(why, "PostgreSQL: ") && strstr(why, "127.0.0.1"), "%s", why);
        ck_assert_ptr_null(strstr(why, "hunter2"));
    }
#else
    ck_assert_int_ne(testhost_start(t), 0);
    ck_assert_msg(strstr(testhost_why(t), "without libpq") != NULL, "%s", testhost_why(t));
    ck_assert_ptr_null(strstr(testhost_why(t), "hunter2"));
#endif
    unsetenv("SQLALCHEMY_DATABASE_URL");
    unsetenv("DATABASE_URL");
}
END_TEST

/* What every database does alike. */
static void add_common(TCase *tc)
{
    tcase_add_test(tc, every_type_of_field_is_found);
    tcase_add_test(tc, cursors_run_across_segments);
    tcase_add_test(tc, a_page_is_kept_until_something_is_stored);
    tcase_add_test(tc, time_bounds_a_page);
    tcase_add_test(tc, wrong_questions_are_refused);
    tcase_add_test(tc, hostile_texts_are_only_texts);
    tcase_add_test(tc, words_are_found);
    tcase_add_test(tc, an_event_by_its_id);
    tcase_add_test(tc, values_are_counted);
    tcase_add_test(tc, documents_are_kept);
    tcase_add_test(tc, a_record_gets_a_row);
    tcase_add_test(tc, a_day_that_is_over_gives_the_same_answers);
    tcase_add_test(tc, failed_writes_of_documents_are_counted);
    tcase_add_test(tc, a_newer_format_is_refused);
    tcase_add_test(tc, what_fits_the_spool_is_not_lost);
    tcase_add_test(tc, the_spool_outlives_the_process);
    tcase_add_test(tc, what_was_stored_is_not_stored_again);
    tcase_add_test(tc, a_torn_spool_is_counted);
    tcase_add_test(tc, a_spool_of_another_layout_is_counted);
    tcase_add_test(tc, old_days_are_deleted);
}

/* Of a file in the store's folder. */
static sqlite3 *opened(const char *begin, const char *what)
{
    char path[300];
    sqlite3 *db;

    ck_assert_uint_ge(files(begin, path), 1);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, what, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", what, sqlite3_errmsg(db));
    return db;
}

static void file_full(void)
{
    limit_files(300000);
}

static void file_room(void)
{
    limit_files(RLIM_INFINITY);
}

static sqlite3 *locker;

static void file_locked(void)
{
    locker = opened("documents.db", "BEGIN IMMEDIATE");
}

static void file_free(void)
{
    ck_assert_int_eq(sqlite3_close(locker), SQLITE_OK);
}

static void file_newer(void)
{
    sqlite3_close(opened("documents.db", "PRAGMA user_version=78"));
}

static void file_finished(void)
{
    char name[32];
    time_t yesterday = time(NULL) - 86400;
    struct tm tm;

    strftime(name, sizeof name, "events-%Y%m%d-1.db", gmtime_r(&yesterday, &tm));
    sqlite3_close(opened(name, "SELECT 1 FROM event INDEXED BY event_src_ip"));
    sqlite3_close(opened(name, "SELECT 1 FROM t_thing INDEXED BY \"t_thing.text\""));
}

static const struct database sqlite = {file_full, file_room, file_locked, file_free, file_newer, file_finished, true};

static void setup_sqlite(void)
{
    db_of_test = &sqlite;
    setup();
}

#ifdef HAVE_LIBPQ
static struct pg_server server;

static void sql(const char *what)
{
    char at[300];
    PGconn *c;
    PGresult *r;

    snprintf(at, sizeof at, "postgresql%s", strstr(server.url, "://"));
    c = PQconnectdb(at);
    r = PQexec(c, what);
    ck_assert_msg(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK, "%s",
                  PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
}

static void server_gone(void)
{
    pg_server_stop(&server, SIGKILL);
}

static void server_back(void)
{
    ck_assert(pg_server_start(&server));
    usleep(1100000);                            /* between two attempts of ours */
}

static void server_newer(void)
{
    sql("UPDATE ecyber.meta SET value=78 WHERE key='version'");
}

static void server_finished(void)
{
    sql("DO $$ BEGIN ASSERT 2 = (SELECT count(*) FROM pg_indexes, (SELECT to_char((now() AT TIME ZONE 'UTC')"
        " - interval '1 day','YYYYMMDD') AS day) d"
        " WHERE indexname IN (day || '_event.src_ip', day || '_t_thing.text')); END $$");
}

static const struct database postgresql = {server_gone,  server_back,     server_gone, server_back,
                                           server_newer, server_finished, false};

/* The server is killed with all its processes while events come in: what was counted as stored is there, and nothing
 * comes twice or out of order. */
START_TEST(a_killed_server_costs_nothing)
{
    struct ec_query q = { .size = sizeof q, .limit = 1000 };
    struct ec_page page;
    uint32_t pages;
    int64_t stored;

    ck_assert_int_eq(testhost_option(t, "spool", "128KiB"), 0);
    started();
    things(0, 3000);
    settle();
    for (uint32_t turn = 0; turn < 2; turn++) {
        things(3000 + turn * 20000, 7000);
        stored = metric("events_stored");
        pg_server_stop(&server, SIGKILL);
        for (uint32_t i = 0; i < 13; i++) {
            things(10000 + turn * 20000 + i * 1000, 1000);
            usleep(i % 6 ? 0 : 1100000);        /* a try in between, which reads what waits */
            settle();
        }
        balanced();
        ck_assert_int_eq(ask(&q, &page), EC_EIO);
        ck_assert_ptr_nonnull(strstr(why, "PostgreSQL"));
        ck_assert_int_gt(metric("spool_disk_bytes"), 0);
        ck_assert(pg_server_start(&server));
        ck_assert_uint_ge(walk(EC_QUERY_OLDEST_FIRST, 1000, "0", &pages), (uint32_t)stored);
        usleep(1100000);
        for (int i = 0; i < 20 && metric("spooled"); i++)
            settle();
        balanced();
        ck_assert_int_eq(metric("events_stored"), 23000 + turn * 20000);
        ck_assert_uint_eq(walk(EC_QUERY_OLDEST_FIRST, 1000, "0", &pages), 23000 + turn * 20000);
    }
}
END_TEST

static void setup_pg(void)
{
    url = server.url;
    db_of_test = &postgresql;
    sql("SET client_min_messages=error; DROP SCHEMA IF EXISTS ecyber CASCADE");
    setup();
}

static void add_postgresql(Suite *suite)
{
    TCase *tc = tcase_create("postgresql");

    tcase_add_checked_fixture(tc, setup_pg, teardown);
    tcase_set_timeout(tc, 120);
    add_common(tc);
    tcase_add_test(tc, a_killed_server_costs_nothing);
    suite_add_tcase(suite, tc);
}
#endif

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tc = tcase_create("sqlite");
    int failed;

    unsetenv("SQLALCHEMY_DATABASE_URL");
    unsetenv("DATABASE_URL");
    tcase_add_checked_fixture(tc, setup_sqlite, teardown);
    tcase_set_timeout(tc, 60);
    add_common(tc);
    tcase_add_test(tc, damaged_documents_are_set_aside);
    tcase_add_test(tc, a_newer_segment_is_left_alone);
    tcase_add_test(tc, a_damaged_segment_is_set_aside);
    tcase_add_test(tc, a_start_on_a_full_disk_reads_what_is_there);
    tcase_add_test(tc, a_locked_file_is_waited_for);
    tcase_add_test(tc, a_file_taken_away_is_begun_anew);
    tcase_add_test(tc, urls_name_the_database);
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
