/* Decoding: broken headers of every layer, cut captures, and nothing read outside the captured bytes. */
#include "tests/unit/unit.h"

#include "tests/unit/decode_bytes.h"

START_TEST(broken_headers)
{
    struct bytes b = { .n = 0 };

    EXPECT_BAD(raw_udp(0, 0x35, 0), EV_IPRAW_INVALID_IPV);
    EXPECT_BAD(raw_udp(0, 0x44, 0), EV_IPV4_HLEN_TOO_SMALL);
    EXPECT_BAD(raw_udp(3, 19, 0), EV_IPV4_IPLEN_SMALLER_THAN_HLEN);
    EXPECT_BAD(raw_udp(3, 200, 0), EV_IPV4_TRUNC_PKT);
    EXPECT_BAD(raw_udp(3, 27, 0), EV_UDP_HLEN_TOO_SMALL);
    EXPECT_BAD(raw_udp(25, 7, 0), EV_UDP_LEN_INVALID);
    EXPECT_BAD(raw_udp(25, 99, 0), EV_UDP_PKT_TOO_SMALL);
    EXPECT_BAD(raw_udp(999, 0, 19), EV_IPV4_PKT_TOO_SMALL);
    EXPECT_BAD(raw_udp(9, 58, 0), EV_IPV4_WITH_ICMPV6);
    EXPECT_BAD(raw_tcp(32, 4 << 4, 0), EV_TCP_HLEN_TOO_SMALL);
    EXPECT_BAD(raw_tcp(32, 15 << 4, 0), EV_TCP_INVALID_OPTLEN);
    EXPECT_BAD(raw_tcp(999, 0, 39), EV_TCP_PKT_TOO_SMALL);
    EXPECT(raw_tcp(32, 6 << 4, 0), EV_TCP_OPT_INVALID_LEN);        /* 'a' 'b' is no option */
    ADD(&b, MACS, 8);
    EXPECT_BAD(decode(1, &b, b.n, 0), EV_ETHERNET_PKT_TOO_SMALL);
    b.n = 0, ADD(&b, MACS, 0x81, 0, 0);
    EXPECT_BAD(decode(1, &b, b.n, 0), EV_VLAN_HEADER_TOO_SMALL);
    b.n = 0, ADD(&b, MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x81, 0, 0, 4, 8, 0);
    EXPECT_BAD(decode(1, &b, b.n, 0), EV_VLAN_TOO_MANY_LAYERS);
    EXPECT_BAD(decode(113, &b, 15, 0), EV_SLL_PKT_TOO_SMALL);
    EXPECT_BAD(decode(276, &b, 19, 0), EV_SLL2_PKT_TOO_SMALL);
    EXPECT_BAD(decode(0, &b, 3, 0), EV_LTNULL_PKT_TOO_SMALL);
    b.d[0] = 99;
    EXPECT_BAD(decode(0, &b, 12, 0), EV_LTNULL_UNSUPPORTED_TYPE);
    b.d[0] = 0;
    EXPECT_BAD(decode(9, &b, 1, 0), EV_PPP_PKT_TOO_SMALL);
}
END_TEST

START_TEST(snaplen)
{
    struct bytes b = { .n = 0 };
    struct packet p;
    uint32_t wire = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefgh", 8);

    p = decode(101, &b, 44, wire);  /* four bytes of payload are there */
    ck_assert((p.what & PK_KEY) && (p.what & PK_CUT));
    ck_assert_uint_eq(p.pub.payload_len, 4);
    ck_assert_uint_eq(p.whole_payload, 8);
    b.n = 0, add_ip6(&b, 60, 17), ADD(&b, 17, 0, 5, 2, 0, 0, 0, 0), ADD(&b, UDP6);
    p = decode(229, &b, 44, b.n);   /* and so it is within an extension header */
    ck_assert_uint_eq(p.events, 0);
    ck_assert((p.what & PK_CUT) && !(p.what & (PK_KEY | PK_BAD)));
    wire = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefgh", 8);
    p = decode(101, &b, 30, wire);  /* cut within the TCP header: no fault of the packet */
    ck_assert_uint_eq(p.events, 0);
    ck_assert(!(p.what & (PK_KEY | PK_BAD)));
}
END_TEST

