/* Decoding: every link layer, every way to be malformed, and nothing read outside the captured
 * bytes. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/unit/traffic_frames.h"

static const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };

struct bytes { uint8_t d[4096]; uint32_t n; };

static void add(struct bytes *b, const void *d, uint32_t n)
{
    memcpy(b->d + b->n, d, n);
    b->n += n;
}
#define ADD(b, ...) add((b), (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static void add_udp(struct bytes *b)
{
    b->n += build_udp(b->d + b->n, client, server, "payload", 7);
}

/* An IPv6 header; the extension headers and an 8-byte UDP header with one byte of payload follow by
 * hand. */
static void add_ip6(struct bytes *b, uint8_t next, uint32_t len)
{
    uint8_t h[40] = { 0x60 };

    h[4] = (uint8_t)(len >> 8), h[5] = (uint8_t)len, h[6] = next, h[7] = 64;
    h[8] = 0xfd, h[23] = 1, h[24] = 0xfd, h[39] = 2;
    add(b, h, 40);
}
#define UDP6 0x9c, 0x40, 0, 53, 0, 9, 0, 0, 'x'

/* The frame in an exact allocation. wire: its length on the wire, 0: the same. */
static struct packet decode(uint32_t link, const struct bytes *b, uint32_t n, uint32_t wire)
{
    struct ec_frame f = {
        .size = sizeof f, .caplen = n, .wirelen = wire ? wire : n, .linktype = link};
    uint8_t *copy = malloc(n ? n : 1);
    struct packet p;

    memcpy(copy, b->d, n);
    f.data = copy;
    decode_frame(&p, &f, true);
    p.pub.frame = NULL;
    free(copy);
    return p;
}

static bool has(const struct packet *p, uint32_t event)
{
    for (uint32_t i = 0; i < p->events; i++)
        if (p->event[i] == event)
            return true;
    return false;
}

static void expect_udp(uint32_t link, const struct bytes *b, uint32_t vlans)
{
    struct packet p = decode(link, b, b->n, 0);

    ck_assert_msg(p.what & PK_KEY, "link %u", link);
    ck_assert_uint_eq(p.pub.ip_proto, PROTO_UDP);
    ck_assert_uint_eq(p.pub.sport, 40000);
    ck_assert_uint_eq(p.pub.dport, 80);
    ck_assert_uint_eq(p.pub.payload_len, 7);
    ck_assert_uint_eq(p.whole_payload, 7);
    ck_assert_mem_eq(b->d + p.pub.payload, "payload", 7);
    ck_assert_uint_eq(p.vlans, vlans);
    ck_assert_uint_eq(p.events, 0);
    ck_assert_uint_eq(p.pub.src[15], 1);
    ck_assert_uint_eq(p.pub.dst[15], 2);
}

#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2

START_TEST(links)
{
    static const uint8_t sll[16] = { [14] = 8, [15] = 0 }, sll2[20] = { 8, 0 };
    struct bytes b = { .n = 0 };

    ADD(&b, MACS, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    ADD(&b, 0, 0, 0, 0), expect_udp(1, &b, 0);      /* padding of the frame is no payload */
    b.n = 0, ADD(&b, MACS, 0x81, 0, 0x20, 5, 8, 0), add_udp(&b), expect_udp(1, &b, 1);
    ck_assert_uint_eq(decode(1, &b, b.n, 0).vlan[0], 5);
    b.n = 0, ADD(&b, MACS, 0x88, 0xa8, 0, 6, 0x81, 0, 0, 7, 8, 0), add_udp(&b),
    expect_udp(1, &b, 2);
    ck_assert_uint_eq(decode(1, &b, b.n, 0).vlan[1], 7);
    b.n = 0, ADD(&b, MACS, 0x91, 0, 0, 6, 0x81, 0, 0, 7, 0x81, 0, 0, 8, 8, 0), add_udp(&b),
    expect_udp(1, &b, 2);
    b.n = 0, add_udp(&b), expect_udp(101, &b, 0), expect_udp(228, &b, 0);
    b.n = 0, add(&b, sll, 16), add_udp(&b), expect_udp(113, &b, 0);
    b.n = 0, add(&b, sll2, 20), add_udp(&b), expect_udp(276, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 0, 2), add_udp(&b), expect_udp(108, &b, 0);
    b.n = 0, ADD(&b, 2, 0, 0, 0), add_udp(&b), expect_udp(0, &b, 0);
    b.n = 0, ADD(&b, 0xff, 3, 0, 0x21), add_udp(&b), expect_udp(9, &b, 0);
    b.n = 0, ADD(&b, 0x21), add_udp(&b), expect_udp(50, &b, 0);
    ck_assert(decode(147, &b, b.n, 0).what & PK_LINK_UNSUPPORTED);
    b.n = 0, ADD(&b, MACS, 8, 6, 0, 1);
    ck_assert(decode(1, &b, b.n, 0).what & PK_NOT_IP);
}
END_TEST

/* Change byte `at` of a raw UDP datagram; decode n bytes of it, or all. */
static struct packet raw_udp(uint32_t at, uint8_t value, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_udp(&b);
    if (at < b.n)
        b.d[at] = value;
    return decode(101, &b, n ? n : b.n, 0);
}

static struct packet raw_tcp(uint32_t at, uint8_t value, uint32_t n)
{
    struct bytes b = { .n = 0 };

    b.n = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefgh", 8);
    b.d[at] = value;
    if (n)                          /* shorten the datagram itself */
        b.d[2] = 0, b.d[3] = (uint8_t)n;
    return decode(101, &b, n ? n : b.n, 0);
}

#define EXPECT(p, event) do { struct packet p_ = (p); ck_assert(has(&p_, (event))); } while (0)
#define EXPECT_BAD(p, event)                                                                       \
    do {                                                                                           \
        struct packet p_ = (p);                                                                    \
        ck_assert(has(&p_, (event)) && (p_.what & PK_BAD) && !(p_.what & PK_KEY));                 \
    } while (0)

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
    EXPECT_BAD(decode(9, &b, 1, 0), EV_PPP_PKT_TOO_SMALL);
}
END_TEST

