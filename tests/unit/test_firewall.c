/* firewall: addresses, whom nobody may ban, the list of bans, and the plugin with a helper, a store and an HTTP server
 * that the test plays. */
#include "unit.h"

#include "plugins/firewall/bans.h"
#include "plugins/firewall/guard.h"
#include "tests/support/fake_api.h"
#include "testhost.h"

#include <ecyber/ext/helper.h>
#include <ecyber/ext/respond.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

extern const struct ec_plugin *ec_plugin_entry_1(void);

/* Memory that ends where this text is copied, by linking with -Wl,--wrap=strdup; NULL: it does not. */
static const char *no_memory_for;
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

char *__wrap_strdup(const char *text)
{
    return no_memory_for && !strcmp(text, no_memory_for) ? NULL : __real_strdup(text);
}

/* --- a helper that keeps what it is asked, and answers when the test says so ----------------------------- */

static struct {
    void (*ready)(void *arg);
    void *arg;
    int32_t open, request;          /* what these return */
    int32_t closing;                /* how close() answers what waits */
    bool opened, replay;
    bool at_once;                   /* one request is confirmed by a thread, as the helper's does */
    pthread_t thread;
    uint32_t n_what, n_entry;
    uint32_t what[256];
    struct ec_helper_entry entry[256];      /* of the last request that had some */
    struct { ec_helper_done_fn *done; void *arg; } waits[64];
    uint32_t n_wait;
} helper;

static void answer(int32_t err, const char *text)
{
    uint32_t n = helper.n_wait;

    for (uint32_t i = 0; i < n; i++)
        if (helper.waits[i].done)
            helper.waits[i].done(helper.waits[i].arg, err, text, strlen(text));
    memmove(helper.waits, helper.waits + n, (helper.n_wait - n) * sizeof helper.waits[0]);
    helper.n_wait -= n;
}

static int32_t helper_open(void *self, void (*ready)(void *arg), void *arg, char *why, uint32_t n)
{
    (void)self;
    helper.ready = ready;
    helper.arg = arg;
    helper.opened = !helper.open;
    if (helper.open)
        snprintf(why, n, "this test has no power");
    return helper.open;
}

static void helper_close(void *self)
{
    (void)self;
    helper.opened = false;
    answer(helper.closing, "the daemon ends");
}

static void *confirm(void *unused)
{
    helper.waits[0].done(helper.waits[0].arg, EC_OK, "", 0);
    return unused;
}

static int32_t helper_request(void *self, uint32_t what, const struct ec_helper_entry *e, uint32_t n, uint32_t stride,
                              ec_helper_done_fn *done, void *arg)
{
    (void)self;
    ck_assert(helper.opened);
    if (helper.request)
        return helper.request;
    helper.what[helper.n_what++ % 256] = what;
    if (n) {
        ck_assert_uint_eq(stride, sizeof *e);
        memcpy(helper.entry, e, n * sizeof *e);
        helper.n_entry = n;
    }
    if (helper.at_once) {
        helper.waits[0].done = done;
        helper.waits[0].arg = arg;
        ck_assert(!pthread_create(&helper.thread, NULL, confirm, NULL));
        return EC_OK;
    }
    helper.waits[helper.n_wait].done = done;
    helper.waits[helper.n_wait++].arg = arg;
    return EC_OK;
}

static void helper_status(void *self, struct ec_helper_status *s)
{
    (void)self;
    s->pid = 77;
    s->flags = helper.replay ? EC_HELPER_REPLAY : 0;
}

static const struct ec_helper fake_helper = { sizeof fake_helper, 0, helper_open, helper_close, helper_request,
                                              helper_status };

static uint32_t last_what(void)
{
    return helper.n_what ? helper.what[(helper.n_what - 1) % 256] : 0;
}

static uint32_t asked(uint32_t what)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < helper.n_what; i++)
        n += helper.what[i] == what;
    return n;
}

/* --- the plugin ------------------------------------------------------------------------------------------ */

static struct testhost *plugin_new(void)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    memset(&helper, 0, sizeof helper);
    helper.closing = EC_EAGAIN;
    testhost_provide(t, EC_HELPER_ID, &fake_helper, NULL);
    testhost_provide(t, EC_STORE_ID, &fake_store, NULL);
    testhost_provide(t, EC_HTTP_ID, &fake_http, NULL);
    ck_assert_int_eq(testhost_option(t, "allow", "203.0.113.9, 198.51.100.0/24, \"2001:db8:a::/48\""), 0);
    return t;
}

static struct testhost *plugin_start(void)
{
    struct testhost *t;

    fake_reset();
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    return t;
}

static void plugin_end(struct testhost *t)
{
    char path[128];

    testhost_free(t);
    snprintf(path, sizeof path, "testhost-%ld/kernel", (long)getpid());
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    fake_reset();
}

static struct ec_ban request(struct testhost *t, const char *address)
{
    struct ec_ban b = { .size = sizeof b, .who = "policy:test", .why = "it scanned us" };
    struct net net;

    ck_assert_ptr_null(address_parse(address, &net));
    memcpy(b.addr, net.addr, 16);
    b.prefix = net.prefix;
    b.until_ns = testhost_host(t)->now(testhost_host(t)) + 60 * SECOND;
    return b;
}

static char why[512];

static int32_t ban(struct testhost *t, const struct ec_ban *b)
{
    const struct ec_respond *r = testhost_offer(t, EC_RESPOND_ID);

    return r->ban(testhost_self(t), b, why, sizeof why);
}

static int32_t ban_text(struct testhost *t, const char *address)
{
    struct ec_ban b = request(t, address);

    return ban(t, &b);
}

static int32_t is_banned(struct testhost *t, const char *address)
{
    const struct ec_respond *r = testhost_offer(t, EC_RESPOND_ID);
    struct ec_ban b = request(t, address);
    uint64_t until;

    return r->banned(testhost_self(t), b.addr, &until);
}

static int32_t unban(struct testhost *t, const char *address)
{
    const struct ec_respond *r = testhost_offer(t, EC_RESPOND_ID);
    struct ec_ban b = request(t, address);

    return r->unban(testhost_self(t), b.addr, b.prefix, "user:anna");
}

