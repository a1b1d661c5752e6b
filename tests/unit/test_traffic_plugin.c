/* The traffic plugin on the fake host: its life, its options, what it publishes. */
#include "tests/unit/unit.h"

#include "plugins/traffic/held.h"
#include "sdk/testhost/testhost.h"
#include "tests/unit/traffic_frames.h"
#include <ecyber/ext/stage.h>

const struct ec_plugin *ec_plugin_entry_1(void);

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };

struct lane { struct testhost *t; const struct ec_stage *s; uint64_t now_ns, count; };

static void lane_open(struct lane *l)
{
    memset(l, 0, sizeof *l);
    l->t = testhost_new(ec_plugin_entry_1());
    l->now_ns = UINT64_C(1700000000000000000);
    ck_assert_int_eq(testhost_start(l->t), EC_OK);
    l->s = testhost_offer(l->t, EC_STAGE_ID);
    ck_assert_ptr_nonnull(l->s);
}

static void lane_frame(struct lane *l, const uint8_t *d, uint32_t n)
{
    struct ec_frame f = {.size = sizeof f,
                         .flags = EC_FR_REPLAY,
                         .data = d,
                         .ts_ns = l->now_ns,
                         .count = ++l->count,
                         .caplen = n,
                         .wirelen = n,
                         .linktype = 101};
    uint32_t verdict = 0;

    l->s->prepare(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0,
                  (struct ec_frame *const[]){&f}, 1);
    l->s->packet(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0, 0, &f,
                 &verdict);
}

static void lane_finish(struct lane *l)
{
    while (l->s->finish(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0,
                        EC_STAGE_END_SOURCE)) {
    }
}

START_TEST(flow_event)
{
    struct lane l;
    uint8_t d[128];
    const struct ec_event *e;

    lane_open(&l);
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    l.now_ns += 1500000000;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_ACK, 101, 501, NULL, 0));
    ck_assert_int_eq((int)testhost_metric(l.t, "flow.total"), 1);
    ck_assert_int_eq((int)testhost_metric(l.t, "decode.packets"), 3);
    lane_finish(&l);
    ck_assert_uint_eq(testhost_count(l.t, "ec.flow/1"), 1);
    e = testhost_event(l.t, "ec.flow/1", 0);
    ck_assert_uint_eq(e->sport, 40000);
    ck_assert_uint_eq(e->dport, 80);
    ck_assert_uint_eq(e->ip_proto, PROTO_TCP);
    ck_assert_uint_eq(e->ts_ns, l.now_ns);
    ck_assert(e->flags & EC_EV_COMMUNITY);
    ck_assert(e->flow_id && e->flow_id < UINT64_C(1) << 51);
    ck_assert_uint_eq(e->parts, 2);
    testhost_free(l.t);
}
END_TEST

START_TEST(bad_key)
{
    struct testhost *t = testhost_new(ec_plugin_entry_1());

    ck_assert_int_eq(testhost_option(t, "hash_key", "xyz"), EC_OK);
    ck_assert_int_eq(testhost_start(t), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(testhost_why(t), "hash_key needs 32 hexadecimal digits"));
    testhost_free(t);
}
END_TEST

START_TEST(anomaly_event)
{
    struct lane l;
    uint8_t d[128];

    lane_open(&l);
    build_udp(d, client, server, "hello", 5);
    for (int i = 0; i < 300; i++)
        lane_frame(&l, d, 25); /* the frame ends before the header's length says so; without a flow:
                                  100 a second */
    ck_assert_uint_eq(testhost_count(l.t, "ec.anomaly/1"), 100);
    ck_assert_int_eq((int)testhost_metric(l.t, "decode.ipv4.trunc_pkt"), 300);
    ck_assert_int_eq((int)testhost_metric(l.t, "anomaly.limited"), 200);
    l.now_ns += 1000000000;
    lane_frame(&l, d, 25);
    ck_assert_uint_eq(testhost_count(l.t, "ec.anomaly/1"), 101);
    testhost_forget(l.t);
    build_tcp(d, client, server, TCP_ACK, 1, 1, "\x03\x09\x01\0", 4);
    d[32] = 6 << 4;                 /* a window scale option of nine bytes; in a flow: once */
    for (int i = 0; i < 5; i++)
        lane_frame(&l, d, 44);
    ck_assert_uint_eq(testhost_count(l.t, "ec.anomaly/1"), 1);
    ck_assert(testhost_event(l.t, "ec.anomaly/1", 0)->flags & EC_EV_FLOW);
    lane_finish(&l);
    testhost_free(l.t);
}
END_TEST

static uint32_t client_next, server_next;

static void lane_say(struct lane *l, bool answer, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);
    uint8_t d[2048];

    if (answer)
        lane_frame(l, d, build_tcp(d, server, client, TCP_ACK, server_next, client_next, text, n)),
            server_next += n;
    else
        lane_frame(l, d, build_tcp(d, client, server, TCP_ACK, client_next, server_next, text, n)),
            client_next += n;
}

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