static uint64_t rng_state = 88172645463325252u;
static uint32_t rng(uint32_t n)
{
    rng_state ^= rng_state << 13, rng_state ^= rng_state >> 7, rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 11) % n;
}

static void hostile_carrier(struct bytes *b)
{
    static const uint8_t type[][2] = { { 0x88, 0xe7 }, { 0x88, 0x47 }, { 0x88, 0x63 }, { 0x88, 0x64 }, { 0x65, 0x58 },
                                       { 0x89, 0x26 }, { 0x89, 3 }, { 8, 6 }, { 0, 40 } };

    ADD(b, MACS);
    for (uint32_t k = rng(6) + 1; k; k--)
        add(b, type[rng(9)], 2), ADD(b, 0, 1, 0x50, 64, MACS);
    ADD(b, 8, 0);
}

static void hostile_wlan(struct bytes *b, uint32_t link)
{
    if (link == 127)
        ADD(b, 0, 0, 16, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20, 0, 0, 0);
    ADD(b, (uint8_t)(8 | rng(2) << 7), (uint8_t)rng(4), ADDR3, 0x80, 0, MACS, 0, 51, SNAP_IP);
}

/* Damaged frames of every link type, cut anywhere: offsets stay inside. (A sanitizer sees reads
 * outside.) */
START_TEST(hostile)
{
    static const uint32_t link[] = { 0, 1, 9, 12, 50, 101, 108, 113, 228, 229, 276, 51, 104, 105, 119, 127, 163,
                                     192, 219 };
    static const uint8_t sll[16] = { [14] = 8, [15] = 0 };

    for (uint32_t i = 0; i < 200000; i++) {
        struct bytes b = { .n = 0 };
        uint32_t l = link[rng(sizeof link / sizeof *link)], n;
        struct packet p;
        if (l == 1 && rng(2))
            ADD(&b, MACS, 0x81, 0, 0, 1, 8, 0);
        else if (l == 1)
            hostile_carrier(&b);
        if (l == 105 || l == 127)
            hostile_wlan(&b, l);
        if (l == 113)
            add(&b, sll, 16);
        if (l == 229) {
            add_ip6(&b, (uint8_t[]){ 0, 43, 44, 51, 60, 17, 6, 58 }[rng(8)], 33);
            ADD(&b, 60, 0, 1, 4, 0, 0, 0, 0), ADD(&b, 44, 0, 1, 4, 0, 0, 0, 0),
                ADD(&b, 17, 0, 2, 0, 0, 0, 0, 0), ADD(&b, UDP6);
        } else if (rng(2)) {
            b.n += build_tcp(b.d + b.n, client, server, TCP_ACK, 1, 2, "abcdefghijklmnopqrst", 20);
            b.d[b.n - 28] = (uint8_t)(rng(16) << 4);
        } else {
            add_udp(&b);
        }
        for (uint32_t k = rng(4); k; k--)
            b.d[rng(b.n)] = (uint8_t)rng(256);
        n = rng(3) ? b.n : rng(b.n + 1);
        p = decode(l, &b, n, rng(2) ? b.n : n);
        if (p.pub.payload != EC_NOOFF)
            ck_assert_uint_le(p.pub.payload + p.pub.payload_len, n);
        if (p.pub.l4 != EC_NOOFF)
            ck_assert_uint_le(p.pub.l4, n);
        ck_assert(!((p.what & PK_KEY) && (p.what & PK_BAD)));
        ck_assert_uint_le(p.events, PACKET_EVENTS);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode");
    TCase *c = tcase_create("decode");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, broken_headers);
    tcase_add_test(c, snaplen);
    tcase_add_test(c, hostile);
    suite_add_tcase(s, c);
    return unit_run(s);
}
