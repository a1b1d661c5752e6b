/* Decoding: TCP, UDP, ICMP and smaller protocols, their checksums and options. */
#include "tests/unit/unit.h"

#include "tests/unit/decode_bytes.h"

START_TEST(checksums)
{
    struct bytes b = { .n = 0 };
    struct packet p;
    uint16_t sum;

    add_udp(&b);
    p = decode(101, &b, b.n, 0);
    ck_assert(!(p.pub.flags & EC_PK_BADSUM));       /* UDP without a checksum */
    b.d[10] ^= 1;
    EXPECT(decode(101, &b, b.n, 0), EV_IPV4_BADSUM);
    b.d[10] ^= 1;
    b.d[26] = 0x12, b.d[27] = 0x34;
    EXPECT(decode(101, &b, b.n, 0), EV_UDP_BADSUM);
    b.d[26] = b.d[27] = 0;          /* the right one, from the definition */
    sum = sum_end(sum_add(sum_add(sum_add(0, b.d + 12, 8), (const uint8_t[]){0, 17, 0, 15}, 4),
                          b.d + 20, 15));
    b.d[26] = (uint8_t)(sum >> 8), b.d[27] = (uint8_t)sum;
    p = decode(101, &b, b.n, 0);
    ck_assert(!(p.pub.flags & EC_PK_BADSUM));
    b.d[34] ^= 1;
    EXPECT(decode(101, &b, b.n, 0), EV_UDP_BADSUM);
}
END_TEST

/* A host leaves the sum of the pseudo header where its network card is to put the checksum. */
START_TEST(offloaded)
{
    struct bytes b = { .n = 0 };
    struct packet p;
    uint16_t sum;

    b.n = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefgh", 8);
    sum = (uint16_t)~sum_end(sum_add(sum_add(0, b.d + 12, 8), (const uint8_t[]){ 0, 6, 0, 28 }, 4));
    b.d[36] = (uint8_t)(sum >> 8), b.d[37] = (uint8_t)sum;
    p = decode(101, &b, b.n, 0);
    ck_assert_uint_eq(p.events, 0);
    ck_assert((p.what & PK_OFFLOAD) && !(p.pub.flags & EC_PK_BADSUM));
    sum = (uint16_t)~sum_end(sum_add(sum_add(0, b.d + 12, 8), (const uint8_t[]){ 0, 6, 0, 0 }, 4));
    b.d[36] = (uint8_t)(sum >> 8), b.d[37] = (uint8_t)sum;      /* which is to cut it into segments, too */
    ck_assert(decode(101, &b, b.n, 0).what & PK_OFFLOAD);
    b.d[37] ^= 1;
    EXPECT(decode(101, &b, b.n, 0), EV_TCP_BADSUM);
}
END_TEST

#define ICMP4(...) ip4_of(1, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
static struct packet icmp6_of(uint8_t hop_limit, const uint8_t *d, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_ip6(&b, 58, n);
    b.d[7] = hop_limit;
    add(&b, d, n);
    return decode(229, &b, b.n, 0);
}
#define ICMP6(hops, ...) icmp6_of((hops), (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
#define ABOUT4 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2

START_TEST(icmp_types)
{
    struct bytes b = { .n = 0 };
    struct packet p;

    add_udp(&b);
    b.d[9] = 1;
    b.d[20] = 3, b.d[21] = 16;
    EXPECT(decode(101, &b, b.n, 0), EV_ICMPV4_UNKNOWN_CODE);
    b.d[20] = 200;
    EXPECT(decode(101, &b, b.n, 0), EV_ICMPV4_UNKNOWN_TYPE);
    b.d[20] = 8, b.d[21] = 0;
    p = decode(101, &b, b.n, 0);
    ck_assert_uint_eq(p.pub.sport, 8);
    ck_assert_uint_eq(p.pub.payload_len, 7);
    ck_assert(p.what & PK_KEY);
}
END_TEST

START_TEST(icmp_about)
{
    uint8_t six[8 + 40 + 8] = { 1, 4, [8] = 0x60, [14] = 17, [48] = 0x9c, 0x40, 0, 53 };
    struct packet p;

    p = ICMP4(3, 3, 0, 0, 0, 0, 0, 0, ABOUT4, 0x9c, 0x40, 0, 53, 0, 0, 0, 0);
    ck_assert(p.what & PK_ICMP_ABOUT);
    ck_assert_uint_eq(p.icmp.sport, 40000);
    ck_assert_uint_eq(p.icmp.dport, 53);
    ck_assert_uint_eq(p.icmp.proto, 17);
    ck_assert(!(ICMP4(8, 0, 0, 0, 0, 0, 0, 0, ABOUT4, 0x9c, 0x40, 0, 53, 0, 0, 0, 0).what & PK_ICMP_ABOUT));
    EXPECT(ICMP4(11, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 0), EV_ICMPV4_IPV4_TRUNC_PKT);
    EXPECT(ICMP4(3, 0, 0, 0, 0, 0, 0, 0, 0x4f, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2),
           EV_ICMPV4_IPV4_TRUNC_PKT);
    EXPECT(ICMP4(3, 0, 0, 0, 0, 0, 0, 0, 0x65, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2),
           EV_ICMPV4_IPV4_UNKNOWN_VER);
    p = icmp6_of(64, six, sizeof six);
    ck_assert(p.what & PK_ICMP_ABOUT);
    ck_assert_uint_eq(p.icmp.dport, 53);
    EXPECT(icmp6_of(64, six, 40), EV_ICMPV6_IPV6_TRUNC_PKT);
    six[8] = 0x40;
    EXPECT(icmp6_of(64, six, sizeof six), EV_ICMPV6_IPV6_UNKNOWN_VER);
    EXPECT(ICMP6(64, 131, 0, 0, 0, 0, 0, 0, 0), EV_ICMPV6_MLD_MESSAGE_WITH_INVALID_HL);
    p = ICMP6(1, 131, 0, 0, 0, 0, 0, 0, 0);
    ck_assert(!has(&p, EV_ICMPV6_MLD_MESSAGE_WITH_INVALID_HL));
    EXPECT(ICMP6(64, 50, 0, 0, 0), EV_ICMPV6_UNASSIGNED_TYPE);
    EXPECT(ICMP6(64, 100, 0, 0, 0), EV_ICMPV6_EXPERIMENTATION_TYPE);
    EXPECT(ICMP6(64, 255, 0, 0, 0), EV_ICMPV6_UNKNOWN_TYPE);
}
END_TEST