/* The action and the text of row `row` of the event i of ec.ban/1: "refused", … */
static const struct ec_row *event_row(struct testhost *t, uint32_t i, const char *name, const struct ec_part **p)
{
    const struct ec_host *h = testhost_host(t);
    const struct ec_topic *topic = h->topic_get(h, h->topic_find(h, "ec.ban/1"));
    const struct ec_event *ev = testhost_event(t, "ec.ban/1", i);

    ck_assert_ptr_nonnull(ev);
    *p = ec_part_first(ev);
    for (uint32_t k = 0; k < topic->record->n_row; k++)
        if (!strcmp(topic->record->row[k].name, name))
            return &topic->record->row[k];
    ck_abort_msg("no row %s", name);
    return NULL;
}

static const char *event_text(struct testhost *t, uint32_t i, const char *name)
{
    const struct ec_part *p;
    const struct ec_row *row = event_row(t, i, name, &p);
    struct ec_span s;

    memcpy(&s, (const uint8_t *)p + row->off, sizeof s);
    return testhost_text(p, s);
}

static uint32_t event_action(struct testhost *t, uint32_t i)
{
    const struct ec_part *p;
    const struct ec_row *row = event_row(t, i, "action", &p);
    uint32_t v;

    memcpy(&v, (const uint8_t *)p + row->off, sizeof v);
    return v;
}
enum { BANNED, UNBANNED, EXPIRED, REFUSED };

#define EVENTS(t) testhost_count(t, "ec.ban/1")

/* --- addresses ------------------------------------------------------------------------------------------- */

START_TEST(address_reads_and_writes)
{
    static const char *const same[] = { "192.0.2.1", "10.0.0.0/8", "128.0.0.0/1", "2001:db8::1", "2001:db8::/32",
                                        "::/1" };
    char text[ADDRESS_TEXT];
    struct net n;

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ck_assert_ptr_null(address_parse(same[i], &n));
        address_text(&n, text);
        ck_assert_str_eq(text, same[i]);
    }
    ck_assert_ptr_null(address_parse("192.0.2.1/32", &n));
    address_text(&n, text);
    ck_assert_str_eq(text, "192.0.2.1");
    ck_assert_ptr_null(address_parse("::ffff:192.0.2.1", &n));
    address_text(&n, text);
    ck_assert_str_eq(text, "192.0.2.1");
}
END_TEST

START_TEST(address_refuses)
{
    static const char *const bad[] = { "", "x", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/", "1.2.3.4/33",
        "1.2.3.4/-1", "1.2.3.4/032", "1.2.3.4/8", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "2001:db8::1/32",
        "1.2.3.4/32/1", "1.2.3.4 ", "2001:db8::/129", "2001:db8::/99999999999999999999", "fe80::1%lo", "1.2.3.256" };
    struct net n;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(address_parse(bad[i], &n) != NULL, "'%s' was taken", bad[i]);
}
END_TEST

START_TEST(address_contains)
{
    struct net a, b;

    address_parse("10.0.0.0/8", &a);
    address_parse("10.200.0.0/16", &b);
    ck_assert(address_holds(&a, &b) && !address_holds(&b, &a) && address_holds(&a, &a));
    address_parse("11.0.0.1", &b);
    ck_assert(!address_holds(&a, &b));
    address_parse("2001:db8::/33", &a);
    address_parse("2001:db8:8000::1", &b);
    ck_assert(!address_holds(&a, &b));
}
END_TEST

/* --- the guard ------------------------------------------------------------------------------------------- */

static bool refuses(const struct guard *g, const struct own *own, const char *text)
{
    struct net n;

    ck_assert_ptr_null(address_parse(text, &n));
    return guard_refuses(g, own, &n, why, sizeof why);
}

START_TEST(guard_knows_whom)
{
    struct guard *g = calloc(1, sizeof *g + sizeof g->allow[0]);
    struct own *own = calloc(1, sizeof *own + sizeof own->net[0]);

    g->widest4 = 8;
    g->widest6 = 32;
    g->n_allow = own->n = 1;
    address_parse("192.0.2.0/24", &g->allow[0]);
    address_parse("10.9.8.7", &own->net[0]);
    ck_assert(refuses(g, own, "192.0.2.7"));
    ck_assert_ptr_nonnull(strstr(why, "allow-list (firewall.allow: 192.0.2.0/24)"));
    ck_assert(refuses(g, own, "192.0.2.128/25"));
    ck_assert(!refuses(g, own, "192.0.0.0/16"));            /* the kernel lets the allow-list pass */
    ck_assert(refuses(g, own, "10.9.8.7"));
    ck_assert(refuses(g, own, "10.0.0.0/8"));
    ck_assert_ptr_nonnull(strstr(why, "10.9.8.7, an address of this machine"));
    ck_assert(!refuses(g, own, "10.9.8.6") && !refuses(g, NULL, "10.0.0.0/8"));
    ck_assert(refuses(g, own, "127.0.0.1") && refuses(g, own, "127.1.2.0/24") && refuses(g, own, "::1"));
    ck_assert(refuses(g, own, "0.0.0.0") && refuses(g, own, "::/16") && refuses(g, own, "224.0.0.1"));
    ck_assert(refuses(g, own, "255.255.255.255") && refuses(g, own, "ff02::1"));
    ck_assert(refuses(g, own, "96.0.0.0/7") && !refuses(g, own, "97.0.0.0/8"));
    ck_assert(refuses(g, own, "2a00::/31") && !refuses(g, own, "2a00::/32"));
    free(g);
    free(own);
    own = own_read();
    ck_assert_ptr_nonnull(own);
    free(own);
}
END_TEST

/* --- the list -------------------------------------------------------------------------------------------- */

