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
    struct decode_conf conf;
    struct packet p;

    decode_conf_defaults(&conf);
    conf.sums = true;
    memcpy(copy, b->d, n);
    f.data = copy;
    decode_frame(&p, &f, &conf);
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
    expect_udp(1, &b, 3);
    ck_assert_uint_eq(decode(1, &b, b.n, 0).vlan[2], 8);
    b.n = 0, add_udp(&b), expect_udp(101, &b, 0), expect_udp(228, &b, 0);
    b.n = 0, add(&b, sll, 16), add_udp(&b), expect_udp(113, &b, 0);
    b.n = 0, add(&b, sll2, 20), add_udp(&b), expect_udp(276, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 0, 2), add_udp(&b), expect_udp(108, &b, 0);
    b.n = 0, ADD(&b, 2, 0, 0, 0), add_udp(&b), expect_udp(0, &b, 0);
    b.n = 0, ADD(&b, 0xff, 3, 0, 0x21), add_udp(&b), expect_udp(9, &b, 0);
    b.n = 0, ADD(&b, 0x21), add_udp(&b), expect_udp(50, &b, 0);
    ck_assert(decode(147, &b, b.n, 0).what & PK_LINK_UNSUPPORTED);
    b.n = 0, ADD(&b, MACS, 0x88, 0xcc, 0, 1);
    ck_assert(decode(1, &b, b.n, 0).what & PK_NOT_IP);
    b.n = 0, ADD(&b, 0x0f, 0, 8, 0), add_udp(&b), expect_udp(104, &b, 0);
}
END_TEST

START_TEST(carriers)                /* between Ethernet and IP */
{
    static const uint8_t itag[4] = { 0 };
    struct bytes b = { .n = 0 };

    ADD(&b, MACS, 0x88, 0xe7), add(&b, itag, 4), ADD(&b, MACS, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x88, 0xa8, 0, 9, 0x88, 0xe7), add(&b, itag, 4), ADD(&b, MACS, 0x81, 0, 0, 5, 8, 0),
    add_udp(&b), expect_udp(1, &b, 2);
    b.n = 0, ADD(&b, MACS, 0x89, 0x26, 0, 1, 0, 2, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x89, 3, 0, 1, MACS, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x89, 0x4f, 0, 2, 2, 1, 0, 0, 1, 0xff), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x89, 0x4f, 0, 2, 2, 3, 0, 0, 1, 0xff, MACS, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0, 43, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 37, 0, 0x21), add_udp(&b), ADD(&b, 0, 0),
    expect_udp(1, &b, 0);
    b.n -= 2, expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, 0x11, 0, 0, 1, 0, 37, 0, 0x21), add_udp(&b), expect_udp(51, &b, 0);
    b.n = 0, ADD(&b, MACS, 0x88, 0x47, 0, 0x01, 0x40, 64, 0, 0x01, 0x51, 64), add_udp(&b), expect_udp(1, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 1, 64), add_udp(&b), expect_udp(219, &b, 0);
    b.n = 0, ADD(&b, 0, 0x01, 0x51, 64, 0, 0, 0, 0, MACS, 8, 0), add_udp(&b), expect_udp(219, &b, 0);
    b.n = 0, ADD(&b, 0xff, 3, 2, 0x81, 0, 0x01, 0x51, 64), add_udp(&b), expect_udp(9, &b, 0);
    b.n = 0, ADD(&b, MACS, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1), add(&b, (uint8_t[20]){ 0 }, 20);
    ck_assert_uint_eq(decode(1, &b, b.n, 0).what, PK_NOT_IP | PK_ARP);
    ck_assert_uint_eq(decode(1, &b, b.n, 0).events, 0);
}
END_TEST

#define SNAP_IP 0xaa, 0xaa, 3, 0, 0, 0, 8, 0
#define ADDR3 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0, 0  /* duration, three addresses, sequence */

