/* Inspectors see which anomalies were raised with a packet, and no others. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "plugins/traffic/proto/app.h"
#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };
static struct ec_raised last;       /* of the last packet; size 0: nothing */
static struct feed f;

static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)self, (void)w, (void)st, (void)gen;
    if (p->raised)
        last = *p->raised;
    else
        memset(&last, 0, sizeof last);
}
static const struct ec_inspector hooks = { .size = sizeof hooks, .name = "test", .packet = on_packet };

/* A protocol whose every line is an anomaly: 'x' in a transaction, others beside them. */
static uint64_t in_tx;
static int32_t line_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)d, (void)n, (void)dir;
    return EC_YES;
}

static int64_t line_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    struct ec_tx *x = k->len && k->data[0] == 'x' ? tx_begin(c) : NULL;

    (void)self, (void)state;
    if (k->len)
        tx_anomaly(c, x, k->data[k->len - 1] - '0');
    if (x) {
        in_tx = x->raised;
        tx_end(c, x);
    }
    return k->len;
}
static const char *const lines[] = { "ZERO", "ONE", "TWO" };
static const struct ec_proto line = {
    .size = sizeof line, .name = "line", .hints = "tcp", .n_anomaly = 3, .anomaly = lines, .probe = line_probe,
    .parse = line_parse, .buf_stride = sizeof(struct ec_bufdef),
};

static void setup(void)
{
    feed_init(&f);
    f.tr.inspectors = 1;
    f.tr.inspector[0].hooks = &hooks;
    ck_assert_int_eq(registry_proto(&f.tr, NULL, &line, NULL, NULL), EC_OK);
    feed_open(&f);
    in_tx = 0;
}

static void teardown(void)
{
    feed_close(&f);
}

static bool has(uint32_t event)
{
    return last.bit[event >> 6] >> (event & 63) & 1;
}

static void handshake(void)
{
    feed_tcp(&f, client, server, TCP_SYN, 99, 0, NULL, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 499, 100, NULL, 0);
    feed_tcp(&f, client, server, TCP_ACK, 100, 500, NULL, 0);
}

START_TEST(broken_packets_without_a_flow)
{
    static const uint8_t not_ip[20] = { 0x75 };
    uint8_t d[64];
    uint32_t n = build_udp(d, client, server, "abc", 3);

    feed_frame(&f, 101, not_ip, sizeof not_ip);
    ck_assert(has(EV_IPRAW_INVALID_IPV));
    feed_frame(&f, 101, d, n);
    ck_assert_uint_eq(last.size, 0);
    d[25] = 200;                    /* the UDP length */
    feed_frame(&f, 101, d, n);
    ck_assert(has(EV_UDP_PKT_TOO_SMALL) && !has(EV_IPRAW_INVALID_IPV));
}
END_TEST

START_TEST(streams)
{
    handshake();
    ck_assert_uint_eq(last.size, 0);
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 900, 100, NULL, 0);
    ck_assert(has(EV_STREAM_EST_SYNACK_RESEND_WITH_DIFF_SEQ));
    feed_tcp(&f, client, server, TCP_ACK, 100, 500, NULL, 0);
    ck_assert_uint_eq(last.size, 0);
    /* A repeated one is not published again, and seen again. */
    feed_tcp(&f, server, client, TCP_SYN | TCP_ACK, 900, 100, NULL, 0);
    ck_assert(has(EV_STREAM_EST_SYNACK_RESEND_WITH_DIFF_SEQ));
}
END_TEST

START_TEST(protocols)
{
    handshake();
    feed_tcp(&f, client, server, TCP_ACK, 100, 500, "a1", 2);
    ck_assert_uint_eq(last.app, 2);
    ck_assert_uint_eq(last.proto, f.tr.proto[0].id);
    feed_tcp(&f, client, server, TCP_ACK, 102, 500, "x2", 2);
    ck_assert_uint_eq(in_tx, 4);
    ck_assert_uint_eq(last.size, 0);
}
END_TEST

/* What waited for a lost segment is given up when the flow ends, within a packet of the next one. */
START_TEST(the_end_of_another_flow_is_none_of_the_packet)
{
    handshake();
    feed_tcp(&f, client, server, TCP_ACK, 200, 500, "late", 4);
    ck_assert_uint_eq(f.w->cells[M_STREAM_GAPS], 0);
    f.now_ns += UINT64_C(7200) * 1000000000;
    feed_tcp(&f, client, server, TCP_SYN, 5000, 0, NULL, 0);
    ck_assert_uint_eq(f.w->cells[M_STREAM_GAPS], 1);
    ck_assert_uint_eq(last.size, 0);
}
END_TEST

START_TEST(all_are_listed_once)
{
    struct ec_anomaly a = { .size = sizeof a };
    uint32_t n = 0, own = 0;

    for (; !raised_at(&f.tr, n, &a); n++) {
        ck_assert_ptr_nonnull(a.name);
        own += a.kind == EC_ANOMALY_PROTO;
        if (a.kind == EC_ANOMALY_PROTO) {
            ck_assert_str_eq(a.name, lines[a.bit]);
            ck_assert_uint_eq(a.proto, f.tr.proto[0].id);
        } else {
            ck_assert_uint_eq(a.bit, n);
            ck_assert_int_eq(strncmp(a.name, "stream.", 7) == 0, a.kind == EC_ANOMALY_STREAM);
            ck_assert_int_eq(strncmp(a.name, "decoder.", 8) == 0, a.kind == EC_ANOMALY_DECODE);
        }
    }
    ck_assert_uint_eq(own, 3);
    ck_assert_uint_eq(n, EV_COUNT + 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("raised");
    TCase *tc = tcase_create("raised");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, broken_packets_without_a_flow);
    tcase_add_test(tc, streams);
    tcase_add_test(tc, protocols);
    tcase_add_test(tc, the_end_of_another_flow_is_none_of_the_packet);
    tcase_add_test(tc, all_are_listed_once);
    suite_add_tcase(suite, tc);
    return unit_run(suite);
}
