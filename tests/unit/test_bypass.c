/* Flows that nobody looks at any more: when that begins, what is still known of them, and that none hides another. */
#include "tests/unit/unit.h"

#include "plugins/traffic/flow/bypass.h"
#include "plugins/traffic/proto/app.h"
#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };
static const uint8_t bytes[1000];
static uint32_t packets, ends, chunk_ends[2], parsed;
static uint64_t streamed;

static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)self, (void)w, (void)st, (void)gen, (void)p;
    packets++;
}
static void on_chunk(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k)
{
    (void)self, (void)w, (void)st, (void)gen, (void)f;
    streamed += k->len;
    chunk_ends[k->dir] += !!(k->flags & EC_CH_END);
}
static void on_end(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason)
{
    (void)self, (void)w, (void)st, (void)gen, (void)f, (void)reason;
    ends++;
}
static const struct ec_inspector hooks = {
    .size = sizeof hooks, .name = "test", .packet = on_packet, .chunk = on_chunk, .flow_end = on_end };

/* A protocol of which nothing can be read behind its first bytes, 's'. */
static int32_t secret_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    (void)n, (void)dir;
    return *d == 's' ? EC_YES : EC_NO;
}
static int64_t secret_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    (void)self, (void)state;
    parsed++;
    if (k->dir == EC_TO_CLIENT)
        tx_opaque(c);
    return k->len;
}
static const struct ec_proto secret = {
    .size = sizeof secret, .name = "secret", .hints = "tcp/80 udp/80", .probe = secret_probe, .parse = secret_parse };

static void start(struct feed *f)
{
    packets = ends = chunk_ends[0] = chunk_ends[1] = parsed = 0;
    streamed = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
    f->conf.anomalies = false;
    feed_open(f);
}

static void handshake(struct feed *f, uint32_t isn)
{
    feed_tcp(f, client, server, TCP_SYN, isn, 0, NULL, 0);
    feed_tcp(f, server, client, TCP_SYN | TCP_ACK, isn + 500, isn + 1, NULL, 0);
    feed_tcp(f, client, server, TCP_ACK, isn + 1, isn + 501, NULL, 0);
}

static void download(struct feed *f, uint32_t isn, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        feed_tcp(f, server, client, TCP_ACK, isn + 501 + i * 1000, isn + 1, bytes, 1000);
}

static uint32_t why(const struct flow *f)
{
    return f->bypass ? f->bypass->why : BYPASS_NONE;
}

static struct flow *only_flow(struct feed *f)
{
    uint32_t at = 0;
    struct flow *flow = table_walk(&f->w->table, &at);

    ck_assert_ptr_nonnull(flow);
    ck_assert_ptr_null(table_walk(&f->w->table, &at));
    return flow;
}

/* Over the limit with its 11th packet, looked at with each 8th of a direction. */
START_TEST(a_large_one)
{
    struct feed f;
    struct flow *g;

    start(&f);
    f.conf.bypass_bytes = 10500;
    handshake(&f, UINT32_MAX - 20000);
    download(&f, UINT32_MAX - 20000, 0, 14);
    g = only_flow(&f);
    ck_assert_uint_eq(why(g), BYPASS_NONE);      /* 15 packets of the server's, looked at at the 8th */
    ck_assert_uint_eq(streamed, 14000);
    download(&f, UINT32_MAX - 20000, 14, 20);       /* over the wrap of its sequence numbers */
    ck_assert_uint_eq(why(g), BYPASS_BYTES);
    ck_assert_uint_eq(streamed, 14000);
    ck_assert_uint_eq(packets, 3 + 14);
    ck_assert_uint_eq(chunk_ends[1], 1);
    ck_assert_uint_eq(chunk_ends[0], 0);            /* which had no byte */
    ck_assert_uint_eq(g->pub.pkts[1], 35);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_LARGE], 1);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_PKTS], 17);       /* as of the 32nd */
    ck_assert_uint_eq(f.w->cells[M_STREAM_DROPPED], 0);
    feed_close(&f);
    ck_assert_uint_eq(f.w ? ends : 0, 1);
}
END_TEST

START_TEST(counted_at_the_end)
{
    struct feed f;

    start(&f);
    f.conf.bypass_bytes = 1;
    handshake(&f, 100);
    download(&f, 100, 0, 12);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_PKTS], 0);        /* the 8th is the first; the 16th did not come */
    while (worker_finish(f.w, 0)) {}
    ck_assert_uint_eq(f.w->cells[M_BYPASS_PKTS], 6);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_BYTES], 6 * 1040);
    ck_assert_uint_eq(f.w->cells[M_FLOW_SHUTDOWN], 1);
    ck_assert_uint_eq(ends, 1);
    worker_close(f.w);
}
END_TEST

