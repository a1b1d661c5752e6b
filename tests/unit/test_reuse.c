/* Which segments begin a new flow on the addresses of one that is there, and that its bytes are looked at. */
#include "tests/unit/unit.h"

#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };
static uint32_t delivered[2], ends;

static void on_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k)
{
    (void)self, (void)w, (void)st, (void)gen, (void)f;
    delivered[k->dir] += k->len;
}

static void on_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    (void)self, (void)w, (void)st, (void)gen, (void)f;
    ends += reason == EC_END_REUSED;
}
static const struct ec_inspector hooks = { .size = sizeof hooks, .name = "test", .chunk = on_chunk, .flow_end = on_end };

static void start(struct feed *f)
{
    memset(delivered, 0, sizeof delivered);
    ends = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
    f->conf.anomalies = false;
    feed_open(f);
}

static const struct flow *only_flow(struct feed *f)
{
    uint32_t at = 0;

    ck_assert_uint_eq(f->w->table.used, 1);
    return table_walk(&f->w->table, &at);
}

static void refuse(struct feed *f, uint32_t isn)
{
    feed_tcp(f, client, server, TCP_SYN, isn, 0, NULL, 0);
    feed_tcp(f, server, client, TCP_RST | TCP_ACK, 0, isn + 1, NULL, 0);
}

/* A client that is refused asks again with the same number (Windows: three times): one attempt, one flow. */
START_TEST(refused_again)
{
    struct feed f;

    start(&f);
    for (int i = 0; i < 3; i++)
        refuse(&f, 100);
    ck_assert_uint_eq(ends, 0);
    ck_assert_uint_eq(only_flow(&f)->pub.pkts[0], 3);
    ck_assert_uint_eq(only_flow(&f)->pub.pkts[1], 3);
    ck_assert_uint_eq(only_flow(&f)->pub.state, EC_FLOW_CLOSED);
    feed_tcp(&f, client, server, TCP_SYN, 7100, 0, NULL, 0);        /* another number, another attempt */
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(only_flow(&f)->pub.state, EC_FLOW_NEW);
    feed_close(&f);
}
END_TEST

/* It is looked at when it gets through at last, whether the answer comes after one more SYN or at once. */
static void then_accepted(bool again)
{
    struct feed f;

    start(&f);
    refuse(&f, 100);
    if (again)
        feed_tcp(&f, client, server, TCP_SYN, 100, 0, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0);
    ck_assert_uint_eq(ends, 1);
    feed_tcp(&f, client, server, TCP_ACK, 101, 501, "hello", 5);
    feed_tcp(&f, server, client, TCP_ACK, 501, 106, "hi", 2);
    ck_assert_uint_eq(delivered[EC_TO_SERVER], 5);
    ck_assert_uint_eq(delivered[EC_TO_CLIENT], 2);
    ck_assert_uint_eq(only_flow(&f)->pub.dport, server.port);
    ck_assert_uint_eq(only_flow(&f)->pub.state, EC_FLOW_ESTABLISHED);
    feed_close(&f);
}

START_TEST(refused_then_accepted)
{
    then_accepted(true);
    then_accepted(false);
}
END_TEST

/* The same where the server's answer was not seen: whoever forges a reset shall not hide what comes. */
START_TEST(refused_then_data)
{
    struct feed f;

    start(&f);
    refuse(&f, 100);
    feed_tcp(&f, client, server, TCP_SYN, 100, 0, NULL, 0);
    feed_tcp(&f, client, server, TCP_ACK, 101, 501, "hello", 5);
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(delivered[EC_TO_SERVER], 5);
    ck_assert_uint_eq(only_flow(&f)->pub.dport, server.port);
    feed_close(&f);
}
END_TEST

/* A connection that was closed is over: the same number begins a new one. */
START_TEST(closed_then_the_same_number)
{
    struct feed f;

    start(&f);
    for (int i = 0; i < 2; i++) {
        feed_tcp(&f, client, server, TCP_SYN, 100, 0, NULL, 0);
        feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0);
        feed_tcp(&f, client, server, TCP_ACK, 101, 501, "hello", 5);
        feed_tcp(&f, server, client, TCP_RST | TCP_ACK, 501, 106, NULL, 0);
        ck_assert_uint_eq(ends, i);
    }
    ck_assert_uint_eq(delivered[EC_TO_SERVER], 10);
    feed_close(&f);
}
END_TEST

/* Where the beginning was not seen nobody reads the bytes: any SYN, of either side, begins what can be read. */
START_TEST(a_syn_behind_what_was_not_seen)
{
    struct feed f;

    start(&f);
    feed_tcp(&f, server, client, TCP_ACK, 9000, 9000, "old", 3);
    feed_tcp(&f, client, server, TCP_ACK, 9000, 9003, "old", 3);
    ck_assert_uint_eq(only_flow(&f)->pub.sport, server.port);
    feed_tcp(&f, client, server, TCP_SYN, 100, 0, NULL, 0);
    ck_assert_uint_eq(ends, 1);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0);
    feed_tcp(&f, client, server, TCP_ACK, 101, 501, "hello", 5);
    ck_assert_uint_eq(delivered[EC_TO_SERVER], 5);
    ck_assert_uint_eq(only_flow(&f)->pub.sport, client.port);
    ck_assert_uint_eq(only_flow(&f)->pub.pkts[0], 2);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reuse");
    TCase *c = tcase_create("reuse");

    tcase_add_test(c, refused_again);
    tcase_add_test(c, refused_then_accepted);
    tcase_add_test(c, refused_then_data);
    tcase_add_test(c, closed_then_the_same_number);
    tcase_add_test(c, a_syn_behind_what_was_not_seen);
    suite_add_tcase(s, c);
    return unit_run(s);
}
