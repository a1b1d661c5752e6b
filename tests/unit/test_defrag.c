/* Fragments: whatever their order, a datagram comes out as it was sent; overlaps go by the policy; memory and time
 * have bounds, and what is lost is counted. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/unit/traffic_frames.h"

#define SECOND UINT64_C(1000000000)
#define DATA_MAX 66000

static struct {
    uint32_t n, flags, depth, len, payload_len, sport, wire;
    uint8_t payload[DATA_MAX], bytes[DATA_MAX];
} got;
static uint32_t n_seen;

/* Keeps the last packet that belongs to a flow. */
static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    (void)self, (void)w, (void)st, (void)gen;
    n_seen++;
    if (!p->flow)
        return;
    got.n++;
    got.flags = p->flags;
    got.depth = p->depth;
    got.len = p->len;
    got.payload_len = p->payload_len;
    got.sport = p->sport;
    got.wire = ((struct packet *)(void *)p)->wire;
    if (p->len <= DATA_MAX)
        memcpy(got.bytes, p->data, p->len);
    if (p->payload_len)
        memcpy(got.payload, p->data + p->payload, p->payload_len);
}
static const struct ec_inspector hooks = { .size = sizeof hooks, .name = "test", .packet = on_packet };

static void start(struct feed *f)
{
    memset(&got, 0, sizeof got);
    n_seen = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
    feed_open(f);
}

static void put16(uint8_t *d, uint32_t v) { d[0] = (uint8_t)(v >> 8), d[1] = (uint8_t)v; }

/* Bytes [off, end) of a datagram whose data are d. */
static uint32_t build4(uint8_t *out, uint32_t id, const uint8_t *d, uint32_t off, uint32_t end, bool more,
                       uint8_t proto)
{
    memset(out, 0, 20);
    out[0] = 0x45, out[8] = 64, out[9] = proto;
    put16(out + 2, 20 + end - off);
    put16(out + 4, id);
    put16(out + 6, off / 8 | (more ? 0x2000 : 0));
    memcpy(out + 12, (uint8_t[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
    put16(out + 10, sum_end(sum_add(0, out, 20)));
    memcpy(out + 20, d + off, end - off);
    return 20 + end - off;
}

/* The same in IPv6, behind a destination options header. */
static uint32_t build6(uint8_t *out, uint32_t id, const uint8_t *d, uint32_t off, uint32_t end, bool more, uint8_t nh)
{
    static const uint8_t options[8] = { 44, 0, 4, 1, 5, 1, 1, 0 };

    memset(out, 0, 56);
    out[0] = 0x60, out[6] = 60, out[7] = 64;
    put16(out + 4, 16 + end - off);
    out[8] = out[24] = 0xfd, out[23] = 1, out[39] = 2;
    memcpy(out + 40, options, 8);
    out[48] = nh;
    put16(out + 50, off | more);
    put16(out + 54, id);
    memcpy(out + 56, d + off, end - off);
    return 56 + end - off;
}

static void feed4(struct feed *f, uint32_t id, const uint8_t *d, uint32_t off, uint32_t end, bool more)
{
    feed_frame(f, 101, f->bytes, build4(f->bytes, id, d, off, end, more, 17));
}

static void feed6(struct feed *f, uint32_t id, const uint8_t *d, uint32_t off, uint32_t end, bool more)
{
    feed_frame(f, 101, f->bytes, build6(f->bytes, id, d, off, end, more, 17));
}

static uint64_t rng_state = 88172645463325252u;
static uint32_t rng(uint32_t n)
{
    rng_state ^= rng_state << 13, rng_state ^= rng_state >> 7, rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 11) % n;
}

/* A UDP datagram of n bytes in all. */
static void fill(uint8_t *d, uint32_t n)
{
    for (uint32_t i = 8; i < n; i++)
        d[i] = (uint8_t)rng(256);
    put16(d, 4000), put16(d + 2, 53), put16(d + 4, n), put16(d + 6, 0);
}

static void expect(const uint8_t *d, uint32_t n, uint32_t datagrams)
{
    ck_assert_uint_eq(got.n, datagrams);
    ck_assert_uint_eq(got.sport, 4000);
    ck_assert_uint_eq(got.payload_len, n - 8);
    ck_assert_mem_eq(got.payload, d + 8, n - 8);
}

START_TEST(in_order)
{
    uint8_t d[100];
    struct feed f;

    fill(d, 100);
    start(&f);
    feed4(&f, 1, d, 0, 48, true), feed4(&f, 1, d, 48, 96, true);
    ck_assert_uint_eq(got.n, 0);
    ck_assert_uint_eq(n_seen, 2);   /* the fragments themselves */
    feed4(&f, 1, d, 96, 100, false);
    expect(d, 100, 1);
    ck_assert(got.flags & EC_PK_DEFRAG);
    ck_assert_uint_eq(got.len, 120);
    ck_assert_uint_eq(got.wire, 120);
    ck_assert_mem_eq(got.bytes, ((uint8_t[]){ 0x45, 0, 0, 120, 0, 1, 0, 0 }), 8);
    ck_assert_uint_eq(sum_end(sum_add(0, got.bytes, 20)), 0);
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_WHOLE], 1);
    ck_assert_uint_eq(f.w->cells[M_FRAGS], 3);
    ck_assert_uint_eq(f.w->defrag.pool.used, 0);
    feed6(&f, 1, d, 0, 48, true), feed6(&f, 1, d, 48, 100, false);
    expect(d, 100, 2);
    ck_assert_uint_eq(got.len, 40 + 8 + 100);
    ck_assert_mem_eq(got.bytes + 4, ((uint8_t[]){ 0, 108, 60 }), 3);
    ck_assert_uint_eq(got.bytes[40], 17);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    feed_close(&f);
}
END_TEST