START_TEST(transaction_event)
{
    struct lane l;
    uint8_t d[128];
    const struct ec_event *e;

    lane_open(&l);
    client_next = 101, server_next = 501;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(&l, false, "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n");
    lane_say(&l, true, ANSWER);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 0);
    lane_say(&l, false, "");
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    e = testhost_event(l.t, "ec.http/1", 0);
    ck_assert_uint_eq(e->count, 5);                 /* the packet that acknowledged it … */
    ck_assert_uint_eq(e->ts_ns, l.now_ns);
    ck_assert_uint_eq(e->sport, client.port);       /* … but the flow's addresses */
    ck_assert(e->flags & EC_EV_TX);
    ck_assert_uint_eq(e->tx_id, 0);
    ck_assert_str_eq(testhost_host(l.t)->interned(testhost_host(l.t), "app_proto", e->app_proto),
                     "http");
    lane_finish(&l);
    ck_assert_uint_eq(testhost_count(l.t, "ec.flow/1"), 1);
    ck_assert_uint_eq(testhost_event(l.t, "ec.flow/1", 0)->app_proto, e->app_proto);
    testhost_free(l.t);
}
END_TEST

/* A connection on which n requests were made and nothing was answered yet. */
static void lane_ask(struct lane *l, uint32_t n)
{
    uint8_t d[128];

    lane_open(l);
    client_next = 101, server_next = 501;
    lane_frame(l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(l, false, "");
    while (n--)
        lane_say(l, false, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
}

/* Each record waits for the acknowledgement of its own bytes, and no longer. */
START_TEST(records_wait_for_their_bytes)
{
    uint32_t answer = (uint32_t)sizeof ANSWER - 1;
    struct lane l;
    uint8_t d[128];

    lane_ask(&l, 3);
    for (int i = 0; i < 3; i++)
        lane_say(&l, true, ANSWER);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 0);
    lane_frame(&l, d, build_tcp(d, client, server, TCP_ACK, client_next, 501 + 2 * answer - 1, NULL, 0));
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    lane_frame(&l, d, build_tcp(d, client, server, TCP_ACK, client_next, 501 + 2 * answer, NULL, 0));
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 2);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", i)->tx_id, i);
        ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", i)->count, 10 + i);
    }
    lane_finish(&l);                                /* nobody acknowledged the third: it names its own packet */
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 3);
    ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", 2)->count, 9);
    testhost_free(l.t);
}
END_TEST

START_TEST(records_wait_no_longer_after_a_reset)
{
    struct lane l;
    uint8_t d[128];

    lane_ask(&l, 1);
    lane_say(&l, true, ANSWER);
    lane_frame(&l, d, build_tcp(d, client, server, TCP_RST, client_next, 0, NULL, 0));
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", 0)->count, 6);
    lane_finish(&l);
    testhost_free(l.t);
}
END_TEST

/* A capture may have the acknowledgement first. */
START_TEST(records_do_not_wait_for_what_has_come)
{
    struct lane l;
    uint8_t d[128];

    lane_ask(&l, 1);
    lane_frame(&l, d, build_tcp(d, client, server, TCP_ACK, client_next, server_next + sizeof ANSWER - 1, NULL, 0));
    lane_say(&l, true, ANSWER);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", 0)->count, 6);
    lane_finish(&l);
    testhost_free(l.t);
}
END_TEST

START_TEST(only_so_many_records_wait)
{
    struct lane l;

    lane_ask(&l, 2 * HELD_MAX);
    for (uint32_t i = 0; i < HELD_MAX; i++)
        lane_say(&l, true, ANSWER);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 0);
    for (uint32_t i = 0; i < HELD_MAX; i++)
        lane_say(&l, true, ANSWER);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), HELD_MAX);
    lane_finish(&l);
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 2 * HELD_MAX);
    for (uint32_t i = 0; i < 2 * HELD_MAX; i++)
        ck_assert_uint_eq(testhost_event(l.t, "ec.http/1", i)->tx_id, i);
    testhost_free(l.t);
}
END_TEST

static const char *proto_name(struct lane *l, uint32_t id)
{
    const char *name = testhost_host(l->t)->interned(testhost_host(l->t), "app_proto", id);

    return name ? name : "";
}

/* What each side was taken for stands beside the flow's protocol, where it is another one. */
START_TEST(sides_that_disagree)
{
    struct lane l;
    uint8_t d[128];
    const struct ec_event *e;

    lane_open(&l);
    client_next = 101, server_next = 501;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(&l, false, "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n");
    lane_say(&l, true, "SSH-2.0-OpenSSH_9.2p1\r\n");
    ck_assert_uint_ge(testhost_count(l.t, "ec.anomaly/1"), 1);
    lane_finish(&l);
    e = testhost_event(l.t, "ec.flow/1", 0);
    ck_assert_str_eq(proto_name(&l, e->app_proto), "http");
    ck_assert_uint_eq(e->app_side[0], 0);
    ck_assert_str_eq(proto_name(&l, e->app_side[1]), "ssh");
    ck_assert_uint_eq(e->app_orig, 0);
    testhost_free(l.t);
}
END_TEST