START_TEST(bans_find_what_they_hold)
{
    struct bans *b = calloc(1, sizeof *b);
    struct net n;
    struct ban *wide, *one;

    b->most = 3;
    address_parse("10.0.0.0/8", &n);
    wide = bans_add(b, &n, 0, SECOND, "a", "b");
    address_parse("10.1.2.3", &n);
    ck_assert_ptr_eq(bans_holding(b, &n), wide);
    one = bans_add(b, &n, 0, SECOND, "a", "b");
    ck_assert_uint_gt(one->id, wide->id);
    wide->until_ns = 5;
    one->until_ns = 9;
    ck_assert_ptr_eq(bans_holding(b, &n), one);
    ck_assert_ptr_eq(bans_find(b, &n), one);
    ck_assert_ptr_eq(bans_by_id(b, wide->id), wide);
    one->state = BAN_LEAVING;
    ck_assert_ptr_eq(bans_holding(b, &n), wide);
    bans_remove(b, one);
    ck_assert_ptr_null(bans_find(b, &n));
    address_parse("10.1.2.4", &n);
    ck_assert_ptr_nonnull(bans_add(b, &n, 0, SECOND, "a", "b"));
    address_parse("10.1.2.5", &n);
    ck_assert_ptr_nonnull(bans_add(b, &n, 7, SECOND, "a", "b"));
    address_parse("10.1.2.6", &n);
    ck_assert_ptr_null(bans_add(b, &n, 0, SECOND, "a", "b"));
    ck_assert_uint_eq(b->n, 3);
    bans_clear(b);
    free(b);
}
END_TEST

START_TEST(bans_stay_found)
{
    struct bans *b = calloc(1, sizeof *b);

    b->most = 100000;
    for (uint32_t i = 0; i < 20000; i++) {
        struct net n = { .addr = { [10] = 0xff, 0xff, 11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 128 };

        ck_assert_ptr_nonnull(bans_add(b, &n, 0, SECOND, "a", "b"));
        if (i % 3 == 0)
            bans_remove(b, bans_find(b, &n));
    }
    ck_assert_uint_eq(b->n, 13333);
    for (uint32_t i = 0; i < b->n; i++) {
        ck_assert_ptr_eq(bans_find(b, &b->all[i]->net), b->all[i]);
        ck_assert_ptr_eq(bans_by_id(b, b->all[i]->id), b->all[i]);
    }
    bans_clear(b);
    free(b);
}
END_TEST

/* --- the plugin ------------------------------------------------------------------------------------------ */

START_TEST(nothing_before_the_first_ban)
{
    struct testhost *t = plugin_start();

    testhost_tick(t, 20 * SECOND);
    ck_assert_uint_eq(helper.n_what, 0);
    testhost_stop(t);
    ck_assert_uint_eq(helper.n_what, 0);
    plugin_end(t);
}
END_TEST

START_TEST(ban_reaches_the_kernel)
{
    struct testhost *t = plugin_start();

    ck_assert_int_eq(ban_text(t, "192.0.2.66"), EC_OK);
    ck_assert_uint_eq(last_what(), EC_HELPER_BAN);
    ck_assert_uint_eq(helper.entry[0].prefix, 128);
    ck_assert_uint_eq(helper.entry[0].list, EC_HELPER_BLOCK);
    ck_assert_uint_eq(helper.entry[0].seconds, 60);
    ck_assert_uint_eq(EVENTS(t), 0);                /* not before the kernel has confirmed it */
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 1);
    ck_assert_uint_eq(event_action(t, 0), BANNED);
    ck_assert_str_eq(event_text(t, 0, "address"), "192.0.2.66");
    ck_assert_str_eq(event_text(t, 0, "who"), "policy:test");
    ck_assert_int_eq(is_banned(t, "192.0.2.66"), 1);
    ck_assert_int_eq(is_banned(t, "192.0.2.67"), 0);
    ck_assert_uint_eq(fake_documents(), 1);
    ck_assert_int_eq(unban(t, "192.0.2.66"), EC_OK);
    ck_assert_int_eq(is_banned(t, "192.0.2.66"), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_UNBAN);
    ck_assert_int_eq(unban(t, "192.0.2.66"), EC_ENOENT);
    answer(EC_OK, "");
    ck_assert_uint_eq(event_action(t, 1), UNBANNED);
    ck_assert_str_eq(event_text(t, 1, "who"), "user:anna");
    ck_assert_uint_eq(fake_documents(), 0);
    plugin_end(t);
}
END_TEST

START_TEST(refusals_say_why)
{
    struct testhost *t = plugin_start();
    struct ec_ban b;

    ck_assert_int_eq(ban_text(t, "203.0.113.9"), EC_EPERM);
    ck_assert_ptr_nonnull(strstr(why, "allow-list"));
    ck_assert_int_eq(ban_text(t, "198.51.100.128/25"), EC_EPERM);
    ck_assert_int_eq(ban_text(t, "2001:db8:a:1::5"), EC_EPERM);
    ck_assert_int_eq(ban_text(t, "127.0.0.1"), EC_EPERM);
    ck_assert_uint_eq(EVENTS(t), 4);
    ck_assert_uint_eq(event_action(t, 0), REFUSED);
    ck_assert_ptr_nonnull(strstr(event_text(t, 0, "problem"), "allow-list"));
    ck_assert_int_eq(testhost_metric(t, "refused"), 4);

    b = request(t, "192.0.2.1");
    b.until_ns = 0;
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b.until_ns = testhost_host(t)->now(testhost_host(t));
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b.until_ns += 101 * UINT64_C(366) * 86400 * SECOND;     /* more than the kernel takes */
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b = request(t, "192.0.2.1");
    b.why = NULL;
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b = request(t, "192.0.2.1");
    b.who = "";
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b = request(t, "192.0.2.1");
    b.prefix = 120;
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b.prefix = 0;
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    b.prefix = 129;
    ck_assert_int_eq(ban(t, &b), EC_EINVAL);
    ck_assert_uint_eq(helper.n_what, 0);
    plugin_end(t);
}
END_TEST

START_TEST(replays_never_act)
{
    struct testhost *t = plugin_start();
    struct ec_event ev = { .id = 4711, .flags = EC_EV_REPLAY };
    struct ec_ban b = request(t, "192.0.2.5");

    ec_ban_because(&b, &ev);
    ck_assert_uint_eq(b.cause, 4711);
    ck_assert_int_eq(ban(t, &b), EC_EPERM);
    ck_assert_ptr_nonnull(strstr(why, "replay"));
    ck_assert_uint_eq(helper.n_what, 0);
    b.flags |= EC_BAN_PERSON;
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_uint_eq(last_what(), EC_HELPER_BAN);
    plugin_end(t);
}
END_TEST

START_TEST(dry_run_does_nothing)
{
    struct testhost *t = plugin_start();
    struct ec_ban b = request(t, "192.0.2.5");

    b.flags = EC_BAN_DRY_RUN;
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_ptr_nonnull(strstr(why, "dry run"));
    ck_assert_uint_eq(helper.n_what, 0);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    ck_assert_uint_eq(EVENTS(t), 1);
    ck_assert_int_eq(testhost_metric(t, "banned"), 0);
    plugin_end(t);
}
END_TEST