START_TEST(wireless)
{
    struct bytes b = { .n = 0 };

    ADD(&b, 8, 1, ADDR3, SNAP_IP), add_udp(&b), expect_udp(105, &b, 0);
    b.n = 0, ADD(&b, 8, 3, ADDR3, 2, 0, 0, 0, 0, 4, SNAP_IP), add_udp(&b), expect_udp(105, &b, 0);
    b.n = 0, ADD(&b, 0x88, 1, ADDR3, 0, 0, SNAP_IP), add_udp(&b), expect_udp(105, &b, 0);
    b.n = 0, ADD(&b, 0x88, 0x81, ADDR3, 0, 0, 0, 0, 0, 0, SNAP_IP), add_udp(&b), expect_udp(105, &b, 0);
    b.n = 0, ADD(&b, 0x88, 1, ADDR3, 0x80, 0, MACS, 0, 51, SNAP_IP), add_udp(&b), expect_udp(105, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 8, 0, 0, 0, 0, 0, 8, 1, ADDR3, SNAP_IP), add_udp(&b), expect_udp(127, &b, 0);
    /* two words of present bits, a time stamp, flags that say: padded */
    b.n = 0, ADD(&b, 0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20);
    b.d[4] = 3, ADD(&b, 0x88, 1, ADDR3, 0, 0, 0, 0, SNAP_IP), add_udp(&b);
    b.d[24] = 0x20, expect_udp(127, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 8, 0, 105, 0, 0, 0, 8, 1, ADDR3, SNAP_IP), add_udp(&b), expect_udp(192, &b, 0);
    b.n = 0, ADD(&b, 0, 0, 0, 0x44, 12, 0, 0, 0, 0, 0, 0, 0, 8, 1, ADDR3, SNAP_IP), add_udp(&b),
    expect_udp(119, &b, 0);
    b.n = 0, ADD(&b, 0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0, 8, 1, ADDR3, SNAP_IP), add_udp(&b),
    expect_udp(119, &b, 0), expect_udp(163, &b, 0);
    b.d[13] |= 0x40;                /* encrypted */
    ck_assert_uint_eq(decode(163, &b, b.n, 0).what, PK_NOT_IP);
    b.d[12] = 0x80;                 /* a beacon */
    ck_assert_uint_eq(decode(163, &b, b.n, 0).what, PK_NOT_IP);
    b.n = 0, ADD(&b, 8, 1, ADDR3, SNAP_IP);
    ck_assert_uint_eq(decode(105, &b, 23, 60).events, 0);
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
    b.d[0] = 0;
    EXPECT_BAD(decode(9, &b, 1, 0), EV_PPP_PKT_TOO_SMALL);
}
END_TEST

#define BROKEN(link, event, ...) do { \
        struct bytes b_ = { .n = 0 }; \
        ADD(&b_, __VA_ARGS__); \
        EXPECT_BAD(decode((link), &b_, b_.n, 0), (event)); \
    } while (0)
#define ODD(link, event, ...) do { \
        struct bytes b_ = { .n = 0 }; \
        ADD(&b_, __VA_ARGS__); \
        EXPECT(decode((link), &b_, b_.n, 0), (event)); \
    } while (0)
#define ARP(...) MACS, 8, 6, __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

