/* Packets in packets: each tunnel is opened, counted, bounded and linked to what is around it; what is broken in it
 * is said. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };
static const struct side near = { 0xc0a80001, 5555 }, far = { 0xc0a80002, 4789 };

struct bytes { uint8_t d[4096]; uint32_t n; };
struct seen {
    uint32_t depth, flags, sport, dport, ip_proto, payload_len, wire;
    uint8_t payload[8], last;
    uint64_t flow;
};
static struct seen seen[64];
static uint32_t n_seen;

static void on_packet(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p)
{
    struct seen *s = &seen[n_seen++ % 64];

    (void)self, (void)w, (void)st, (void)gen;
    memset(s, 0, sizeof *s);
    s->depth = p->depth, s->flags = p->flags, s->sport = p->sport, s->dport = p->dport;
    s->ip_proto = p->ip_proto, s->payload_len = p->payload_len, s->last = p->src[15];
    s->flow = p->flow ? p->flow->id : 0;
    s->wire = ((struct packet *)(void *)p)->wire;
    if (p->payload != EC_NOOFF && p->payload_len)
        memcpy(s->payload, p->data + p->payload, p->payload_len < 8 ? p->payload_len : 8);
}
static const struct ec_inspector hooks = { .size = sizeof hooks, .name = "test", .packet = on_packet };

static void start(struct feed *f)
{
    n_seen = 0;
    feed_init(f);
    f->tr.inspectors = 1;
    f->tr.inspector[0].hooks = &hooks;
    feed_open(f);
}

static void add(struct bytes *b, const void *d, uint32_t n)
{
    memcpy(b->d + b->n, d, n);
    b->n += n;
}
#define ADD(b, ...) add((b), (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define ETHER MACS, 8, 0

static void add_udp(struct bytes *b)
{
    b->n += build_udp(b->d + b->n, client, server, "payload", 7);
}

/* The bytes so far become what an IPv4 packet of this protocol carries. */
static void wrap_ip(struct bytes *b, uint8_t proto)
{
    struct bytes o = { .n = 20 };

    o.d[0] = 0x45;
    o.d[2] = (uint8_t)((b->n + 20) >> 8), o.d[3] = (uint8_t)(b->n + 20);
    o.d[8] = 64, o.d[9] = proto;
    memcpy(o.d + 12, (uint8_t[]){ 192, 168, 0, 1, 192, 168, 0, 2 }, 8);
    add(&o, b->d, b->n);
    *b = o;
}

static void wrap_ip6(struct bytes *b, uint8_t next)
{
    struct bytes o = { .n = 40 };

    o.d[0] = 0x60;
    o.d[4] = (uint8_t)(b->n >> 8), o.d[5] = (uint8_t)b->n, o.d[6] = next, o.d[7] = 64;
    o.d[8] = o.d[24] = 0xfd, o.d[23] = 1, o.d[39] = 2;
    add(&o, b->d, b->n);
    *b = o;
}

static void wrap_udp(struct bytes *b, uint16_t port)
{
    struct bytes o = { .n = 0 };

    o.n = build_udp(o.d, near, (struct side){ far.ip, port }, b->d, b->n);
    *b = o;
}

static void feed_raw(struct feed *f, const struct bytes *b)
{
    feed_frame(f, 101, b->d, b->n);
}

static struct flow *flow_of(struct feed *f, uint64_t id)
{
    struct flow *one;
    uint32_t at = 0;

    while ((one = table_walk(&f->w->table, &at)) && one->pub.id != id)
        ;
    return one;
}