/* Random cuts, orders and duplicates of datagrams that are under way at once. */
START_TEST(property)
{
    enum { AT_ONCE = 4, CUTS = 40 };
    static uint8_t d[AT_ONCE][DATA_MAX];
    struct feed f;

    start(&f);
    for (uint32_t round = 0; round < 3000; round++) {
        struct { uint32_t who, off, end; bool more; } part[AT_ONCE * CUTS];
        uint32_t size[AT_ONCE], parts = 0, before = got.n;
        bool six = rng(2);
        for (uint32_t k = 0; k < AT_ONCE; k++) {
            size[k] = 8 + rng(round % 50 ? 2000 : 65400);
            fill(d[k], size[k]);
            for (uint32_t off = 0, left = CUTS; off < size[k]; left--) {
                uint32_t n = left == 1 ? size[k] - off : 8 * (1 + rng(size[k] / 100 + 2));
                n = n > size[k] - off ? size[k] - off : n;
                part[parts].who = k, part[parts].off = off, part[parts].end = off += n;
                part[parts++].more = off < size[k];
            }
        }
        for (uint32_t i = parts; i > 1; i--) {
            uint32_t j = rng(i);
            typeof(part[0]) t = part[i - 1];
            part[i - 1] = part[j], part[j] = t;
        }
        for (uint32_t i = 0; i < parts; i++) {
            uint32_t k = part[i].who, n = got.n;
            (six ? feed6 : feed4)(&f, (round * AT_ONCE + k) & 0xffff, d[k], part[i].off, part[i].end, part[i].more);
            if (got.n != n && size[k] > 8)
                expect(d[k], size[k], n + 1);
        }
        ck_assert_uint_eq(got.n, before + AT_ONCE);
    }
    ck_assert_uint_eq(f.w->defrag.pool.used, 0);
    feed_close(&f);
}
END_TEST

/* Where fragment 'b' overlaps 'a' as named, whose byte stands in the overlap? a: units 2 and 3 (16 to 32). */
START_TEST(policies)
{
    static const struct { uint32_t off, end; char want[POLICIES + 1]; } overlap[] = {
        /* first, last, bsd, bsd_right, linux, windows, solaris */
        { 16, 32, "ababbaa" }, { 8, 24, "abbabaa" }, { 24, 40, "ababaaa" }, { 8, 40, "abbabbb" },
        { 8, 32, "abbabab" }, { 16, 40, "ababbaa" }, { 24, 32, "ababaaa" }, { 16, 24, "ababbaa" } };

    for (uint32_t i = 0; i < sizeof overlap / sizeof *overlap; i++)
        for (uint32_t policy = 0; policy < POLICIES; policy++) {
            uint8_t d[48], a[48], b[48];
            uint32_t from = overlap[i].off > 16 ? overlap[i].off : 16;
            struct feed f;
            fill(d, 48);
            memset(a, 'a', 48), memset(b, 'b', 48);
            start(&f), f.conf.defrag_policy = policy;
            feed4(&f, 9, a, 16, 32, true), feed4(&f, 9, b, overlap[i].off, overlap[i].end, true);
            feed4(&f, 9, d, 0, 8, true), feed4(&f, 9, a, 8, 16, true);      /* the rest: more overlaps, elsewhere */
            feed4(&f, 9, a, 32, 40, true), feed4(&f, 9, d, 40, 48, false);
            ck_assert_uint_eq(got.n, 1);
            ck_assert_msg(got.payload[from - 8] == (uint8_t)overlap[i].want[policy], "%u to %u, policy %u: %c",
                          overlap[i].off, overlap[i].end, policy, got.payload[from - 8]);
            ck_assert_uint_ge(f.w->cells[M_EVENT + EV_IPV4_FRAG_OVERLAP], 1);
            feed_close(&f);
        }
}
END_TEST