START_TEST(new_helper_gets_everything)
{
    struct testhost *t = plugin_start();

    helper.request = EC_EAGAIN;             /* it is being started */
    ck_assert_int_eq(ban_text(t, "192.0.2.5"), EC_OK);
    ck_assert_int_eq(ban_text(t, "192.0.2.64/26"), EC_OK);
    helper.request = EC_OK;
    helper.ready(helper.arg);
    ck_assert_uint_eq(helper.n_what, 1);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 5);
    ck_assert_uint_eq(helper.entry[0].list, EC_HELPER_ALLOW);
    ck_assert_uint_eq(helper.entry[1].prefix, 120);
    ck_assert_uint_eq(helper.entry[3].list, EC_HELPER_BLOCK);
    ck_assert_uint_eq(EVENTS(t), 0);
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 2);

    helper.ready(helper.arg);               /* it died, and there is a new one */
    ck_assert_uint_eq(helper.n_entry, 5);
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 2);        /* nobody banned anything anew */
    ck_assert_int_eq(testhost_metric(t, "syncs"), 2);
    plugin_end(t);
}
END_TEST

START_TEST(lost_answers_are_made_good)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    ban_text(t, "192.0.2.6");
    unban(t, "192.0.2.5");
    answer(EC_EAGAIN, "the helper ended before it answered");
    ck_assert_uint_eq(EVENTS(t), 1);
    helper.ready(helper.arg);
    ck_assert_uint_eq(helper.n_entry, 4);   /* three allowed, one banned */
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 3);
    ck_assert_int_eq(is_banned(t, "192.0.2.6"), 1);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    plugin_end(t);
}
END_TEST

START_TEST(flushed_table_comes_back)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    for (int i = 0; i < 6 && last_what() != EC_HELPER_CHECK; i++)
        testhost_tick(t, SECOND);
    ck_assert_uint_eq(last_what(), EC_HELPER_CHECK);
    answer(EC_ENOENT, "the table is gone");
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    answer(EC_OK, "");

    ban_text(t, "192.0.2.6");
    answer(EC_EIO, "Error: Could not process rule: No space left on device");
    ck_assert_int_eq(testhost_metric(t, "failed"), 1);
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "No space left"));
    ck_assert_str_eq(fake_reply("pending"), "1");
    testhost_tick(t, SECOND);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    answer(EC_OK, "");
    fake_ask("GET", "/api/firewall/status", NULL, NULL);
    ck_assert_str_eq(fake_reply("pending"), "0");
    ck_assert_str_eq(fake_reply("problem"), "");
    plugin_end(t);
}
END_TEST

START_TEST(bans_end_by_themselves)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    testhost_tick(t, 59 * SECOND);
    answer(EC_OK, "");
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 1);
    testhost_tick(t, 2 * SECOND);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    ck_assert_uint_eq(event_action(t, 1), EXPIRED);
    ck_assert_uint_eq(fake_documents(), 0);
    ck_assert_uint_eq(asked(EC_HELPER_UNBAN), 0);           /* the kernel knew */
    answer(EC_OK, "");
    testhost_stop(t);
    ck_assert_uint_eq(last_what(), EC_HELPER_CLEAR);        /* none is left, so nothing stays behind */
    plugin_end(t);
}
END_TEST

static bool marked(void)
{
    char path[128];

    snprintf(path, sizeof path, "testhost-%ld/kernel", (long)getpid());
    return !access(path, F_OK);
}

START_TEST(stop_clears_what_is_leaving)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    unban(t, "192.0.2.5");
    testhost_stop(t);
    ck_assert_uint_eq(last_what(), EC_HELPER_CLEAR);
    ck_assert(marked());                                    /* the helper has not confirmed it */
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);         /* so the next run clears up */
    answer(EC_OK, "");
    helper.closing = EC_OK;
    testhost_stop(t);
    ck_assert_uint_eq(last_what(), EC_HELPER_CLEAR);
    ck_assert(!marked());
    plugin_end(t);
}
END_TEST

START_TEST(what_the_helper_does_not_take_is_said)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_ENOENT, "the table is gone");
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    answer(EC_OK, "");
    helper.request = EC_EINVAL;
    testhost_option(t, "allow", "10.0.0.1");
    ck_assert_int_eq(testhost_reload(t), 0);
    testhost_tick(t, SECOND);
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "131,072 entries"));
    helper.request = EC_OK;
    testhost_tick(t, SECOND);
    answer(EC_OK, "");
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("problem"), "");
    plugin_end(t);
}
END_TEST

START_TEST(second_ban_moves_the_end)
{
    struct testhost *t = plugin_start();
    struct ec_ban b = request(t, "192.0.2.5");

    ban(t, &b);
    answer(EC_OK, "");
    b.until_ns += 600 * SECOND;
    b.why = "and again";
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_uint_eq(helper.entry[0].seconds, 660);
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 2);
    ck_assert_str_eq(event_text(t, 1, "why"), "and again");
    ck_assert_uint_eq(fake_documents(), 1);
    b.until_ns += SECOND / 2;
    ck_assert_int_eq(ban(t, &b), EC_OK);                    /* with each packet */
    b.until_ns -= 300 * SECOND;
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_uint_eq(asked(EC_HELPER_BAN), 2);
    b.flags = EC_BAN_PERSON;
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_uint_eq(asked(EC_HELPER_BAN), 3);
    ck_assert_uint_eq(helper.entry[0].seconds, 361);
    plugin_end(t);
}
END_TEST