/* One packet around the UDP datagram of add_udp(). */
static void expect_inner(const struct bytes *b, uint8_t outer_proto, uint8_t kind, uint32_t wire)
{
    const struct flow *flow;
    struct feed f;

    start(&f);
    feed_raw(&f, b);
    ck_assert_uint_eq(n_seen, 2);
    ck_assert_uint_eq(seen[0].depth, 0);
    ck_assert_uint_eq(seen[0].ip_proto, outer_proto);
    ck_assert_uint_eq(seen[1].depth, 1);
    ck_assert(seen[1].flags & EC_PK_INNER);
    ck_assert_uint_eq(seen[1].sport, 40000);
    ck_assert_uint_eq(seen[1].payload_len, 7);
    ck_assert_mem_eq(seen[1].payload, "payload", 7);
    ck_assert_uint_eq(seen[1].wire, wire);
    ck_assert_uint_eq(f.w->cells[M_INNER], 1);
    ck_assert_uint_eq(f.w->cells[M_PKTS], 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    ck_assert_ptr_nonnull(flow = flow_of(&f, seen[1].flow));
    ck_assert_uint_eq(flow->pub.bytes[0], wire);
    ck_assert_ptr_nonnull(flow->more);
    ck_assert_uint_eq(flow->more->outer.kind, kind);
    ck_assert_uint_eq(flow->more->outer.ip_proto, outer_proto);
    ck_assert_uint_eq(flow->more->outer.src[15], 1);
    ck_assert_uint_eq(flow->more->outer.dst[15], 2);
    ck_assert_uint_eq(flow->more->outer.flow_id, seen[0].flow);
    ck_assert_uint_ne(seen[0].flow, seen[1].flow);
    feed_close(&f);
}

START_TEST(ip_in_ip)
{
    struct bytes b = { .n = 0 };

    add_udp(&b), wrap_ip(&b, 4), expect_inner(&b, 4, TUNNEL_IP, 35);
    b.n = 0, add_udp(&b), wrap_ip6(&b, 4), expect_inner(&b, 4, TUNNEL_IP, 35);
    /* 6in4, and IPv6 in IPv6 */
    b.n = 0, ADD(&b, 0x9c, 0x40, 0, 80, 0, 15, 0, 0), add(&b, "payload", 7), wrap_ip6(&b, 17);
    wrap_ip(&b, 41), expect_inner(&b, 41, TUNNEL_IP, 55);
    b.n = 0, ADD(&b, 0x9c, 0x40, 0, 80, 0, 15, 0, 0), add(&b, "payload", 7), wrap_ip6(&b, 17);
    wrap_ip6(&b, 41), expect_inner(&b, 41, TUNNEL_IP, 55);
}
END_TEST

START_TEST(gre)
{
    struct bytes b = { .n = 0 };

    ADD(&b, 0, 0, 8, 0), add_udp(&b), wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_GRE, 35);
    b.n = 0, ADD(&b, 0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, ETHER), add_udp(&b);
    wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_GRE, 49);
    /* a source route of one entry, and its end */
    b.n = 0, ADD(&b, 0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0), add_udp(&b);
    wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_GRE, 35);
    b.n = 0, ADD(&b, 0, 0, 0x81, 0, 0, 7, 8, 0), add_udp(&b), wrap_ip6(&b, 47), expect_inner(&b, 47, TUNNEL_GRE, 39);
    b.n = 0, ADD(&b, 0x30, 0x81, 0x88, 0x0b, 0, 37, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21), add_udp(&b);
    wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_PPTP, 39);
    /* ERSPAN I, II, III with a subheader */
    b.n = 0, ADD(&b, 0, 0, 0x88, 0xbe, ETHER), add_udp(&b), wrap_ip(&b, 47);
    expect_inner(&b, 47, TUNNEL_ERSPAN, 49);
    b.n = 0, ADD(&b, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 9, 0, 1, 0, 0, 0, 0, ETHER), add_udp(&b);
    wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_ERSPAN, 49);
    b.n = 0, ADD(&b, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
                 ETHER), add_udp(&b);
    wrap_ip(&b, 47), expect_inner(&b, 47, TUNNEL_ERSPAN, 49);
}
END_TEST

