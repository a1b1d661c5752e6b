/* The flow table: who belongs together, when a flow ends and in which order, and that none of it
 * depends on the table's key or on batches. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/unit/traffic_frames.h"

static const struct side a = { 0x0a000001, 40000 }, b = { 0x0a000002, 53 };
#define SECOND UINT64_C(1000000000)

struct ended { uint64_t id, pkts[2], bytes[2], first_ns, last_ns; uint32_t reason, sport; };
static struct ended ended[100000];
static uint32_t n_ended;

static void on_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f,
                   uint32_t reason)
{
    struct ended *e = &ended[n_ended++];

    (void)self, (void)w, (void)st, (void)gen;
    memset(e, 0, sizeof *e);
    e->id = f->id;
    memcpy(e->pkts, f->pkts, sizeof e->pkts);
    memcpy(e->bytes, f->bytes, sizeof e->bytes);
    e->first_ns = f->first_ns;
    e->last_ns = f->last_ns;
    e->reason = reason;
    e->sport = f->sport;
}
static const struct ec_inspector hooks = {.size = sizeof hooks, .name = "test", .flow_end = on_end};

static void start(struct feed *f)
{
    n_ended = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
}

START_TEST(both_directions)
{
    struct feed f;

    start(&f), feed_open(&f);
    feed_udp(&f, a, b, "query", 5);
    feed_udp(&f, b, a, "long answer", 11);
    feed_udp(&f, a, (struct side){ b.ip, 54 }, "other", 5);
    ck_assert_uint_eq(f.w->table.used, 2);
    feed_close(&f);
    ck_assert_uint_eq(n_ended, 2);
    ck_assert_uint_eq(ended[0].pkts[0], 1);
    ck_assert_uint_eq(ended[0].pkts[1], 1);
    ck_assert_uint_eq(ended[0].bytes[0], 33);
    ck_assert_uint_eq(ended[0].bytes[1], 39);
    ck_assert_uint_eq(ended[0].reason, EC_END_SHUTDOWN);
}
END_TEST

START_TEST(icmp_pairs)
{
    struct feed f;

    start(&f), feed_open(&f);
    feed_icmp(&f, a.ip, b.ip, 8, 0);
    feed_icmp(&f, b.ip, a.ip, 0, 0);
    ck_assert_uint_eq(f.w->table.used, 1);
    feed_icmp(&f, b.ip, a.ip, 8, 0);                /* the other one asks: another conversation */
    ck_assert_uint_eq(f.w->table.used, 2);
    feed_icmp(&f, b.ip, a.ip, 3, 1);
    feed_icmp(&f, a.ip, b.ip, 3, 1);                /* one-way: each for itself */
    ck_assert_uint_eq(f.w->table.used, 4);
    feed_close(&f);
}
END_TEST

/* Who (a router) tells `to` that the packet `from` -> `about` of protocol proto did not arrive. */
static void feed_error(struct feed *f, uint32_t who, struct side from, struct side about, uint8_t proto)
{
    uint8_t d[100], *h = d + 20;
    uint32_t n = proto == PROTO_TCP ? build_tcp(h + 8, from, about, TCP_SYN, 1, 0, "", 0)
                                    : build_udp(h + 8, from, about, "query", 5);

    build_udp(d, (struct side){ who, 0 }, from, "", 0);     /* for its IP header */
    memset(h, 0, 8);
    h[0] = 3, h[1] = 13;
    d[3] = (uint8_t)(28 + n), d[9] = PROTO_ICMP;
    feed_frame(f, 101, d, 28 + n);
}

/* An ICMP error belongs to the flow that it is about, whoever sent it: as a packet against the one that it quotes, which
 * neither answers it nor is one of its messages. */