START_TEST(icmp_faults)
{
    struct packet p;

    EXPECT_BAD(ip4_of(1, (const uint8_t[]){ 8, 0, 0, 0 }, 4), EV_ICMPV4_PKT_TOO_SMALL);
    EXPECT_BAD(icmp6_of(64, (const uint8_t[]){ 128, 0 }, 2), EV_ICMPV6_PKT_TOO_SMALL);
    EXPECT(ICMP6(64, 3, 9, 0, 0), EV_ICMPV6_UNKNOWN_CODE);
    EXPECT(ICMP4(8, 0, 1, 2, 3, 4, 5, 6), EV_ICMP_BADSUM);
    p = ICMP4(8, 0, 0xf7, 0xff, 0, 0, 0, 0);
    ck_assert(!has(&p, EV_ICMP_BADSUM));
}
END_TEST

START_TEST(small_protocols)
{
    struct bytes b = { .n = 0 };
    struct packet p;

    EXPECT_BAD(ip4_of(2, (const uint8_t[]){ 0x11, 0 }, 2), EV_IGMP_PKT_TOO_SMALL);
    EXPECT_BAD(ip4_of(50, (const uint8_t[]){ 0, 0, 0, 1 }, 4), EV_ESP_PKT_TOO_SMALL);
    EXPECT_BAD(ip4_of(132, (const uint8_t[]){ 0, 0, 0, 1 }, 4), EV_SCTP_PKT_TOO_SMALL);
    p = ip4_of(50, (const uint8_t[]){ 0, 0, 0, 1, 0, 0, 0, 1 }, 8);
    ck_assert(p.what & PK_KEY);
    b.n = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefghabcdefghabcdefgh", 24);
    b.d[2] = b.d[3] = 0;            /* what a large send looks like before the card cuts it */
    p = decode(101, &b, b.n, 0);
    ck_assert((p.what & PK_KEY) && (p.what & PK_OFFLOAD));
    ck_assert_uint_eq(p.pub.payload_len, 24);
    EXPECT_BAD(raw_udp(3, 0, 0), EV_IPV4_IPLEN_SMALLER_THAN_HLEN);
}
END_TEST

/* Options in a TCP header with no data behind it. */
static struct packet options_tcp(const uint8_t *o, uint32_t n)
{
    struct bytes b = { .n = 0 };

    b.n = build_tcp(b.d, client, server, TCP_SYN, 1, 0, o, n);
    b.d[32] = (uint8_t)((20 + n) / 4 << 4);
    return decode(101, &b, b.n, 0);
}
#define OPTIONS_TCP(...) options_tcp((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

START_TEST(options_of_tcp)
{
    struct packet p = OPTIONS_TCP(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 15);

    ck_assert(!has(&p, EV_TCP_OPT_INVALID_LEN) && (p.what & PK_TIMESTAMP));
    ck_assert_uint_eq(p.ts_val, 7);
    ck_assert_uint_eq(p.ts_ecr, 9);
    ck_assert_uint_eq(p.wscale, 14);
    p = OPTIONS_TCP(1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2);
    ck_assert(!has(&p, EV_TCP_OPT_INVALID_LEN));
    EXPECT(OPTIONS_TCP(1, 1, 5, 6, 0, 0, 0, 1), EV_TCP_OPT_INVALID_LEN);
    EXPECT(OPTIONS_TCP(2, 3, 1, 0), EV_TCP_OPT_INVALID_LEN);
    EXPECT(OPTIONS_TCP(3, 3, 15, 0), EV_TCP_OPT_WSCALE_OVER_MAX);
    EXPECT(OPTIONS_TCP(19, 3, 1, 0), EV_TCP_OPT_INVALID_LEN);
    EXPECT(OPTIONS_TCP(34, 3, 1, 0), EV_TCP_OPT_INVALID_LEN);
    EXPECT(OPTIONS_TCP(3, 3, 1, 3, 3, 1, 0, 0), EV_TCP_OPT_DUPLICATE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode-transport");
    TCase *c = tcase_create("decode-transport");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, checksums);
    tcase_add_test(c, offloaded);
    tcase_add_test(c, icmp_types);
    tcase_add_test(c, icmp_about);
    tcase_add_test(c, icmp_faults);
    tcase_add_test(c, small_protocols);
    tcase_add_test(c, options_of_tcp);
    suite_add_tcase(s, c);
    return unit_run(s);
}