START_TEST(over_udp)
{
    struct bytes b = { .n = 0 };

    ADD(&b, 8, 0, 0, 0, 0, 0, 5, 0, ETHER), add_udp(&b), wrap_udp(&b, 4789);
    expect_inner(&b, 17, TUNNEL_VXLAN, 49);
    b.n = 0, ADD(&b, 1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 3, 4, ETHER), add_udp(&b), wrap_udp(&b, 6081);
    expect_inner(&b, 17, TUNNEL_GENEVE, 49);
    b.n = 0, ADD(&b, 0, 0, 8, 0, 0, 0, 5, 0), add_udp(&b), wrap_udp(&b, 6081);
    expect_inner(&b, 17, TUNNEL_GENEVE, 35);
    b.n = 0, ADD(&b, 0x30, 0xff, 0, 35, 0, 0, 0, 9), add_udp(&b), wrap_udp(&b, 2152);
    expect_inner(&b, 17, TUNNEL_GTP, 35);
    b.n = 0, ADD(&b, 0x34, 0xff, 0, 43, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 9, 0), add_udp(&b), wrap_udp(&b, 2152);
    expect_inner(&b, 17, TUNNEL_GTP, 35);
    b.n = 0, ADD(&b, 0x9c, 0x40, 0, 80, 0, 15, 0, 0), add(&b, "payload", 7), wrap_ip6(&b, 17), wrap_udp(&b, 3544);
    expect_inner(&b, 17, TUNNEL_TEREDO, 55);
}
END_TEST

START_TEST(teredo_indications)
{
    struct bytes b = { .n = 0 }, in = { .n = 0 };

    ADD(&in, 0x9c, 0x40, 0, 80, 0, 15, 0, 0), add(&in, "payload", 7), wrap_ip6(&in, 17);
    ADD(&b, 0, 1, 1, 2, 'i', 'a', 'u', 0, 0, 0, 0, 0, 0, 0, 0, 0), ADD(&b, 0, 0, 1, 2, 3, 4, 5, 6);
    add(&b, in.d, in.n), wrap_udp(&b, 3544);
    expect_inner(&b, 17, TUNNEL_TEREDO, 55);
}
END_TEST

/* Other protocols on these ports stay what they are: one packet, no anomaly. */
static void expect_plain(const struct bytes *b)
{
    struct feed f;

    start(&f);
    feed_raw(&f, b);
    ck_assert_uint_eq(n_seen, 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    feed_close(&f);
}

START_TEST(not_a_tunnel)
{
    static const uint16_t port[] = { 4789, 6081, 2152, 3544 };
    struct bytes b = { .n = 0 };

    for (uint32_t i = 0; i < 4; i++) {
        b.n = 0, ADD(&b, 'h', 'e', 'l', 'l', 'o'), wrap_udp(&b, port[i]), expect_plain(&b);
        b.n = 0, add(&b, (uint8_t[60]){ 0xff }, 60), wrap_udp(&b, port[i]), expect_plain(&b);
    }
    b.n = 0, ADD(&b, 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0), wrap_udp(&b, 2152), expect_plain(&b);  /* an echo */
    b.n = 0, ADD(&b, 0, 0, 0x20, 1, 1, 2, 3, 4), wrap_ip(&b, 47), expect_plain(&b);                 /* NHRP */
    b.n = 0, ADD(&b, 0x34, 0xff, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0x85, 9), wrap_udp(&b, 2152), expect_plain(&b);
}
END_TEST

static void expect_event(const struct bytes *b, uint32_t event, uint32_t packets)
{
    struct feed f;

    start(&f);
    feed_raw(&f, b);
    ck_assert_msg(f.w->cells[M_EVENT + event] == 1, "%s", event_name(event));
    ck_assert_msg(n_seen == packets, "%s: %u packets", event_name(event), n_seen);
    feed_close(&f);
}
#define ODD_GRE(event, ...) do { \
        struct bytes b_ = { .n = 0 }; \
        ADD(&b_, __VA_ARGS__), wrap_ip(&b_, 47), expect_event(&b_, (event), 1); \
    } while (0)