START_TEST(icmp_error)
{
    const uint32_t router = 0xc0a80001;
    const struct icmp_error *e;
    struct flow *flow;
    uint32_t at = 0;
    struct feed f;

    start(&f), feed_open(&f);
    feed_udp(&f, a, b, "query", 5);
    flow = table_walk(&f.w->table, &at);
    ck_assert_ptr_null(flow_error(flow));
    feed_error(&f, router, a, b, PROTO_UDP);
    feed_error(&f, b.ip, a, b, PROTO_UDP);
    ck_assert_uint_eq(f.w->table.used, 1);
    ck_assert_uint_eq(flow->pub.pkts[0], 1);
    ck_assert_uint_eq(flow->pub.pkts[1], 2);
    ck_assert_uint_eq(f.w->cells[M_FLOW_ERRORS], 2);
    e = flow_error(flow);
    ck_assert_uint_eq(e->n, 2);
    ck_assert_uint_eq(e->type, 3);
    ck_assert_uint_eq(e->code, 13);
    ck_assert_uint_eq(e->src[15], router & 0xff);   /* the first one's sender */
    ck_assert_uint_eq(flow->pub.state, EC_FLOW_NEW);
    feed_udp(&f, a, b, "query", 5);
    ck_assert_uint_eq(flow->pub.state, EC_FLOW_NEW);
    feed_udp(&f, b, a, "answer", 6);
    ck_assert_uint_eq(flow->pub.state, EC_FLOW_ESTABLISHED);
    feed_error(&f, router, b, a, PROTO_UDP);        /* about the answer */
    ck_assert_uint_eq(flow->pub.pkts[0], 3);
    f.now_ns += 301 * SECOND;                       /* too late: the conversation is over */
    feed_error(&f, router, a, b, PROTO_UDP);
    ck_assert_uint_eq(n_ended, 1);
    ck_assert_uint_eq(f.w->table.used, 1);
    feed_close(&f);
}
END_TEST

START_TEST(icmp_error_tcp)
{
    struct flow *flow;
    uint32_t at = 0;
    struct feed f;

    start(&f), feed_open(&f);
    feed_tcp(&f, a, b, TCP_SYN, 1, 0, "", 0);
    flow = table_walk(&f.w->table, &at);
    feed_error(&f, 0xc0a80001, a, b, PROTO_TCP);
    ck_assert_uint_eq(f.w->table.used, 1);
    ck_assert_uint_eq(flow_error(flow)->n, 1);
    feed_tcp(&f, b, a, TCP_SYN | TCP_ACK, 100, 2, "", 0);
    feed_tcp(&f, a, b, TCP_ACK, 2, 101, "", 0);
    ck_assert_uint_eq(flow->tcp_state, TCPS_ESTABLISHED);
    ck_assert_ptr_null(flow_about(flow));
    feed_close(&f);
}
END_TEST

/* Where that flow is not known, the error knows the conversation, and those about others are other flows. */
START_TEST(icmp_about)
{
    const struct flow *one;
    uint32_t at = 0;
    struct feed f;

    start(&f), feed_open(&f);
    feed_error(&f, b.ip, a, b, PROTO_UDP);
    feed_error(&f, b.ip, a, b, PROTO_UDP);
    one = table_walk(&f.w->table, &at);
    ck_assert_uint_eq(f.w->table.used, 1);
    ck_assert_uint_eq(one->pub.pkts[0], 2);
    ck_assert_uint_eq(flow_about(one)->ip_proto, PROTO_UDP);
    ck_assert_uint_eq(flow_about(one)->sport, a.port);
    ck_assert_uint_eq(flow_about(one)->dst[15], 2);
    ck_assert_ptr_null(flow_error(one));
    feed_error(&f, b.ip, (struct side){ a.ip, 1 }, b, PROTO_UDP);
    feed_error(&f, b.ip, a, b, PROTO_TCP);
    feed_icmp(&f, b.ip, a.ip, 3, 13);               /* quotes nothing */
    ck_assert_uint_eq(f.w->table.used, 4);
    ck_assert_uint_eq(f.w->cells[M_FLOW_ERRORS], 0);
    feed_close(&f);
}
END_TEST