START_TEST(restart_puts_them_back)
{
    struct testhost *t = plugin_start();
    uint64_t now;

    ban_text(t, "192.0.2.5");
    ban_text(t, "2001:db8:b::/48");
    answer(EC_OK, "");
    now = testhost_host(t)->now(testhost_host(t));
    testhost_stop(t);
    ck_assert_uint_ne(last_what(), EC_HELPER_CLEAR);        /* keep */
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    testhost_option(t, "allow", "192.0.2.5");
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(now, testhost_host(t)->now(testhost_host(t)));
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 2);                   /* the one that the allow-list has now is not put back */
    ck_assert_uint_eq(event_action(t, 0), REFUSED);
    ck_assert_int_eq(is_banned(t, "2001:db8:b::1"), 1);
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 1);
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    fake_fails = EC_EIO;
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_int_eq(is_banned(t, "2001:db8:b::1"), 0);
    ck_assert_uint_eq(asked(EC_HELPER_SYNC), 0);            /* what is not known is not taken back */
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);         /* the table stays as it stands */
    ban_text(t, "192.0.2.6");
    ck_assert_uint_eq(asked(EC_HELPER_BAN), 0);
    answer(EC_OK, "");
    ck_assert_uint_eq(last_what(), EC_HELPER_BAN);
    answer(EC_EAGAIN, "the helper has ended");
    ck_assert_uint_eq(EVENTS(t), 0);
    helper.ready(helper.arg);                               /* a new one gets it again */
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);
    ck_assert_uint_eq(asked(EC_HELPER_TAKE), 2);
    answer(EC_EEXIST, "another one");
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("problem"), "another one");
    testhost_tick(t, SECOND);
    answer(EC_OK, "");
    ck_assert_uint_eq(asked(EC_HELPER_BAN), 2);
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "restart the daemon"));
    answer(EC_OK, "");
    ck_assert_uint_eq(EVENTS(t), 1);
    helper.request = EC_EAGAIN;
    ck_assert_int_eq(unban(t, "192.0.2.6"), EC_OK);
    helper.request = EC_OK;
    testhost_tick(t, 2 * SECOND);
    ck_assert_uint_eq(asked(EC_HELPER_UNBAN), 1);
    answer(EC_OK, "");
    testhost_tick(t, 20 * SECOND);
    ck_assert_uint_eq(asked(EC_HELPER_SYNC), 0);
    testhost_stop(t);
    ck_assert_uint_eq(asked(EC_HELPER_CLEAR), 0);
    testhost_free(t);

    fake_forget_routes();
    fake_fails = EC_OK;
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_int_eq(is_banned(t, "2001:db8:b::1"), 1);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    plugin_end(t);
}
END_TEST

static struct { uint32_t n; char last[512]; } warnings;

static void note_warning(const struct ec_host *h, int32_t level, struct ec_site *site, const char *msg)
{
    (void)h;
    (void)site;
    if (level != EC_LOG_WARNING)
        return;
    warnings.n++;
    snprintf(warnings.last, sizeof warnings.last, "%s", msg);
}

static void note_warnings(struct testhost *t)
{
    warnings.n = 0;
    ((struct ec_host *)(uintptr_t)testhost_host(t))->log = note_warning;
}

/* Three bans of an earlier run. */
static void ban_three(void)
{
    struct testhost *t = plugin_start();
    struct ec_ban b = request(t, "192.0.2.7");

    ban_text(t, "192.0.2.5");
    ban_text(t, "192.0.2.6");
    b.why = "it came last";
    ban(t, &b);
    answer(EC_OK, "");
    testhost_stop(t);
    testhost_free(t);
    fake_forget_routes();
}

START_TEST(fewer_bans_are_no_reason_to_drop_some)
{
    struct testhost *t;

    ban_three();
    t = plugin_new();
    note_warnings(t);
    testhost_option(t, "max_bans", "2");
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 6);                   /* three allowed, three banned */
    ck_assert_uint_eq(warnings.n, 1);
    ck_assert_ptr_nonnull(strstr(warnings.last, "3 bans of earlier runs stay"));
    ck_assert_ptr_nonnull(strstr(warnings.last, "more than the 2 of firewall.max_bans"));
    answer(EC_OK, "");
    ck_assert_int_eq(ban_text(t, "192.0.2.8"), EC_EAGAIN);  /* the bound is for new ones */
    unban(t, "192.0.2.5");
    answer(EC_OK, "");
    ck_assert_int_eq(ban_text(t, "192.0.2.8"), EC_EAGAIN);
    unban(t, "192.0.2.6");
    answer(EC_OK, "");
    ck_assert_int_eq(ban_text(t, "192.0.2.8"), EC_OK);
    answer(EC_OK, "");
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    note_warnings(t);
    testhost_option(t, "max_bans", "2");
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(warnings.n, 0);                       /* as many as there may be */
    plugin_end(t);
}
END_TEST

START_TEST(memory_that_ends_takes_no_ban_back)
{
    struct testhost *t;

    ban_three();
    t = plugin_new();
    no_memory_for = "it came last";
    ck_assert_int_eq(testhost_start(t), 0);
    no_memory_for = NULL;
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);         /* the table stays as it stands */
    answer(EC_OK, "");
    answer(EC_OK, "");
    testhost_tick(t, 20 * SECOND);
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "restart the daemon"));
    testhost_stop(t);
    ck_assert_uint_eq(asked(EC_HELPER_SYNC) + asked(EC_HELPER_CLEAR), 0);
    ck_assert_uint_eq(fake_documents(), 3);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 6);
    plugin_end(t);
}
END_TEST

START_TEST(an_end_that_is_too_far_is_cut_for_the_kernel)
{
    const uint64_t years_100 = UINT64_C(100) * 366 * 86400;
    uint64_t now;
    struct testhost *t;

    ban_three();
    t = plugin_new();
    now = testhost_host(t)->now(testhost_host(t));
    fake_document_set(1, "until", now + years_100 * SECOND * 3 / 2);
    fake_document_set(2, "until", now + years_100 * SECOND);
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 6);
    ck_assert_uint_eq(helper.entry[3].seconds, years_100);
    ck_assert_uint_eq(helper.entry[4].seconds, years_100);
    ck_assert_uint_eq(helper.entry[5].seconds, 60);
    plugin_end(t);
}
END_TEST

START_TEST(documents_that_began_anew_are_noticed)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    testhost_stop(t);
    testhost_free(t);

    fake_reset();                                           /* no document is left */
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);
    answer(EC_OK, "");
    testhost_tick(t, SECOND);
    ban_text(t, "192.0.2.6");
    answer(EC_OK, "");
    ck_assert_uint_eq(asked(EC_HELPER_BAN), 1);
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "bring back a copy"));
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);         /* the one that is kept now is not the one that was */
    answer(EC_OK, "");
    testhost_tick(t, 61 * SECOND);
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    testhost_tick(t, 61 * SECOND);
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);         /* all have ended meanwhile */
    plugin_end(t);
}
END_TEST