START_TEST(faults)
{
    struct bytes b = { .n = 0 };

    ODD_GRE(EV_GRE_PKT_TOO_SMALL, 0, 0, 8);
    ODD_GRE(EV_GRE_WRONG_VERSION, 0, 2, 8, 0);
    ODD_GRE(EV_GRE_VERSION0_RECUR, 1, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION0_FLAGS, 0, 8, 8, 0, 0x45);
    ODD_GRE(EV_GRE_VERSION0_HDR_TOO_BIG, 0xb0, 0, 8, 0, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION0_MALFORMED_SRE_HDR, 0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 9, 1);
    ODD_GRE(EV_GRE_VERSION1_CHKSUM, 0xa0, 1, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_ROUTE, 0x60, 1, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_SSR, 0x28, 1, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_RECUR, 0x21, 1, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_FLAGS, 0x20, 9, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_NO_KEY, 0, 1, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_WRONG_PROTOCOL, 0x20, 1, 8, 0, 0, 0, 0, 0);
    ODD_GRE(EV_GRE_VERSION1_HDR_TOO_BIG, 0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 0);
    ODD_GRE(EV_ERSPAN_HEADER_TOO_SMALL, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 9, 0);
    ODD_GRE(EV_ERSPAN_UNSUPPORTED_VERSION, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x30, 9, 0, 1, 0, 0, 0, 0);
    ADD(&b, 0x46, 0), wrap_ip6(&b, 4), expect_event(&b, EV_IPV4_IN_IPV6_PKT_TOO_SMALL, 1);
    b.n = 0, add(&b, (uint8_t[40]){ 0x60 }, 40), wrap_ip6(&b, 4), expect_event(&b, EV_IPV4_IN_IPV6_WRONG_IP_VER, 1);
    b.n = 0, ADD(&b, 0x60, 0), wrap_ip6(&b, 41), expect_event(&b, EV_IPV6_IN_IPV6_PKT_TOO_SMALL, 1);
    b.n = 0, add(&b, (uint8_t[40]){ 0x45 }, 40), wrap_ip6(&b, 41), expect_event(&b, EV_IPV6_IN_IPV6_WRONG_IP_VER, 1);
    b.n = 0, ADD(&b, 8, 0, 0, 0, 0, 0, 5, 0, MACS, 0x88, 0xcc, 1), wrap_udp(&b, 4789);
    expect_event(&b, EV_VXLAN_UNKNOWN_PAYLOAD_TYPE, 2);
    b.n = 0, ADD(&b, 0, 0, 0x88, 0xcc, 0, 0, 5, 0, 1), wrap_udp(&b, 6081);
    expect_event(&b, EV_GENEVE_UNKNOWN_PAYLOAD_TYPE, 1);
    /* what is inside is broken: the outer packet is not */
    b.n = 0, ADD(&b, 0, 0, 8, 0, 0x45, 0, 0), wrap_ip(&b, 47), expect_event(&b, EV_IPV4_PKT_TOO_SMALL, 2);
}
END_TEST