START_TEST(a_server_that_begins)
{
    struct lane l;
    uint8_t d[128];

    lane_open(&l);
    client_next = 101, server_next = 501;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(&l, true, "SSH-2.0-x\r\n");           /* which servers may */
    ck_assert_uint_eq(testhost_count(l.t, "ec.anomaly/1"), 0);
    lane_finish(&l);
    testhost_free(l.t);
    lane_open(&l);
    client_next = 101, server_next = 501;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(&l, true, "HTTP/1.1 200 OK\r\n\r\n");
    ck_assert_uint_ge(testhost_count(l.t, "ec.anomaly/1"), 1);
    lane_finish(&l);
    testhost_free(l.t);
}
END_TEST

START_TEST(a_tunnel_changes_the_protocol)
{
    struct lane l;
    uint8_t d[128];
    const struct ec_event *e;

    lane_open(&l);
    client_next = 101, server_next = 501;
    lane_frame(&l, d, build_tcp(d, client, server, TCP_SYN, 100, 0, NULL, 0));
    lane_frame(&l, d, build_tcp(d, server, client, TCP_SYN | TCP_ACK, 500, 101, NULL, 0));
    lane_say(&l, false, "CONNECT inner:22 HTTP/1.1\r\n\r\n");
    lane_say(&l, true, "HTTP/1.1 200 OK\r\n\r\n\n");
    lane_say(&l, false, "");
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    lane_say(&l, true, "SSH-2.0-OpenSSH_9.2p1\r\n");
    lane_say(&l, false, "GET is no request any more\r\n");
    lane_finish(&l);
    e = testhost_event(l.t, "ec.flow/1", 0);
    ck_assert_str_eq(proto_name(&l, e->app_proto), "ssh");
    ck_assert_str_eq(proto_name(&l, e->app_side[0]), "failed");
    ck_assert_str_eq(proto_name(&l, e->app_orig), "http");
    ck_assert_uint_eq(testhost_count(l.t, "ec.http/1"), 1);
    testhost_free(l.t);
}
END_TEST

static char called[64];
static void first_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)w, (void)st, (void)gen;
    strcat(called, self);
    if (*(const char *)self == 'b')
        ec_raise(p, EC_V_DROP, 7);
}
static const struct ec_inspector one = {.size = sizeof one, .name = "one", .packet = first_packet};
static const struct ec_inspector two = {.size = sizeof two, .name = "two", .packet = first_packet};

START_TEST(inspectors_in_order)
{
    struct lane l;
    uint8_t d[128];
    const struct ec_traffic *service;
    char a[] = "a", b[] = "b";
    uint32_t index;

    lane_open(&l);
    service = testhost_offer(l.t, EC_TRAFFIC_ID);
    ck_assert_ptr_nonnull(service);
    ck_assert_int_eq(service->inspect(testhost_self(l.t), testhost_host(l.t), &one, a, &index),
                     EC_OK);
    ck_assert_int_eq(service->inspect(testhost_self(l.t), testhost_host(l.t), &two, b, &index),
                     EC_OK);
    ck_assert_uint_eq(index, 1);
    ck_assert_int_eq(testhost_reload(l.t), EC_OK);
    called[0] = 0;
    lane_frame(&l, d, build_udp(d, client, server, "x", 1));
    ck_assert_str_eq(called, "ab");
    ck_assert_int_eq(testhost_option(l.t, "inspectors", "two"), EC_OK);
    ck_assert_int_eq(testhost_reload(l.t), EC_OK);
    lane_frame(&l, d, build_udp(d, client, server, "x", 1));
    ck_assert_str_eq(called, "abba");
    ck_assert_int_eq(testhost_option(l.t, "inspectors", "three"), EC_OK);
    ck_assert_int_eq(testhost_reload(l.t), EC_EINVAL);
    ck_assert_ptr_nonnull(strstr(testhost_why(l.t), "there is no inspector 'three'"));
    lane_finish(&l);
    testhost_free(l.t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("traffic plugin");
    TCase *c = tcase_create("plugin");

    tcase_add_test(c, flow_event);
    tcase_add_test(c, bad_key);
    tcase_add_test(c, anomaly_event);
    tcase_add_test(c, transaction_event);
    tcase_add_test(c, records_wait_for_their_bytes);
    tcase_add_test(c, records_wait_no_longer_after_a_reset);
    tcase_add_test(c, records_do_not_wait_for_what_has_come);
    tcase_add_test(c, only_so_many_records_wait);
    tcase_add_test(c, sides_that_disagree);
    tcase_add_test(c, a_server_that_begins);
    tcase_add_test(c, a_tunnel_changes_the_protocol);
    tcase_add_test(c, inspectors_in_order);
    suite_add_tcase(s, c);
    return unit_run(s);
}