START_TEST(a_replay_puts_nothing_back)
{
    struct testhost *t = plugin_start();
    struct ec_ban b;

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    helper.replay = true;
    ck_assert_int_eq(testhost_start(t), 0);
    testhost_tick(t, 20 * SECOND);
    ck_assert_uint_eq(helper.n_what, 0);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    b = request(t, "192.0.2.6");
    b.flags = EC_BAN_REPLAY | EC_BAN_PERSON;
    ck_assert_int_eq(ban(t, &b), EC_OK);
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);         /* what a live run left stays */
    answer(EC_OK, "");
    ck_assert_uint_eq(last_what(), EC_HELPER_BAN);
    answer(EC_OK, "");
    testhost_stop(t);
    ck_assert_uint_eq(asked(EC_HELPER_CLEAR) + asked(EC_HELPER_SYNC), 0);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_uint_eq(helper.n_entry, 5);                   /* three allowed, two banned */
    plugin_end(t);
}
END_TEST

/* Was there one entry of the audit log for the last request, of this action, outcome and object? */
static void audited(const char *action, const char *outcome, const char *object)
{
    ck_assert_uint_eq(fake_audits(), 1);
    ck_assert_str_eq(fake_audit(FAKE_ACTION), action);
    ck_assert_str_eq(fake_audit(FAKE_OUTCOME), outcome);
    ck_assert_str_eq(fake_audit(FAKE_OBJECT), object);
}

START_TEST(what_is_not_kept_is_said)
{
    static const char *const body[] = { "ip=192.0.2.7", "reason=it scans", "duration=1h", "dry_run=false", NULL };
    struct ec_who anna = { .size = sizeof anna, .name = "anna", .roles = "operator" };
    struct testhost *t = plugin_start();

    fake_caller(&anna, "127.0.0.1");
    ban_text(t, "192.0.2.7");
    answer(EC_OK, "");
    fake_fails = EC_EIO;
    helper.at_once = true;
    ck_assert_uint_eq(fake_ask("POST", "/api/firewall/blocks", NULL, body), 201);
    ck_assert_ptr_nonnull(strstr(fake_reply("note"), "could not be kept"));
    audited("firewall.ban", "partial", "192.0.2.7");
    pthread_join(helper.thread, NULL);
    helper.at_once = false;
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_reply("problem"), "does not take bans"));
    fake_fails = EC_OK;
    testhost_tick(t, SECOND);
    ck_assert_uint_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("problem"), "");
    plugin_end(t);
}
END_TEST

START_TEST(an_unban_that_is_not_kept_has_failed)
{
    static const char *const id[] = { "id=192.0.2.5", NULL };
    static const char *const other[] = { "id=192.0.2.6", NULL };
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    ban_text(t, "192.0.2.6");
    answer(EC_OK, "");
    fake_fails = EC_EIO;
    helper.at_once = true;
    ck_assert_uint_eq(fake_ask("DELETE", "/api/firewall/blocks/{id}", id, NULL), 503);
    pthread_join(helper.thread, NULL);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "the store did not take it"));
    audited("firewall.unban", "failure", "192.0.2.5");
    ck_assert_str_eq(fake_audit(FAKE_DETAIL), fake_detail());
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    ck_assert_uint_eq(fake_documents(), 2);
    fake_fails = EC_OK;
    ck_assert_uint_eq(fake_ask("DELETE", "/api/firewall/blocks/{id}", other, NULL), 204);
    pthread_join(helper.thread, NULL);
    helper.at_once = false;
    audited("firewall.unban", "success", "192.0.2.6");
    ck_assert_uint_eq(fake_documents(), 0);                 /* the first one was tried again */
    plugin_end(t);
}
END_TEST

static const char *const it_scans[] = { "ip=192.0.2.7", "reason=it scans", "duration=1h", NULL };

START_TEST(a_ban_without_an_answer_has_failed)
{
    struct testhost *t = plugin_start();

    ck_assert_uint_eq(fake_ask("POST", "/api/firewall/blocks", NULL, it_scans), 503);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "does not answer; it is tried again"));
    audited("firewall.ban", "failure", "192.0.2.7");
    ck_assert_str_eq(fake_audit(FAKE_DETAIL), fake_detail());
    ck_assert_uint_eq(EVENTS(t), 0);
    plugin_end(t);
}
END_TEST

START_TEST(a_ban_that_the_helper_refuses_has_failed)
{
    struct testhost *t = plugin_start();

    helper.request = EC_EIO;
    ck_assert_uint_eq(fake_ask("POST", "/api/firewall/blocks", NULL, it_scans), 503);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "does not take what it is asked; it is tried again"));
    audited("firewall.ban", "failure", "192.0.2.7");
    ck_assert_str_eq(fake_audit(FAKE_DETAIL), fake_detail());
    helper.request = EC_OK;
    testhost_tick(t, SECOND);
    answer(EC_OK, "");
    ck_assert_uint_eq(event_action(t, 0), BANNED);          /* and it was tried again */
    plugin_end(t);
}
END_TEST

START_TEST(unknown_bans_are_gone_with_their_table)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    testhost_stop(t);
    testhost_free(t);

    fake_forget_routes();
    t = plugin_new();
    fake_fails = EC_EIO;
    ck_assert_int_eq(testhost_start(t), 0);
    ban_text(t, "192.0.2.6");
    ck_assert_uint_eq(last_what(), EC_HELPER_TAKE);
    answer(EC_ENOENT, "the table is gone");
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 4);                   /* three allowed, one banned */
    fake_fails = EC_OK;
    plugin_end(t);
}
END_TEST

START_TEST(an_unban_outlives_a_store_that_was_away)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    ck_assert_uint_eq(fake_documents(), 1);
    fake_fails = EC_EIO;
    ck_assert_int_eq(unban(t, "192.0.2.5"), EC_OK);
    answer(EC_OK, "");
    ck_assert_uint_eq(fake_documents(), 1);
    fake_fails = EC_OK;
    testhost_tick(t, 2 * SECOND);
    ck_assert_uint_eq(fake_documents(), 0);
    plugin_end(t);
}
END_TEST