/* The port's, and not opened: no fault. */
static void expect_nothing(const struct bytes *b)
{
    struct feed f;

    start(&f), feed_raw(&f, b);
    ck_assert_uint_eq(n_seen, 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    feed_close(&f);
}

START_TEST(vxlan_generic)
{
    struct bytes b = { .n = 0 };

    ADD(&b, 0x0c, 0, 0, 1, 0, 0, 5, 0), add_udp(&b), wrap_udp(&b, 4790), expect_inner(&b, 17, TUNNEL_VXLAN_GPE, 35);
    b.n = 0, ADD(&b, 0x0c, 0, 0, 3, 0, 0, 5, 0, ETHER), add_udp(&b), wrap_udp(&b, 4790);
    expect_inner(&b, 17, TUNNEL_VXLAN_GPE, 49);
    b.n = 0, ADD(&b, 0x08, 0, 0, 0, 0, 0, 5, 0, ETHER), add_udp(&b), wrap_udp(&b, 4790);
    expect_inner(&b, 17, TUNNEL_VXLAN_GPE, 49);
    b.n = 0, ADD(&b, 0x0c, 0, 0, 5, 0, 0, 5, 0, 0, 1, 0x01, 64), add_udp(&b), wrap_udp(&b, 4790);
    expect_inner(&b, 17, TUNNEL_VXLAN_GPE, 39);
    b.n = 0, ADD(&b, 0x0c, 0, 0, 9, 0, 0, 5, 0), add_udp(&b), wrap_udp(&b, 4790);
    expect_event(&b, EV_VXLAN_UNKNOWN_PAYLOAD_TYPE, 1);
    b.n = 0, ADD(&b, 0x0d, 0, 0, 1, 0, 0, 5, 0), add_udp(&b), wrap_udp(&b, 4790), expect_nothing(&b);   /* OAM */
    b.n = 0, ADD(&b, 0x04, 0, 0, 1, 0, 0, 5, 0), add_udp(&b), wrap_udp(&b, 4790), expect_nothing(&b);
    b.n = 0, ADD(&b, 0x0c, 0, 0, 1, 0, 0, 5), wrap_udp(&b, 4790), expect_nothing(&b);
}
END_TEST

START_TEST(l2tp)
{
    struct bytes b = { .n = 0 };

    ADD(&b, 0, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21), add_udp(&b), wrap_udp(&b, 1701);
    expect_inner(&b, 17, TUNNEL_L2TP, 39);
    /* length, sequence numbers, an offset of two bytes; what stands behind the length is none of it */
    b.n = 0, ADD(&b, 0x4a, 2, 0, 53, 0, 7, 0, 9, 0, 1, 0, 2, 0, 2, 0, 0, 0, 0x21), add_udp(&b), ADD(&b, 1, 2);
    wrap_udp(&b, 1701), expect_inner(&b, 17, TUNNEL_L2TP, 37);
    b.n = 0, ADD(&b, 0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 0, 0, 0), wrap_udp(&b, 1701), expect_nothing(&b);   /* control */
    b.n = 0, ADD(&b, 0x40, 2, 0, 200, 0, 7, 0, 9, 0, 0x21), wrap_udp(&b, 1701), expect_nothing(&b);
    b.n = 0, ADD(&b, 2, 2, 0, 7, 0, 9, 0xff, 0xff, 0, 0x21), wrap_udp(&b, 1701), expect_nothing(&b);
    b.n = 0, ADD(&b, 2, 2, 0, 7, 0, 9, 0), wrap_udp(&b, 1701), expect_nothing(&b);
    b.n = 0, ADD(&b, 0, 4, 0, 7, 0, 9, 0, 0x21), wrap_udp(&b, 1701), expect_nothing(&b);
    /* version 3: no cookie; one of eight bytes and a sublayer; over IP with one of four */
    b.n = 0, ADD(&b, 0, 3, 0, 0, 0, 0, 0, 5, ETHER), add_udp(&b), wrap_udp(&b, 1701);
    expect_inner(&b, 17, TUNNEL_L2TP, 49);
    b.n = 0, ADD(&b, 0, 3, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, ETHER), add_udp(&b), wrap_udp(&b, 1701);
    expect_inner(&b, 17, TUNNEL_L2TP, 49);
    b.n = 0, ADD(&b, 0, 0, 0, 5, 1, 2, 3, 4, ETHER), add_udp(&b), wrap_ip(&b, 115);
    expect_inner(&b, 115, TUNNEL_L2TP, 49);
    b.n = 0, ADD(&b, 0, 0, 0, 5, MACS, 0x81, 0, 0, 5, 8, 0), add_udp(&b), wrap_ip(&b, 115);
    expect_inner(&b, 115, TUNNEL_L2TP, 53);
    b.n = 0, ADD(&b, 0, 0, 0, 0, ETHER), add_udp(&b), wrap_ip(&b, 115), expect_nothing(&b);             /* control */
    b.n = 0, ADD(&b, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9), wrap_ip(&b, 115), expect_nothing(&b);
}
END_TEST

START_TEST(erspan_vlans)
{
    struct bytes b = { .n = 0 }, tagged = { .n = 0 };
    struct feed f;

    ADD(&b, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 9, 0, 1, 0, 0, 0, 0, ETHER), add_udp(&b), wrap_ip(&b, 47);
    start(&f), feed_raw(&f, &b);
    ck_assert_uint_eq(flow_of(&f, seen[1].flow)->pub.vlans, 1);
    ck_assert_uint_eq(flow_of(&f, seen[1].flow)->pub.vlan[0], 9);
    feed_close(&f);
    ADD(&tagged, MACS, 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0), add(&tagged, b.d, b.n);
    start(&f), feed_frame(&f, 1, tagged.d, tagged.n);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_ERSPAN_TOO_MANY_VLAN_LAYERS], 1);
    ck_assert_uint_eq(n_seen, 2);
    feed_close(&f);
}
END_TEST