START_TEST(ipv6_extensions)
{
    struct bytes b = { .n = 0 };
    struct packet p;

    add_ip6(&b, 0, 8 + 8 + 8 + 9);
    ADD(&b, 60, 0, 1, 4, 0, 0, 0, 0), ADD(&b, 43, 0, 1, 4, 0, 0, 0, 0),
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
    b.d[6] = 0x20;                  /* the first of several: ports are there */
    p = decode(101, &b, b.n, 0);
    ck_assert_uint_eq(p.what & (PK_FRAGMENT | PK_FRAGMENT_LATER | PK_KEY), PK_FRAGMENT | PK_KEY);
    ck_assert_uint_eq(p.pub.dport, 80);
    b.d[7] = 3;                     /* a later one: no layer 4 */
    p = decode(101, &b, b.n, 0);
    ck_assert_uint_eq(p.what & (PK_FRAGMENT | PK_FRAGMENT_LATER | PK_KEY),
                      PK_FRAGMENT | PK_FRAGMENT_LATER);
    ck_assert_uint_eq(p.pub.l4, EC_NOOFF);
    b.d[6] = 0x1f, b.d[7] = 0xff;
    EXPECT(decode(101, &b, b.n, 0), EV_IPV4_FRAG_PKT_TOO_LARGE);
    b.n = 0, add_ip6(&b, 44, 8 + 9), ADD(&b, 17, 0, 0, 1, 0, 0, 0, 9), ADD(&b, UDP6);
    p = decode(229, &b, b.n, 0);
    ck_assert((p.what & PK_KEY) && (p.what & PK_FRAGMENT));
    b.d[42] = 1;
    p = decode(229, &b, b.n, 0);
    ck_assert(!(p.what & PK_KEY) && (p.what & PK_FRAGMENT_LATER));
    ck_assert_uint_eq(p.pub.ip_proto, PROTO_UDP);
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
    p = decode(101, &b, 30, wire);  /* cut within the TCP header: no fault of the packet */
    ck_assert_uint_eq(p.events, 0);
    ck_assert(!(p.what & (PK_KEY | PK_BAD)));
}
END_TEST

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

static uint64_t rng_state = 88172645463325252u;
static uint32_t rng(uint32_t n)
{
    rng_state ^= rng_state << 13, rng_state ^= rng_state >> 7, rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 11) % n;
}

/* Damaged frames of every link type, cut anywhere: offsets stay inside. (A sanitizer sees reads
 * outside.) */
START_TEST(hostile)
{
    static const uint32_t link[] = { 0, 1, 9, 12, 50, 101, 108, 113, 228, 229, 276 };
    static const uint8_t sll[16] = { [14] = 8, [15] = 0 };

    for (uint32_t i = 0; i < 200000; i++) {
        struct bytes b = { .n = 0 };
        uint32_t l = link[rng(11)], n;
        struct packet p;
        if (l == 1)
            ADD(&b, MACS, 0x81, 0, 0, 1, 8, 0);
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
    tcase_add_test(c, links);
    tcase_add_test(c, broken_headers);
    tcase_add_test(c, ipv6_extensions);
    tcase_add_test(c, fragments);
    tcase_add_test(c, snaplen);
    tcase_add_test(c, checksums);
    tcase_add_test(c, icmp_types);
    tcase_add_test(c, hostile);
    suite_add_tcase(s, c);
    return unit_run(s);
}