/* Its end is seen as that of any other. */
static void close_it(struct feed *f, uint32_t isn, uint32_t sent)
{
    uint32_t at = isn + 501 + sent * 1000;

    feed_tcp(f, server, client, TCP_FIN | TCP_ACK, at, isn + 1, NULL, 0);
    ck_assert_uint_eq(only_flow(f)->tcp_state, TCPS_FIN_WAIT1);
    feed_tcp(f, client, server, TCP_FIN | TCP_ACK, isn + 1, at + 1, NULL, 0);
    ck_assert_uint_eq(only_flow(f)->tcp_state, TCPS_TIME_WAIT);
    feed_tcp(f, server, client, TCP_ACK, at + 1, isn + 2, NULL, 0);
    ck_assert_uint_eq(only_flow(f)->tcp_state, TCPS_CLOSED);
    ck_assert_uint_eq(only_flow(f)->pub.state, EC_FLOW_CLOSED);
}

START_TEST(its_end)
{
    struct feed f;

    start(&f);
    f.conf.bypass_bytes = 1;
    handshake(&f, 100);
    download(&f, 100, 0, 30000);                    /* more than the window that acknowledgements are believed in */
    close_it(&f, 100, 30000);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    handshake(&f, 7000);                            /* a new connection, which is looked at */
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_NONE);
    ck_assert_uint_eq(f.w->cells[M_FLOW_REUSED], 1);
    feed_close(&f);
}
END_TEST

/* The same where stream.depth ended the looking. */
START_TEST(end_behind_the_depth)
{
    struct feed f;

    start(&f);
    f.conf.depth[0] = 5000;
    handshake(&f, 100);
    download(&f, 100, 0, 30000);
    close_it(&f, 100, 30000);
    ck_assert_uint_eq(streamed, 5000);
    feed_close(&f);
}
END_TEST

START_TEST(resets)
{
    struct feed f;

    start(&f);
    f.conf.bypass_bytes = 1;
    handshake(&f, 100);
    download(&f, 100, 0, 20);
    feed_tcp(&f, server, client, TCP_RST | TCP_ACK, 900, 101, NULL, 0);
    ck_assert_uint_eq(only_flow(&f)->pub.state, EC_FLOW_ESTABLISHED);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_SUSPECTED_RST_INJECT], 1);
    feed_tcp(&f, server, client, TCP_RST | TCP_ACK, 601 + 20000, 101, NULL, 0);
    ck_assert_uint_eq(only_flow(&f)->pub.state, EC_FLOW_CLOSED);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_STREAM_SUSPECTED_RST_INJECT], 1);
    feed_close(&f);
}
END_TEST

/* A connection that takes over the addresses of a bypassed one is looked at. */
START_TEST(none_hides_another)
{
    struct feed f;

    start(&f);
    f.conf.bypass_bytes = 1;
    handshake(&f, 100);
    download(&f, 100, 0, 20);
    handshake(&f, 900000);                          /* both ends have left the old one */
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_NONE);
    feed_close(&f);

    start(&f);                                      /* its beginning was not seen */
    f.conf.bypass_bytes = 1;
    download(&f, 100, 0, 20);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_BYTES);
    handshake(&f, 900000);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_NONE);
    feed_tcp(&f, client, server, TCP_ACK, 900001, 900501, "evil", 4);
    ck_assert_uint_eq(streamed, 4);
    feed_close(&f);
}
END_TEST

/* What waits for an earlier segment is given back. */
START_TEST(what_waits)
{
    struct feed f;

    start(&f);
    handshake(&f, 100);
    download(&f, 100, 0, 1);
    download(&f, 100, 2, 5);
    ck_assert_uint_gt(f.w->segments.used, 0);
    f.conf.bypass_bytes = 1;
    download(&f, 100, 7, 1);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_BYTES);
    ck_assert_uint_eq(f.w->segments.used, 0);
    ck_assert_uint_eq(f.w->cells[M_STREAM_GAPS], 0);
    ck_assert_uint_eq(streamed, 1000);
    feed_close(&f);
}
END_TEST

START_TEST(datagrams)
{
    struct feed f;

    start(&f);
    f.conf.bypass_bytes = 5000;
    for (uint32_t i = 0; i < 20; i++)
        feed_udp(&f, client, server, bytes, 1000);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_BYTES);
    ck_assert_uint_eq(packets, 7);
    feed_close(&f);
    ck_assert_uint_eq(ends, 1);
}
END_TEST