START_TEST(broken_carriers)
{
    struct bytes b = { .n = 0 };

    BROKEN(1, EV_IEEE8021AH_HEADER_TOO_SMALL, MACS, 0x88, 0xe7, 0, 0, 0, 1, MACS, 8);
    BROKEN(1, EV_VNTAG_HEADER_TOO_SMALL, MACS, 0x89, 0x26, 0, 0, 0, 1, 8);
    ODD(1, EV_VNTAG_UNKNOWN_TYPE, MACS, 0x89, 0x26, 0, 0, 0, 1, 0x88, 0xcc, 0);
    ODD(1, EV_VLAN_UNKNOWN_TYPE, MACS, 0x81, 0, 0, 1, 0x88, 0xcc, 0);
    BROKEN(1, EV_DCE_PKT_TOO_SMALL, MACS, 0x89, 3, 0, 1, MACS, 8);
    BROKEN(1, EV_MPLS_HEADER_TOO_SMALL, MACS, 0x88, 0x47, 0, 1, 0, 64, 0, 1, 1);
    BROKEN(1, EV_MPLS_PKT_TOO_SMALL, MACS, 0x88, 0x47, 0, 1, 1, 64);
    BROKEN(1, EV_MPLS_PKT_TOO_SMALL, MACS, 0x88, 0x48, 0, 1, 0x51, 64, 0, 0, 0, 0, 1, 2);
    ODD(1, EV_MPLS_BAD_LABEL_ROUTER_ALERT, MACS, 0x88, 0x47, 0, 0, 0x11, 64, 0x45);
    ODD(1, EV_MPLS_BAD_LABEL_IMPLICIT_NULL, MACS, 0x88, 0x47, 0, 0, 0x31, 64, 0x45);
    ODD(1, EV_MPLS_BAD_LABEL_RESERVED, MACS, 0x88, 0x47, 0, 0, 0xf1, 64, 0x45);
    ODD(1, EV_MPLS_UNKNOWN_PAYLOAD_TYPE, MACS, 0x88, 0x47, 0, 1, 0x51, 64, 0x95);
    BROKEN(1, EV_PPPOE_PKT_TOO_SMALL, MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 1, 0x21);
    BROKEN(1, EV_PPPOE_PKT_TOO_SMALL, MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21);
    ODD(1, EV_PPPOE_WRONG_CODE, MACS, 0x88, 0x64, 0x11, 9, 0, 1, 0, 2, 0xc0, 0x21);
    ODD(1, EV_PPPOE_WRONG_CODE, MACS, 0x88, 0x63, 0x11, 0x11, 0, 1, 0, 0);
    BROKEN(1, EV_PPPOE_PKT_TOO_SMALL, MACS, 0x88, 0x63, 0x11, 9, 0, 1, 0);
    BROKEN(1, EV_PPPOE_MALFORMED_TAGS, MACS, 0x88, 0x63, 0x11, 9, 0, 0, 0, 6, 1, 1, 0, 3, 1, 2);
    BROKEN(1, EV_PPPOE_MALFORMED_TAGS, MACS, 0x88, 0x63, 0x11, 9, 0, 0, 0, 2, 1, 1);
    BROKEN(1, EV_PPPOE_MALFORMED_TAGS, MACS, 0x88, 0x63, 0x11, 9, 0, 0, 0, 9, 1, 1, 0, 0);
    BROKEN(9, EV_PPP_IP4_PKT_TOO_SMALL, 0xff, 3, 0, 0x21, 0x45);
    BROKEN(9, EV_PPP_IP6_PKT_TOO_SMALL, 0xff, 3, 0, 0x57, 0x60);
    BROKEN(9, EV_PPP_UNSUP_PROTO, 0xff, 3, 0, 0x2b, 0);
    BROKEN(9, EV_PPP_WRONG_TYPE, 0xff, 3, 0x12, 0x34, 0);
    BROKEN(9, EV_PPP_VJU_PKT_TOO_SMALL, 0xff, 3, 0, 0x2f, 0x45);
    BROKEN(1, EV_NSH_HEADER_TOO_SMALL, MACS, 0x89, 0x4f, 0, 2, 2);
    BROKEN(1, EV_NSH_UNSUPPORTED_VERSION, MACS, 0x89, 0x4f, 0x40, 2, 2, 1, 0, 0, 1, 0xff);
    BROKEN(1, EV_NSH_BAD_HEADER_LENGTH, MACS, 0x89, 0x4f, 0, 1, 2, 1, 0, 0, 1, 0xff);
    BROKEN(1, EV_NSH_BAD_HEADER_LENGTH, MACS, 0x89, 0x4f, 0, 3, 2, 1, 0, 0, 1, 0xff);
    BROKEN(1, EV_NSH_BAD_HEADER_LENGTH, MACS, 0x89, 0x4f, 0, 2, 1, 1, 0, 0, 1, 0xff);
    BROKEN(1, EV_NSH_RESERVED_TYPE, MACS, 0x89, 0x4f, 0, 2, 0, 1, 0, 0, 1, 0xff);
    BROKEN(1, EV_NSH_UNSUPPORTED_TYPE, MACS, 0x89, 0x4f, 0, 2, 3, 1, 0, 0, 1, 0xff);
    ODD(1, EV_NSH_UNKNOWN_PAYLOAD, MACS, 0x89, 0x4f, 0, 2, 2, 9, 0, 0, 1, 0xff);
    BROKEN(104, EV_CHDLC_PKT_TOO_SMALL, 0x0f, 0, 8);
    BROKEN(105, EV_IEEE80211_PKT_TOO_SMALL, 8, 1, 0, 0);
    BROKEN(127, EV_IEEE80211_PKT_TOO_SMALL, 0, 0, 9, 0, 0, 0, 0, 0);
    BROKEN(119, EV_IEEE80211_PKT_TOO_SMALL, 0, 0, 0, 0x44, 3, 0, 0, 0);
    BROKEN(192, EV_IEEE80211_PKT_TOO_SMALL, 0, 0, 7, 0, 105, 0, 0, 0);
    ODD(1, EV_ARP_PKT_TOO_SMALL, MACS, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1);
    ODD(1, EV_ARP_UNSUPPORTED_HARDWARE, ARP(0, 2, 8, 0, 6, 4, 0, 1));
    ODD(1, EV_ARP_UNSUPPORTED_PROTOCOL, ARP(0, 1, 8, 1, 6, 4, 0, 1));
    ODD(1, EV_ARP_INVALID_HARDWARE_SIZE, ARP(0, 1, 8, 0, 7, 4, 0, 1));
    ODD(1, EV_ARP_INVALID_PROTOCOL_SIZE, ARP(0, 1, 8, 0, 6, 5, 0, 1));
    ODD(1, EV_ARP_UNSUPPORTED_OPCODE, ARP(0, 1, 8, 0, 6, 4, 0, 0));
    ADD(&b, MACS, 0x65, 0x58);
    for (int i = 0; i < PACKET_LAYERS; i++)
        ADD(&b, MACS, 0x65, 0x58);
    EXPECT_BAD(decode(1, &b, b.n, 0), EV_TOO_MANY_LAYERS);
    b.n = 0;
    for (int i = 0; i < 17; i++)
        ADD(&b, 0, 1, 0, 64);
    EXPECT_BAD(decode(219, &b, b.n, 0), EV_TOO_MANY_LAYERS);
}
END_TEST

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