/* A walk sees each flow once, in the order of birth; a place that became free is passed over until it is taken. */
START_TEST(walk)
{
    struct flow *one;
    uint32_t at = 0;
    struct feed f;

    start(&f), feed_open(&f);
    for (uint16_t port = 1; port <= 600; port++)
        feed_udp(&f, (struct side){ a.ip, port }, b, "x", 1);
    for (uint16_t port = 1; port <= 600; port++) {
        one = table_walk(&f.w->table, &at);
        ck_assert_uint_eq(one->pub.sport, port);
        if (port % 2)
            flow_end(f.w, one, EC_END_TIMEOUT);
    }
    ck_assert_ptr_null(table_walk(&f.w->table, &at));
    at = 0;
    for (uint16_t port = 2; port <= 600; port += 2)
        ck_assert_uint_eq(table_walk(&f.w->table, &at)->pub.sport, port);
    ck_assert_ptr_null(table_walk(&f.w->table, &at));
    feed_udp(&f, (struct side){ a.ip, 601 }, b, "x", 1);
    at = 598;
    ck_assert_uint_eq(table_walk(&f.w->table, &at)->pub.sport, 601);
    feed_close(&f);
}
END_TEST

static uint32_t vlan_frame(uint8_t *d, uint8_t vlan)
{
    memcpy(d, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\0\x08\0", 18);
    d[15] = vlan;
    return 18 + build_udp(d + 18, a, b, "x", 1);
}

static uint32_t three_tags(uint8_t *d, uint8_t third)
{
    memcpy(d, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\1\x81\0\0\2\x81\0\0\0\x08\0", 26);
    d[23] = third;
    return 26 + build_udp(d + 26, a, b, "x", 1);
}

START_TEST(vlans)
{
    struct feed f;
    uint8_t d[128];

    start(&f), feed_open(&f);
    feed_frame(&f, 1, d, vlan_frame(d, 5));
    feed_frame(&f, 1, d, vlan_frame(d, 6));
    ck_assert_uint_eq(f.w->table.used, 2);
    feed_frame(&f, 1, d, three_tags(d, 3));
    feed_frame(&f, 1, d, three_tags(d, 4));
    feed_frame(&f, 1, d, three_tags(d, 3));
    ck_assert_uint_eq(f.w->table.used, 4);
    feed_close(&f);
    start(&f), f.conf.vlans = false, feed_open(&f);
    feed_frame(&f, 1, d, vlan_frame(d, 5));
    feed_frame(&f, 1, d, vlan_frame(d, 6));
    ck_assert_uint_eq(f.w->table.used, 1);
    feed_close(&f);
}
END_TEST

START_TEST(timeout_at_look_up)
{
    struct feed f;

    start(&f), feed_open(&f);
    feed_udp(&f, a, b, "1", 1);
    f.now_ns += 29 * SECOND;
    feed_udp(&f, a, b, "2", 1);
    ck_assert_uint_eq(n_ended, 0);
    f.now_ns += 30 * SECOND;        /* silent for as long as "new" allows */
    feed_udp(&f, a, b, "3", 1);
    ck_assert_uint_eq(n_ended, 1);
    ck_assert_uint_eq(ended[0].reason, EC_END_TIMEOUT);
    ck_assert_uint_eq(ended[0].pkts[0], 2);
    feed_udp(&f, b, a, "4", 1);     /* established: five minutes */
    f.now_ns += 299 * SECOND;
    feed_udp(&f, a, b, "5", 1);
    ck_assert_uint_eq(n_ended, 1);
    feed_close(&f);
    ck_assert_uint_eq(ended[1].pkts[0], 2);
    ck_assert_uint_ne(ended[0].id, ended[1].id);
}
END_TEST

START_TEST(swept)
{
    struct feed f;

    start(&f), feed_open(&f);
    for (uint16_t i = 0; i < 100; i++)
        feed_udp(&f, (struct side){ a.ip, (uint16_t)(1000 + i) }, b, "x", 1);
    f.now_ns += 20 * SECOND;
    feed_udp(&f, (struct side){ a.ip, 1050 }, b, "busy", 4);
    f.now_ns += 15 * SECOND;        /* 35 s: all but one are due; a few go with each packet */
    for (int i = 0; i < 60; i++)
        feed_udp(&f, (struct side){ a.ip, 5000 }, b, "y", 1);
    ck_assert_uint_eq(n_ended, 99);
    for (uint32_t i = 0; i < n_ended; i++) {
        ck_assert_uint_eq(ended[i].reason, EC_END_TIMEOUT);
        ck_assert_uint_eq(ended[i].sport, 1000 + i + (i >= 50));    /* oldest first */
    }
    feed_close(&f);
}
END_TEST

/* A packet that comes late makes a flow that is over already: it goes with the next ones, not an
 * hour later. */
START_TEST(born_late)
{
    struct feed f;

    start(&f), f.conf.timeout[CLASS_UDP][EC_FLOW_NEW] = SECOND, feed_open(&f);
    feed_udp(&f, a, b, "now", 3);
    f.now_ns -= 5 * SECOND;
    feed_udp(&f, (struct side){ 7, 7 }, b, "late", 4);
    f.now_ns += 8 * SECOND;
    for (int i = 0; i < 3; i++)
        feed_udp(&f, (struct side){ 8, 8 }, b, "next", 4);
    ck_assert_uint_eq(n_ended, 2);
    feed_close(&f);
}
END_TEST

/* One stamp far in the future must not end the flows of all packets that follow. */
START_TEST(wild_clock)
{
    struct feed f;
    uint64_t now;

    start(&f), feed_open(&f);
    feed_udp(&f, a, b, "1", 1);
    now = f.now_ns;
    f.now_ns = UINT64_MAX - 5;
    feed_udp(&f, (struct side){ 7, 7 }, b, "wild", 4);
    f.now_ns = now + SECOND;
    n_ended = 0;
    for (int i = 0; i < 50; i++, f.now_ns += SECOND)
        feed_udp(&f, (struct side){ 8, 8 }, b, "again", 5);
    ck_assert_uint_eq(f.w->cells[M_FLOWS] - 1, 2);
    f.now_ns = 0;
    feed_udp(&f, (struct side){ 8, 8 }, b, "zero", 4);
    feed_close(&f);
    ck_assert_uint_eq(f.count, 53);
}
END_TEST

START_TEST(limits)
{
    struct feed f;

    start(&f), f.conf.max_flows = 64, feed_open(&f);
    for (uint32_t i = 0; i < 1000; i++) {
        f.now_ns += SECOND / 100;
        feed_udp(&f, (struct side){ 0x0b000000 + i, 99 }, b, "x", 1);
        ck_assert_uint_le(f.w->table.used, 64);
    }
    ck_assert_uint_eq(n_ended, 1000 - 64);
    ck_assert_uint_eq(f.w->cells[M_FLOW_MEMORY], 1000 - 64);
    for (uint32_t i = 1; i < n_ended; i++)
        ck_assert_uint_gt(ended[i].first_ns, ended[i - 1].first_ns);
    feed_close(&f);
    ck_assert_uint_eq(n_ended, 1000);

    start(&f), f.conf.memcap = 64 * 1024, feed_open(&f);
    for (uint32_t i = 0; i < 1000; i++)
        feed_udp(&f, (struct side){ 0x0b000000 + i, 99 }, b, "x", 1);
    ck_assert_uint_le(f.w->pool.used, 64 * 1024);
    ck_assert_uint_gt(f.w->table.used, 100);
    feed_close(&f);
    ck_assert_uint_eq(f.tr.n_lease[0], 0);
}
END_TEST

/* A thousand hosts at random, with silences: everything that is seen, for one key and one batch
 * size. */
static uint32_t run(struct ended *out, uint64_t key, uint32_t batch)
{
    static uint8_t bytes[BATCH_MAX][64];
    struct ec_frame frame[BATCH_MAX], *list[BATCH_MAX];
    struct feed f;
    uint64_t rng = 12345;

    start(&f);
    f.conf.max_flows = 500;
    f.conf.key[0] = key;
    f.conf.key[1] = ~key;
    feed_open(&f);
    for (uint32_t done = 0, n; done < 30000; done += n) {
        for (n = 0; n < batch; n++) {
            struct ec_frame *r = list[n] = &frame[n];
            rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
            f.now_ns += (rng >> 33) % 400 == 0 ? 40 * SECOND : SECOND / 200;
            memset(r, 0, sizeof *r);
            r->size = sizeof *r, r->flags = EC_FR_REPLAY, r->data = bytes[n], r->ts_ns = f.now_ns,
            r->linktype = 101;
            r->count = done + n + 1;
            r->caplen = r->wirelen = rng >> 63
                ? build_udp(bytes[n], (struct side){ 1 + (rng >> 40) % 1000, 5 }, b, "q", 1)
                : build_udp(bytes[n], b, (struct side){ 1 + (rng >> 40) % 1000, 5 }, "answer", 6);
        }
        worker_prepare(f.w, list, n);
        for (uint32_t i = 0, verdict = 0; i < n; i++)
            worker_packet(f.w, i, &verdict);
        worker_idle(f.w, f.now_ns);
    }
    feed_close(&f);
    memcpy(out, ended, n_ended * sizeof *ended);
    return n_ended;
}

START_TEST(nothing_depends_on_key_or_batch)
{
    static struct ended one[100000], other[100000];
    uint32_t n = run(one, 1, 1);

    ck_assert_uint_gt(n, 5000);
    ck_assert_uint_eq(run(other, 2, 1), n);
    ck_assert(!memcmp(one, other, n * sizeof *one));
    ck_assert_uint_eq(run(other, 0x123456789abcdef, 60), n);
    ck_assert(!memcmp(one, other, n * sizeof *one));
    for (uint32_t i = 0; i < n; i++)
        ck_assert(one[i].id && one[i].id < UINT64_C(1) << 51);
}
END_TEST

static uint32_t dropped;
static void lease_drop(void *self, void *m)
{
    ck_assert_ptr_eq(self, &dropped);
    ck_assert_uint_eq(*(uint64_t *)m, 0);
    dropped++;
}

START_TEST(leases)
{
    struct feed f;

    start(&f);
    f.tr.n_lease[0] = 1;
    f.tr.lease[0][0] = (struct lease){ sizeof(struct flow), lease_drop, &dropped };
    f.tr.lease_bytes[0] = 24;
    feed_open(&f);
    dropped = 0;
    ck_assert_uint_eq(f.w->table.stride, sizeof(struct flow) + 32);
    for (uint16_t i = 0; i < 300; i++)
        feed_udp(&f, (struct side){ a.ip, (uint16_t)(1000 + i) }, b, "x", 1);
    feed_close(&f);
    ck_assert_uint_eq(dropped, 300);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flow");
    TCase *c = tcase_create("flow");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, both_directions);
    tcase_add_test(c, icmp_pairs);
    tcase_add_test(c, icmp_error);
    tcase_add_test(c, icmp_error_tcp);
    tcase_add_test(c, icmp_about);
    tcase_add_test(c, walk);
    tcase_add_test(c, vlans);
    tcase_add_test(c, timeout_at_look_up);
    tcase_add_test(c, swept);
    tcase_add_test(c, born_late);
    tcase_add_test(c, wild_clock);
    tcase_add_test(c, limits);
    tcase_add_test(c, nothing_depends_on_key_or_batch);
    tcase_add_test(c, leases);
    suite_add_tcase(s, c);
    return unit_run(s);
}