START_TEST(bounds)
{
    static uint8_t d[DATA_MAX];
    struct feed f;

    fill(d, 200);
    start(&f);
    f.conf.defrag_timeout = 10 * SECOND;
    feed4(&f, 1, d, 0, 48, true);
    f.now_ns += 11 * SECOND;
    feed4(&f, 1, d, 48, 200, false);                /* too late: another datagram by now */
    ck_assert_uint_eq(got.n, 0);
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_TIMEOUT], 1);
    feed4(&f, 1, d, 0, 48, true);                   /* which is whole with this */
    expect(d, 200, 1);
    f.conf.defrag_memcap = 100000;
    for (uint32_t i = 0; i < 1000; i++)
        feed4(&f, 100 + i, d, 0, 48, true);
    ck_assert_uint_le(f.w->defrag.pool.used, 100000);
    ck_assert_uint_gt(f.w->cells[M_DEFRAG_MEMORY], 900);
    feed4(&f, 1099, d, 48, 200, false);             /* the newest one is still there */
    expect(d, 200, 2);
    feed4(&f, 100, d, 48, 200, false);              /* the oldest one is not */
    ck_assert_uint_eq(got.n, 2);
    feed_close(&f);
}
END_TEST

START_TEST(end_of_source)
{
    uint8_t d[64];
    struct feed f;

    fill(d, 64);
    start(&f);
    feed4(&f, 1, d, 0, 48, true);
    feed4(&f, 2, d, 0, 48, true);
    while (worker_finish(f.w, EC_STAGE_END_SOURCE)) {}
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_END], 2);
    ck_assert_uint_eq(f.w->defrag.pool.used, 0);
    feed4(&f, 1, d, 48, 64, false);                 /* the next capture knows nothing of it */
    ck_assert_uint_eq(got.n, 0);
    feed_close(&f);
}
END_TEST

#define EXPECT_EVENT(f, event) ck_assert_msg((f)->w->cells[M_EVENT + (event)] == 1, "%s", event_name(event))

START_TEST(faults)
{
    static uint8_t d[DATA_MAX];
    struct feed f;

    fill(d, 200);
    start(&f);
    feed4(&f, 1, d, 65512, 65520, false), EXPECT_EVENT(&f, EV_IPV4_FRAG_PKT_TOO_LARGE);
    feed6(&f, 1, d, 65528, 65536, true), EXPECT_EVENT(&f, EV_IPV6_FRAG_PKT_TOO_LARGE);
    feed6(&f, 1, d, 0, 13, true), EXPECT_EVENT(&f, EV_IPV6_FRAG_INVALID_LENGTH);
    feed4(&f, 2, d, 0, 64, true), feed4(&f, 2, d, 8, 32, false), EXPECT_EVENT(&f, EV_IPV4_FRAG_IGNORED);
    feed6(&f, 2, d, 64, 72, false), feed6(&f, 2, d, 72, 80, true), EXPECT_EVENT(&f, EV_IPV6_FRAG_IGNORED);
    feed6(&f, 3, d, 0, 16, true), feed6(&f, 3, d, 8, 32, true), EXPECT_EVENT(&f, EV_IPV6_FRAG_OVERLAP);
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_IGNORED], 5);
    feed4(&f, 4, d, 0, 13, true);                   /* broken, but not for Linux, which takes the whole units */
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_IGNORED], 6);
    f.conf.defrag_policy = POLICY_LINUX;
    feed4(&f, 5, d, 0, 13, true), feed4(&f, 5, d, 8, 200, false);
    expect(d, 200, 1);
    feed_close(&f);
}
END_TEST

