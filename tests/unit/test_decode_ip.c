/* Decoding: IPv4 and IPv6, their options, extension headers and fragments. */
#include "tests/unit/unit.h"

#include "tests/unit/decode_bytes.h"

START_TEST(ipv6_extensions)
{
    struct bytes b = { .n = 0 };
    struct packet p;

    add_ip6(&b, 0, 8 + 8 + 8 + 9);
    ADD(&b, 60, 0, 5, 2, 0, 0, 0, 0), ADD(&b, 43, 0, 4, 1, 5, 1, 1, 0),
        ADD(&b, 17, 0, 2, 0, 0, 0, 0, 0), ADD(&b, UDP6);
    p = decode(229, &b, b.n, 0);
    ck_assert(p.what & PK_KEY);
    ck_assert_uint_eq(p.pub.dport, 53);
    ck_assert_uint_eq(p.pub.payload_len, 1);
    ck_assert_uint_eq(p.events, 0);
    b.d[40 + 16 + 2] = 0;           /* routing type 0 */
    EXPECT(decode(229, &b, b.n, 0), EV_IPV6_EXTHDR_RH_TYPE_0);
    b.d[41] = 200;                  /* an extension longer than the packet */
    EXPECT_BAD(decode(229, &b, b.n, 0), EV_IPV6_TRUNC_EXTHDR);
    EXPECT_BAD(decode(229, &b, 39, 0), EV_IPV6_PKT_TOO_SMALL);
    EXPECT_BAD(decode(229, &b, 60, 0), EV_IPV6_TRUNC_PKT);

    b.n = 0, add_ip6(&b, 0, 20 * 8);
    for (int i = 0; i < 20; i++)
        ADD(&b, 0, 0, 1, 4, 0, 0, 0, 0);
    p = decode(229, &b, b.n, 0);
    ck_assert(has(&p, EV_IPV6_EXTHDR_DUPL_HH) && !(p.what & PK_KEY) && (p.what & PK_BAD));

    b.n = 0, add_ip6(&b, 59, 1), ADD(&b, 1);
    EXPECT(decode(229, &b, b.n, 0), EV_IPV6_DATA_AFTER_NONE_HEADER);
    b.n = 0, add_ip6(&b, 1, 8), ADD(&b, 8, 0, 0, 0, 0, 0, 0, 0);
    EXPECT_BAD(decode(229, &b, b.n, 0), EV_IPV6_WITH_ICMPV4);
}
END_TEST

START_TEST(fragments)
{
    struct bytes b = { .n = 0 };
    struct packet p;

    add_udp(&b);
    b.d[5] = 7, b.d[6] = 0x20;      /* the first of several: its headers are not looked into */
    p = decode(101, &b, b.n, 0);
    ck_assert_uint_eq(p.what & (PK_FRAGMENT | PK_KEY), PK_FRAGMENT);
    ck_assert_uint_eq(p.pub.l4, EC_NOOFF);
    ck_assert(p.frag.more && p.frag.off == 0 && p.frag.id == 7);
    ck_assert_uint_eq(p.frag.at, 20);
    ck_assert_uint_eq(p.frag.end, b.n);
    b.d[6] = 0, b.d[7] = 3;         /* the last one */
    p = decode(101, &b, b.n, 0);
    ck_assert(!p.frag.more && p.frag.off == 24);
    b.n = 0, add_ip6(&b, 60, 16 + 9), ADD(&b, 44, 0, 1, 4, 0, 0, 0, 0), ADD(&b, 17, 0, 0, 9, 0, 0, 0, 9);
    ADD(&b, UDP6);
    p = decode(229, &b, b.n, 0);
    ck_assert_uint_eq(p.what & (PK_FRAGMENT | PK_KEY), PK_FRAGMENT);
    ck_assert_uint_eq(p.pub.ip_proto, PROTO_UDP);
    ck_assert(p.frag.more && p.frag.off == 8 && p.frag.id == 9 && p.frag.nh == 17);
    ck_assert_uint_eq(p.frag.cut, 48);
    ck_assert_uint_eq(p.frag.at, 56);
    ck_assert_uint_eq(p.frag.nh_at, 40);
    b.d[51] = 15;
    EXPECT(decode(229, &b, b.n, 0), EV_IPV6_FH_NON_ZERO_RESERVED_FIELD);
    b.d[51] = 0;                    /* alone: a datagram as good as any */
    p = decode(229, &b, b.n, 0);
    ck_assert((p.what & PK_KEY) && !(p.what & PK_FRAGMENT) && has(&p, EV_IPV6_EXTHDR_USELESS_FH));
}
END_TEST