#define ICMP4(...) ip4_of(1, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})
static struct packet ip4_of(uint8_t proto, const uint8_t *d, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_udp(&b);
    b.n = 20, b.d[9] = proto, b.d[3] = (uint8_t)(20 + n);
    add(&b, d, n);
    return decode(101, &b, b.n, 0);
}

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

START_TEST(wrong_versions)          /* where something else named the version */
{
    BROKEN(1, EV_IPV4_WRONG_IP_VER, MACS, 8, 0, 0x65, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    BROKEN(1, EV_IPV6_WRONG_IP_VER, MACS, 0x86, 0xdd, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
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
    tcase_add_test(c, links);
    tcase_add_test(c, carriers);
    tcase_add_test(c, wireless);
    tcase_add_test(c, broken_headers);
    tcase_add_test(c, broken_carriers);
    tcase_add_test(c, ipv6_extensions);
    tcase_add_test(c, fragments);
    tcase_add_test(c, snaplen);
    tcase_add_test(c, checksums);
    tcase_add_test(c, offloaded);
    tcase_add_test(c, icmp_types);
    tcase_add_test(c, options_of_ipv4);
    tcase_add_test(c, options_of_ipv6);
    tcase_add_test(c, options_of_tcp);
    tcase_add_test(c, icmp_about);
    tcase_add_test(c, small_protocols);
    tcase_add_test(c, repeated_extensions);
    tcase_add_test(c, wrong_versions);
    tcase_add_test(c, icmp_faults);
    tcase_add_test(c, hostile);
    suite_add_tcase(s, c);
    return unit_run(s);
}