/* n packets around one: depth of them are opened, and the rest is said to be too much. */
START_TEST(depth)
{
    struct bytes b = { .n = 0 };
    struct feed f;

    add_udp(&b);
    for (uint32_t i = 0; i < TUNNEL_DEPTH; i++)
        wrap_ip(&b, 4);
    start(&f), feed_raw(&f, &b);
    ck_assert_uint_eq(n_seen, TUNNEL_DEPTH + 1);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_TOO_MANY_LAYERS], 0);
    ck_assert_uint_eq(f.w->table.used, TUNNEL_DEPTH + 1);      /* same addresses, but each another flow */
    ck_assert_uint_eq(flow_of(&f, seen[TUNNEL_DEPTH].flow)->more->outer.depth, TUNNEL_DEPTH);
    feed_close(&f);
    wrap_ip(&b, 4);
    start(&f), feed_raw(&f, &b);
    ck_assert_uint_eq(n_seen, TUNNEL_DEPTH + 1);
    ck_assert_uint_eq(f.w->cells[M_EVENT + EV_TOO_MANY_LAYERS], 1);
    feed_close(&f);
    start(&f), f.conf.decode.depth = 0, feed_raw(&f, &b);      /* not opened: no fault */
    ck_assert_uint_eq(n_seen, 1);
    ck_assert_uint_eq(f.w->cells[M_ANOMALY], 0);
    feed_close(&f);
}
END_TEST

/* The flow around may have to go for the flow inside: its number stays. */
START_TEST(no_room)
{
    struct bytes b = { .n = 0 };
    struct feed f;

    ADD(&b, 0, 0, 8, 0), add_udp(&b), wrap_ip(&b, 47);
    start(&f), f.conf.max_flows = 1, feed_raw(&f, &b);
    ck_assert_uint_eq(f.w->table.used, 1);
    ck_assert_uint_eq(flow_of(&f, seen[1].flow)->more->outer.flow_id, seen[0].flow);
    feed_close(&f);
}
END_TEST

/* A full batch of the deepest tunnels has room, and gives what single frames give. */
START_TEST(batches)
{
    struct ec_frame frame[BATCH_MAX], *list[BATCH_MAX];
    struct bytes b = { .n = 0 };
    uint32_t verdict = 0, each;
    struct seen alone;
    struct feed f;

    add_udp(&b);
    for (uint32_t i = 0; i < TUNNEL_DEPTH_MAX; i++)
        wrap_ip(&b, 4);
    start(&f), f.conf.decode.depth = TUNNEL_DEPTH_MAX, feed_raw(&f, &b);
    each = n_seen;
    alone = seen[each - 1];
    feed_close(&f);
    ck_assert_uint_eq(each, TUNNEL_DEPTH_MAX + 1);
    start(&f), f.conf.decode.depth = TUNNEL_DEPTH_MAX;
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        frame[i] = (struct ec_frame){ .size = sizeof frame[i], .flags = EC_FR_REPLAY, .data = b.d, .ts_ns = f.now_ns,
                                      .count = 1, .caplen = b.n, .wirelen = b.n, .linktype = 101 };
        list[i] = &frame[i];
    }
    worker_prepare(f.w, list, BATCH_MAX);
    for (uint32_t i = 0; i < BATCH_MAX; i++)
        worker_packet(f.w, i, &verdict);
    ck_assert_uint_eq(n_seen, each * BATCH_MAX);
    ck_assert_mem_eq(&seen[(n_seen - 1) % 64], &alone, sizeof alone);
    ck_assert_uint_eq(f.w->table.used, TUNNEL_DEPTH_MAX + 1);
    feed_close(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tunnel");
    TCase *c = tcase_create("tunnel");

    tcase_add_test(c, ip_in_ip);
    tcase_add_test(c, gre);
    tcase_add_test(c, over_udp);
    tcase_add_test(c, vxlan_generic);
    tcase_add_test(c, l2tp);
    tcase_add_test(c, teredo_indications);
    tcase_add_test(c, not_a_tunnel);
    tcase_add_test(c, faults);
    tcase_add_test(c, erspan_vlans);
    tcase_add_test(c, depth);
    tcase_add_test(c, no_room);
    tcase_add_test(c, batches);
    suite_add_tcase(s, c);
    return unit_run(s);
}