/* An IPv4 header with these options (padded to whole words), and a UDP datagram behind it. */
static struct packet options4(const uint8_t *o, uint32_t n)
{
    struct bytes b = { .n = 0 };
    uint32_t room = (n + 3) / 4 * 4;

    add_udp(&b);
    memmove(b.d + 20 + room, b.d + 20, 15);
    memset(b.d + 20, 0, room);
    memcpy(b.d + 20, o, n);
    b.d[0] = (uint8_t)(0x45 + room / 4);
    b.d[3] = (uint8_t)(35 + room);
    return decode(101, &b, b.n + room, 0);
}
#define OPTIONS4(...) options4((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
/* The sums of these frames are wrong, which is not the matter here. */
#define EXPECT_FINE4(p) do { struct packet p_ = (p); ck_assert(p_.events == 1 && has(&p_, EV_IPV4_BADSUM)); } while (0)

START_TEST(options_of_ipv4)
{
    EXPECT_FINE4(OPTIONS4(0x94, 4, 0, 0));
    EXPECT_FINE4(OPTIONS4(7, 7, 4, 0, 0, 0, 0));
    EXPECT_FINE4(OPTIONS4(0x44, 12, 13, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    EXPECT(OPTIONS4(0x94, 4, 0, 0, 0x94, 4, 0, 0), EV_IPV4_OPT_DUPLICATE);
    EXPECT(OPTIONS4(0x99, 4, 0, 0), EV_IPV4_OPT_UNKNOWN);
    EXPECT(OPTIONS4(0x94, 3, 0), EV_IPV4_OPT_INVALID_LEN);
    EXPECT(OPTIONS4(0x94, 9, 0, 0), EV_IPV4_OPT_INVALID_LEN);
    EXPECT(OPTIONS4(1, 1, 1, 0x94), EV_IPV4_OPT_EOL_REQUIRED);
    EXPECT(OPTIONS4(7, 6, 4, 0, 0, 0), EV_IPV4_OPT_INVALID_LEN);
    EXPECT(OPTIONS4(7, 7, 3, 0, 0, 0, 0), EV_IPV4_OPT_MALFORMED);
    EXPECT(OPTIONS4(0x83, 7, 12, 0, 0, 0, 0), EV_IPV4_OPT_MALFORMED);
    EXPECT(OPTIONS4(0x44, 8, 5, 2, 0, 0, 0, 0), EV_IPV4_OPT_MALFORMED);
    EXPECT(OPTIONS4(0x44, 8, 6, 0, 0, 0, 0, 0), EV_IPV4_OPT_MALFORMED);
    EXPECT(OPTIONS4(0x86, 6, 0, 0, 0, 0), EV_IPV4_OPT_MALFORMED);
}
END_TEST

/* A hop-by-hop or destination options header of eight bytes before a UDP datagram. */
static struct packet options6(uint8_t type, const uint8_t o[6])
{
    struct bytes b = { .n = 0 };

    add_ip6(&b, type, 8 + 9), ADD(&b, 17, 0), add(&b, o, 6), ADD(&b, UDP6);
    return decode(229, &b, b.n, 0);
}
#define OPTIONS6(type, ...) options6((type), (const uint8_t[6]){__VA_ARGS__})

START_TEST(options_of_ipv6)
{
    struct bytes b = { .n = 0 };

    ck_assert_uint_eq(OPTIONS6(0, 5, 2, 0, 0, 0, 0).events, 0);
    EXPECT(OPTIONS6(0, 0x3e, 4, 0, 0, 0, 0), EV_IPV6_HOPOPTS_UNKNOWN_OPT);
    EXPECT(OPTIONS6(60, 0x3e, 4, 0, 0, 0, 0), EV_IPV6_DSTOPTS_UNKNOWN_OPT);
    EXPECT(OPTIONS6(0, 1, 4, 0, 0, 0, 0), EV_IPV6_HOPOPTS_ONLY_PADDING);
    EXPECT(OPTIONS6(60, 0, 0, 0, 0, 0, 0), EV_IPV6_DSTOPTS_ONLY_PADDING);
    EXPECT(OPTIONS6(60, 1, 0, 1, 2, 0, 0), EV_IPV6_ZERO_LEN_PADN);
    EXPECT(OPTIONS6(60, 5, 3, 0, 0, 0, 0), EV_IPV6_EXTHDR_INVALID_OPTLEN);
    EXPECT(OPTIONS6(60, 4, 9, 0, 0, 0, 0), EV_IPV6_EXTHDR_INVALID_OPTLEN);
    add_ip6(&b, 44, 8), ADD(&b, 17, 0, 0, 0, 0, 0, 0, 1);
    EXPECT_BAD(decode(229, &b, b.n, 0), EV_IPV6_TRUNC_EXTHDR);          /* nothing behind it */
    b.n = 0, add_ip6(&b, 200, 4), ADD(&b, 1, 2, 3, 4);
    EXPECT(decode(229, &b, b.n, 0), EV_IPV6_UNKNOWN_NEXT_HEADER);
}
END_TEST

/* Extension headers of these types, eight bytes each, then a UDP datagram. */
static struct packet extensions(const uint8_t *type, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_ip6(&b, type[0], n * 8 + 9);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t h[8] = { i + 1 < n ? type[i + 1] : 17 };
        if (type[i] == 0 || type[i] == 60)
            h[2] = 5, h[3] = 2;     /* an option that says something */
        if (type[i] == 43)
            h[2] = 2;
        if (type[i] == 51)
            h[3] = i == 0;          /* two words less than its length: eight bytes; reserved bits in the first one */
        add(&b, h, 8);
    }
    ADD(&b, UDP6);
    return decode(229, &b, b.n, 0);
}
#define EXTENSIONS(...) extensions((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

START_TEST(repeated_extensions)
{
    EXPECT(EXTENSIONS(44, 44), EV_IPV6_EXTHDR_DUPL_FH);
    EXPECT(EXTENSIONS(43, 43), EV_IPV6_EXTHDR_DUPL_RH);
    EXPECT(EXTENSIONS(60, 60, 60), EV_IPV6_EXTHDR_DUPL_DH);
    ck_assert_uint_eq(EXTENSIONS(60, 43, 60).events, 0);        /* twice is right */
    EXPECT(EXTENSIONS(51, 51), EV_IPV6_EXTHDR_DUPL_AH);
    EXPECT(EXTENSIONS(51), EV_IPV6_EXTHDR_AH_RES_NOT_NULL);
    EXPECT_BAD(EXTENSIONS(60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60),
               EV_IPV6_EXTHDR_TOO_MANY);
}
END_TEST

/* An authentication header is no end: what it protects is read. */
START_TEST(authentication_in_ipv4)
{
    static const uint8_t ah[] = { 17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    static const uint8_t udp[] = { 0x9c, 0x40, 0, 80, 0, 15, 0, 0, 'p', 'a', 'y', 'l', 'o', 'a', 'd' };
    uint8_t d[5 * sizeof ah + sizeof udp];
    uint32_t n = sizeof ah + sizeof udp;
    struct packet p;

    memcpy(d, ah, sizeof ah), memcpy(d + sizeof ah, udp, sizeof udp);
    p = ip4_of(51, d, n);
    ck_assert((p.what & PK_KEY) && p.events == 1 && has(&p, EV_IPV4_BADSUM));   /* the header's, made by hand */
    ck_assert_uint_eq(p.pub.ip_proto, PROTO_UDP);
    ck_assert_uint_eq(p.pub.dport, 80);
    ck_assert_uint_eq(p.pub.payload_len, 7);
    p = ip4_of(51, d, 11);          /* cut, or longer than the packet: not opened */
    ck_assert(p.pub.ip_proto == PROTO_AH && (p.what & PK_KEY));
    d[1] = 99, p = ip4_of(51, d, n);
    ck_assert(p.pub.ip_proto == PROTO_AH && p.pub.payload_len == n);
    d[1] = 0, p = ip4_of(51, d, n);
    ck_assert(p.pub.ip_proto == PROTO_AH);
    for (uint32_t i = 0; i < 5; i++) {
        memcpy(d + i * sizeof ah, ah, sizeof ah);
        d[i * sizeof ah] = i < 4 ? PROTO_AH : PROTO_UDP;
    }
    memcpy(d + 5 * sizeof ah, udp, sizeof udp);
    p = ip4_of(51, d, sizeof d);    /* one too many */
    ck_assert(p.pub.ip_proto == PROTO_AH && p.pub.payload_len == sizeof ah + sizeof udp);
}
END_TEST

START_TEST(wrong_versions)          /* where something else named the version */
{
    BROKEN(1, EV_IPV4_WRONG_IP_VER, MACS, 8, 0, 0x65, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    BROKEN(1, EV_IPV6_WRONG_IP_VER, MACS, 0x86, 0xdd, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode-ip");
    TCase *c = tcase_create("decode-ip");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, ipv6_extensions);
    tcase_add_test(c, fragments);
    tcase_add_test(c, options_of_ipv4);
    tcase_add_test(c, options_of_ipv6);
    tcase_add_test(c, repeated_extensions);
    tcase_add_test(c, authentication_in_ipv4);
    tcase_add_test(c, wrong_versions);
    suite_add_tcase(s, c);
    return unit_run(s);
}
