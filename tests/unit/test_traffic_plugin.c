/* The traffic plugin on the fake host: its life, its options, what it publishes. */
#include "tests/unit/unit.h"

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
    struct ec_frame f = { .size = sizeof f, .flags = EC_FR_REPLAY, .data = d, .ts_ns = l->now_ns, .count = ++l->count,
                          .caplen = n, .wirelen = n, .linktype = 101 };
    uint32_t verdict = 0;

    l->s->prepare(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0, (struct ec_frame *const[]){ &f }, 1);
    l->s->packet(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0, 0, &f, &verdict);
}

static void lane_finish(struct lane *l)
{
    while (l->s->finish(testhost_self(l->t), testhost_worker(l->t), testhost_state(l->t), 0, EC_STAGE_END_SOURCE)) {}
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
    lane_frame(&l, d, 25);          /* the frame ends before the header's length says so */
    ck_assert_uint_eq(testhost_count(l.t, "ec.anomaly/1"), 1);
    ck_assert_int_eq((int)testhost_metric(l.t, "decode.ipv4.trunc_pkt"), 1);
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
    suite_add_tcase(s, c);
    return unit_run(s);
}
