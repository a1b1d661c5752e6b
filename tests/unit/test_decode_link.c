/* Decoding: every link layer and what stands between it and IP. */
#include "tests/unit/unit.h"

#include "tests/unit/decode_bytes.h"

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

int main(void)
{
    Suite *s = suite_create("decode-link");
    TCase *c = tcase_create("decode-link");

    tcase_set_timeout(c, 120);
    tcase_add_test(c, links);
    tcase_add_test(c, carriers);
    tcase_add_test(c, wireless);
    tcase_add_test(c, broken_carriers);
    suite_add_tcase(s, c);
    return unit_run(s);
}