START_TEST(reload_takes_the_new_list)
{
    struct testhost *t = plugin_start();

    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    testhost_option(t, "allow", "192.0.2.0/24, 10.0.0.1");
    ck_assert_int_eq(testhost_reload(t), 0);
    testhost_tick(t, SECOND);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 0);
    ck_assert_uint_eq(last_what(), EC_HELPER_SYNC);
    ck_assert_uint_eq(helper.n_entry, 2);
    ck_assert_int_eq(ban_text(t, "192.0.2.6"), EC_EPERM);
    testhost_option(t, "allow", "10.0.0.9");                /* while the last list is on its way */
    ck_assert_int_eq(testhost_reload(t), 0);
    testhost_tick(t, SECOND);
    ck_assert_uint_eq(helper.n_entry, 2);
    answer(EC_OK, "");
    testhost_tick(t, SECOND);
    ck_assert_uint_eq(helper.n_entry, 1);
    answer(EC_OK, "");
    for (int i = 0; i < 9; i++) {                           /* two between two ticks: memory is used again */
        testhost_option(t, "allow", "10.0.0.1, 10.0.0.2");
        ck_assert_int_eq(testhost_reload(t), 0);
        testhost_option(t, "allow", i % 2 ? "10.0.0.3, 10.0.0.4" : "10.0.0.4, 10.0.0.3");
        ck_assert_int_eq(testhost_reload(t), 0);
        testhost_tick(t, SECOND);
        answer(EC_OK, "");
        ck_assert_uint_eq(helper.entry[0].addr[15], i % 2 ? 3 : 4);
    }
    plugin_end(t);
}
END_TEST

START_TEST(a_wrong_list_is_refused)
{
    struct testhost *t = plugin_new();

    testhost_option(t, "allow", "10.0.0.1/8");
    ck_assert_int_eq(testhost_start(t), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(testhost_why(t), "behind its prefix"));
    testhost_free(t);
    fake_reset();
}
END_TEST

START_TEST(without_power)
{
    struct testhost *t;

    fake_reset();
    t = plugin_new();
    helper.open = EC_EPERM;
    ck_assert_int_eq(testhost_start(t), 0);
    ck_assert_int_eq(ban_text(t, "192.0.2.5"), EC_EPERM);
    ck_assert_str_eq(why, "this test has no power");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/status", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("enforcing"), "false");
    ck_assert_str_eq(fake_reply("problem"), "this test has no power");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/ruleset", NULL, NULL), 503);
    testhost_tick(t, 10 * SECOND);
    plugin_end(t);
}
END_TEST

START_TEST(routes_read)
{
    static const char *const ip[] = { "ip=198.51.100.7", NULL };
    static const char *const other[] = { "ip=192.0.2.5", NULL };
    static const char *const page[] = { "limit=1", NULL };
    static const char *const none[] = { "id=nonsense", NULL };
    static const char *const bad[] = { "cursor=x", NULL };
    struct testhost *t = plugin_start();

    ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "0");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/ruleset", NULL, NULL), 200);
    ck_assert_str_eq(fake_detail(), "{\"nftables\": []}");
    ban_text(t, "192.0.2.5");
    ban_text(t, "192.0.2.6");
    answer(EC_OK, "");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks", page, NULL), 200);
    ck_assert_str_eq(fake_reply("total"), "2");
    ck_assert_str_eq(fake_reply("items.address"), "192.0.2.6");
    ck_assert_str_eq(fake_reply("items.state"), "active");
    {
        char cursor[64];
        const char *const next[] = { "limit=1", cursor, NULL };

        snprintf(cursor, sizeof cursor, "cursor=%s", fake_reply("next_cursor"));
        ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks", next, NULL), 200);
        ck_assert_str_eq(fake_reply("items.address"), "192.0.2.5");
        ck_assert_str_eq(fake_reply("next_cursor"), "");
    }
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks", other, NULL), 200);
    ck_assert_str_eq(fake_reply("items.address"), "192.0.2.5");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks", bad, NULL), 422);
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/blocks/{id}", none, NULL), 404);
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/allowlist", NULL, NULL), 200);
    ck_assert_str_eq(fake_reply("items.address"), "203.0.113.9");
    ck_assert_str_eq(fake_reply("items.source"), "configured");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/allowlist/check/{ip}", ip, NULL), 200);
    ck_assert_str_eq(fake_reply("allowed"), "true");
    ck_assert_str_eq(fake_reply("entry"), "198.51.100.0/24");
    ck_assert_str_eq(fake_reply("bannable"), "false");
    ck_assert_int_eq(fake_ask("GET", "/api/firewall/allowlist/check/{ip}", other, NULL), 200);
    ck_assert_str_eq(fake_reply("allowed"), "false");
    ck_assert_str_eq(fake_reply("banned"), "true");
    plugin_end(t);
}
END_TEST

static bool has_row(const struct ec_record *r, const char *name)
{
    for (uint32_t i = 0; r && i < r->n_row; i++)
        if (!strcmp(r->row[i].name, name))
            return true;
    return false;
}

START_TEST(what_enforces_has_a_dry_run)
{
    static const char *const there[] = { "id=192.0.2.5", "dry_run=true", NULL };
    static const char *const gone[] = { "ip=192.0.2.6", "dry_run=true", NULL };
    struct testhost *t = plugin_start();
    const struct ec_route *r;
    uint32_t enforce = 0;

    for (uint32_t i = 0; (r = fake_route(i)); i++) {
        bool changes = strcmp(r->method, "GET") != 0;

        ck_assert_msg(!changes == !(r->flags & EC_RT_ENFORCES), "%s %s", r->method, r->path);
        ck_assert_msg(!changes || has_row(r->param, "dry_run") || has_row(r->body, "dry_run"), "%s", r->path);
        ck_assert_msg(r->reply || r->status == 204, "%s has no reply record", r->path);
        enforce += changes;
    }
    ck_assert_uint_eq(enforce, 3);
    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    ck_assert_int_eq(fake_ask("DELETE", "/api/firewall/blocks/{id}", there, NULL), 204);
    ck_assert_int_eq(fake_ask("DELETE", "/api/firewall/blocks", gone, NULL), 404);
    ck_assert_int_eq(is_banned(t, "192.0.2.5"), 1);
    plugin_end(t);
}
END_TEST