static void talk(struct feed *f, bool bypass)
{
    start(f);
    ck_assert_int_eq(registry_proto(&f->tr, NULL, &secret, NULL, NULL), EC_OK);
    f->conf.bypass_encrypted = bypass;
    handshake(f, 100);
    feed_tcp(f, client, server, TCP_ACK, 101, 601, "shello", 6);
    ck_assert(!only_flow(f)->opaque);
    feed_tcp(f, server, client, TCP_ACK, 601, 107, "shello", 6);
    ck_assert(only_flow(f)->opaque);
    ck_assert(!only_flow(f)->app);
    for (uint32_t i = 0; i < 20; i++)
        feed_tcp(f, server, client, TCP_ACK, 607 + i, 107, "x", 1);
    ck_assert_uint_eq(parsed, 2);
}

START_TEST(encrypted)
{
    struct feed f;

    talk(&f, false);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_NONE);
    ck_assert_uint_eq(packets, 25);
    ck_assert_uint_eq(streamed, 32);
    feed_close(&f);
    registry_free(&f.tr);
    talk(&f, true);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_ENCRYPTED);
    ck_assert_uint_eq(packets, 3 + 2 + 5);
    ck_assert_uint_eq(f.w->cells[M_BYPASS_ENCRYPTED], 1);
    feed_close(&f);
    registry_free(&f.tr);
}
END_TEST

/* The option counts from the next look on, also for flows that live already. */
START_TEST(while_it_lives)
{
    struct feed f;

    start(&f);
    handshake(&f, 100);
    download(&f, 100, 0, 100);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_NONE);
    f.conf.bypass_bytes = 1;
    download(&f, 100, 100, 8);
    ck_assert_uint_eq(why(only_flow(&f)), BYPASS_BYTES);
    f.conf.bypass_bytes = 0;                        /* what is bypassed stays so */
    download(&f, 100, 108, 8);
    ck_assert_uint_eq(packets, 3 + 100 + 2);
    feed_close(&f);
}
END_TEST

static uint64_t rng_state;
static uint32_t rng(uint32_t n)     /* 0 … n − 1; xorshift64* */
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return (uint32_t)((rng_state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static void anything(struct feed *f)
{
    static const uint8_t flags[] = { TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK,
                                     TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK };
    struct side from = client, to = server;
    uint32_t seq = 100, ack = 600, n = rng(4) ? rng(200) : 0;

    from.port = (uint16_t)(from.port + rng(4));
    if (rng(2)) {
        from = server, to = client;
        to.port = (uint16_t)(to.port + rng(4));
        seq = 600, ack = 100;
    }
    f->now_ns += rng(100) ? 1000 : UINT64_C(70000000000);
    if (rng(5))
        feed_tcp(f, from, to, flags[rng(sizeof flags)], seq + rng(3000), ack + rng(3000), bytes, n);
    else
        feed_udp(f, from, to, bytes, n);
}

/* Whatever comes: each flow ends once, all that was borrowed is given back, and nobody sees what is bypassed. */
START_TEST(any_packets)
{
    struct feed f;

    for (uint32_t seed = 1; seed <= 200; seed++) {
        rng_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        start(&f);
        f.conf.midstream = seed & 1;
        f.conf.depth[0] = seed & 2 ? 1000 : 0;
        for (uint32_t i = 0; i < 1000; i++) {
            if (!rng(50))
                f.conf.bypass_bytes = rng(3) * 3000;
            anything(&f);
        }
        while (worker_finish(f.w, 0)) {}
        ck_assert_msg(f.w->pool.used == 0 && f.w->segments.used == 0, "seed %u: memory", seed);
        ck_assert_msg(ends == f.w->cells[M_FLOWS], "seed %u: %u ends", seed, ends);
        ck_assert_msg(packets + f.w->cells[M_BYPASS_PKTS] == 1000, "seed %u: %u and %u packets", seed, packets,
                      (uint32_t)f.w->cells[M_BYPASS_PKTS]);
        ck_assert_msg(f.w->cells[M_BYPASS_LARGE] > 0, "seed %u: nothing was bypassed", seed);
        worker_close(f.w);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bypass");
    TCase *c = tcase_create("bypass");

    tcase_add_test(c, a_large_one);
    tcase_add_test(c, counted_at_the_end);
    tcase_add_test(c, its_end);
    tcase_add_test(c, end_behind_the_depth);
    tcase_add_test(c, resets);
    tcase_add_test(c, none_hides_another);
    tcase_add_test(c, what_waits);
    tcase_add_test(c, datagrams);
    tcase_add_test(c, encrypted);
    tcase_add_test(c, while_it_lives);
    tcase_add_test(c, any_packets);
    suite_add_tcase(s, c);
    return unit_run(s);
}