/* Other fields than the identification tell datagrams apart, too. */
START_TEST(keys)
{
    uint8_t d[64], other[64], frame[128];
    struct feed f;

    fill(d, 64), fill(other, 64);
    start(&f);
    feed4(&f, 7, d, 0, 48, true);
    feed_frame(&f, 101, frame, build4(frame, 7, other, 48, 64, false, 6));
    ck_assert_uint_eq(got.n, 0);
    for (uint32_t vlan = 1; vlan < 3; vlan++) {
        uint32_t n = build4(frame + 18, 8, d, vlan == 1 ? 0 : 48, vlan == 1 ? 48 : 64, vlan == 1, 17);
        memcpy(frame, (uint8_t[18]){ [12] = 0x81, [15] = (uint8_t)vlan, [16] = 8 }, 18);
        feed_frame(&f, 1, frame, 18 + n);
    }
    ck_assert_uint_eq(got.n, 0);
    memcpy(frame, (uint8_t[18]){ [12] = 0x81, [15] = 1, [16] = 8 }, 18);
    feed_frame(&f, 1, frame, 18 + build4(frame + 18, 8, d, 48, 64, false, 17));
    expect(d, 64, 1);
    ck_assert_uint_eq(got.len, 18 + 20 + 64);       /* with the link header of the first fragment */
    feed_close(&f);
}
END_TEST

/* A tunnel whose outer packets are fragments, around fragments. */
START_TEST(tunnels)
{
    uint8_t d[200], inner[300], gre[300];
    struct feed f;
    uint32_t n;

    fill(d, 200);
    start(&f);
    for (uint32_t part = 0; part < 2; part++) {
        n = 4 + build4(inner + 4, 5, d, part ? 96 : 0, part ? 200 : 96, !part, 17);
        memcpy(inner, (uint8_t[]){ 0, 0, 8, 0 }, 4);
        feed_frame(&f, 101, gre, build4(gre, 10 + part, inner, 0, 64, true, 47));
        feed_frame(&f, 101, gre, build4(gre, 10 + part, inner, 64, n, false, 47));
    }
    expect(d, 200, 3);              /* two of GRE, and the one inside */
    ck_assert_uint_eq(got.depth, 1);
    ck_assert(got.flags & EC_PK_INNER);
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_WHOLE], 3);
    ck_assert_uint_eq(f.w->cells[M_INNER], 2);
    ck_assert_uint_eq(f.w->defrag.pool.used, 0);
    feed_close(&f);
}
END_TEST

/* Fragments of fragments of …: IPv6 allows it, so there is an end to it. Each level's only fragment is its last one;
 * the first ones have been sent before. */
START_TEST(nested)
{
    static uint8_t d[4000], front[8];
    uint32_t n = 8, levels = DEFRAG_NESTED + 3;
    struct feed f;

    start(&f);
    for (uint32_t i = levels; i; i--) {             /* the first eight bytes of each: the next fragment header */
        memset(front, 0, 8);
        front[0] = i == levels ? 17 : 44;
        put16(front + 2, 8), put16(front + 6, 100 + i);
        if (i > 1)
            feed_frame(&f, 101, f.bytes, build6(f.bytes, 100 + i - 1, front, 0, 8, true, 44));
    }
    feed6(&f, 100 + levels, d, 0, 8, true);
    fill(d, 16);
    feed_frame(&f, 101, f.bytes, build6(f.bytes, 101, d, 8, 8 + n, false, 44));
    ck_assert_uint_eq(f.w->cells[M_DEFRAG_WHOLE], DEFRAG_NESTED);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_TOO_MANY_LAYERS], 1);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("defrag");
    TCase *c = tcase_create("defrag");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, in_order);
    tcase_add_test(c, property);
    tcase_add_test(c, policies);
    tcase_add_test(c, bounds);
    tcase_add_test(c, end_of_source);
    tcase_add_test(c, faults);
    tcase_add_test(c, keys);
    tcase_add_test(c, tunnels);
    tcase_add_test(c, nested);
    suite_add_tcase(s, c);
    return unit_run(s);
}