START_TEST(drift_is_told)
{
    static const char as_desired[] =
        "{\"nftables\":[{\"set\":{\"name\":\"block4\",\"elem\":[{\"elem\":{\"val\":\"192.0.2.5\",\"timeout\":60}}]}},"
        "{\"set\":{\"name\":\"allow4\",\"elem\":[\"203.0.113.9\"]}},"
        "{\"set\":{\"name\":\"allow4_24\",\"elem\":[\"198.51.100.0\"]}},"
        "{\"set\":{\"name\":\"allow6_48\",\"elem\":[\"2001:db8:a::\"]}},{\"set\":{\"name\":\"block6\"}}]}";
    struct testhost *t = plugin_start();

    fake_ask("GET", "/api/firewall/drift", NULL, NULL);
    ck_assert_str_eq(fake_reply("in_sync"), "true");
    ck_assert_str_eq(fake_reply("in_kernel"), "false");
    ban_text(t, "192.0.2.5");
    answer(EC_OK, "");
    fake_ask("GET", "/api/firewall/drift", NULL, NULL);
    answer(EC_OK, as_desired);
    ck_assert_str_eq(fake_reply("in_sync"), "true");
    fake_ask("GET", "/api/firewall/drift", NULL, NULL);
    answer(EC_OK, "{\"nftables\":[{\"set\":{\"name\":\"block4_31\",\"elem\":[\"192.0.2.4\"]}}]}");
    ck_assert_str_eq(fake_reply("in_sync"), "false");
    ck_assert_str_eq(fake_reply("missing"), "4");           /* the ban, and the three that are allowed */
    ck_assert_str_eq(fake_reply("extra"), "1");
    ck_assert_str_eq(fake_reply("items.address"), "192.0.2.5");
    ck_assert_str_eq(fake_reply("items.what"), "missing");
    fake_ask("GET", "/api/firewall/drift", NULL, NULL);
    answer(EC_ENOENT, "the table is gone");
    ck_assert_str_eq(fake_reply("missing"), "1");
    fake_ask("GET", "/api/firewall/drift", NULL, NULL);
    answer(EC_OK, "no JSON");
    ck_assert_ptr_nonnull(strstr(fake_detail(), "cannot be read"));
    plugin_end(t);
}
END_TEST

START_TEST(routes_refuse)
{
    static const char *const allowed[] = { "ip=203.0.113.9", "reason=x", NULL };
    static const char *const nonsense[] = { "ip=nonsense", "reason=x", NULL };
    static const char *const loose[] = { "ip=192.0.2.5/8", "reason=x", NULL };
    static const char *const cause[] = { "ip=192.0.2.5", "reason=x", "cause=-1", NULL };
    static const char *const dry[] = { "ip=192.0.2.5", "reason=x", "cause=5", "dry_run=true", NULL };
    static const char *const gone[] = { "id=192.0.2.5", NULL };
    struct testhost *t = plugin_start();

    ck_assert_int_eq(fake_ask("POST", "/api/firewall/blocks", NULL, allowed), 409);
    ck_assert_ptr_nonnull(strstr(fake_detail(), "allow-list"));
    ck_assert_int_eq(fake_ask("POST", "/api/firewall/blocks", NULL, nonsense), 422);
    ck_assert_int_eq(fake_ask("POST", "/api/firewall/blocks", NULL, loose), 422);
    ck_assert_int_eq(fake_ask("POST", "/api/firewall/blocks", NULL, cause), 422);
    fake_event = "{\"id\":5,\"ecyber\":{\"replay\":true}}";
    ck_assert_int_eq(fake_ask("POST", "/api/firewall/blocks", NULL, dry), 200);
    ck_assert_str_eq(fake_reply("dry_run"), "true");
    ck_assert_ptr_nonnull(strstr(fake_reply("note"), "replayed"));
    ck_assert_str_eq(fake_reply("state"), "none");
    ck_assert_int_eq(fake_ask("DELETE", "/api/firewall/blocks/{id}", gone, NULL), 404);
    ck_assert_uint_eq(helper.n_what, 0);
    plugin_end(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("firewall");
    TCase *c = tcase_create("firewall");

    tcase_add_test(c, address_reads_and_writes);
    tcase_add_test(c, address_refuses);
    tcase_add_test(c, address_contains);
    tcase_add_test(c, guard_knows_whom);
    tcase_add_test(c, bans_find_what_they_hold);
    tcase_add_test(c, bans_stay_found);
    tcase_add_test(c, nothing_before_the_first_ban);
    tcase_add_test(c, ban_reaches_the_kernel);
    tcase_add_test(c, refusals_say_why);
    tcase_add_test(c, replays_never_act);
    tcase_add_test(c, dry_run_does_nothing);
    tcase_add_test(c, new_helper_gets_everything);
    tcase_add_test(c, lost_answers_are_made_good);
    tcase_add_test(c, flushed_table_comes_back);
    tcase_add_test(c, bans_end_by_themselves);
    tcase_add_test(c, stop_clears_what_is_leaving);
    tcase_add_test(c, what_the_helper_does_not_take_is_said);
    tcase_add_test(c, second_ban_moves_the_end);
    tcase_add_test(c, restart_puts_them_back);
    tcase_add_test(c, unknown_bans_are_gone_with_their_table);
    tcase_add_test(c, fewer_bans_are_no_reason_to_drop_some);
    tcase_add_test(c, memory_that_ends_takes_no_ban_back);
    tcase_add_test(c, an_end_that_is_too_far_is_cut_for_the_kernel);
    tcase_add_test(c, documents_that_began_anew_are_noticed);
    tcase_add_test(c, a_replay_puts_nothing_back);
    tcase_add_test(c, what_is_not_kept_is_said);
    tcase_add_test(c, an_unban_that_is_not_kept_has_failed);
    tcase_add_test(c, a_ban_without_an_answer_has_failed);
    tcase_add_test(c, a_ban_that_the_helper_refuses_has_failed);
    tcase_add_test(c, an_unban_outlives_a_store_that_was_away);
    tcase_add_test(c, reload_takes_the_new_list);
    tcase_add_test(c, a_wrong_list_is_refused);
    tcase_add_test(c, without_power);
    tcase_add_test(c, routes_read);
    tcase_add_test(c, what_enforces_has_a_dry_run);
    tcase_add_test(c, drift_is_told);
    tcase_add_test(c, routes_refuse);
    tcase_set_timeout(c, 30);                               /* two wait 3 s for the helper */
    suite_add_tcase(s, c);
    return unit_run(s);
}
