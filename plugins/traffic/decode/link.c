/* Link layers: https://www.tcpdump.org/linktypes.html. */
#include "plugins/traffic/decode/decode.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_OLD = 12,
    LINK_RAW_BSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_PPP_ETHER = 51,
    LINK_RAW = 101,
    LINK_CHDLC = 104,
    LINK_WLAN = 105,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_WLAN_PRISM = 119,
    LINK_WLAN_RADIOTAP = 127,
    LINK_WLAN_AVS = 163,
    LINK_PPI = 192,
    LINK_MPLS = 219,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276
};

static void link_sll(struct cursor *c)
{
    if (c->end < 16) {
        decode_bad(c->p, EV_SLL_PKT_TOO_SMALL);
        return;
    }
    c->off = 16;
    decode_ethertype(c, be16(c->d + 14));
}

static void link_sll2(struct cursor *c)
{
    if (c->end < 20) {
        decode_bad(c->p, EV_SLL2_PKT_TOO_SMALL);
        return;
    }
    c->off = 20;
    decode_ethertype(c, be16(c->d));
}

/* The address family stands in the byte order of the machine that captured (NULL) or in network
 * order (LOOP). */
static void link_loopback(struct cursor *c)
{
    uint32_t family;

    if (c->end < 4) {
        decode_bad(c->p, EV_LTNULL_PKT_TOO_SMALL);
        return;
    }
    family = be32(c->d);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    c->off = 4;
    switch (family) {
    case 2:
        decode_ipv4(c);
        break;
    case 10: case 24: case 28: case 30:             /* Linux, NetBSD, FreeBSD, macOS */
        decode_ipv6(c);
        break;
    default:
        decode_bad(c->p, EV_LTNULL_UNSUPPORTED_TYPE);
    }
}

/* Cisco HDLC: address, control, an EtherType; its own keep-alives (SLARP, CDP) are no IP. */
static void link_chdlc(struct cursor *c)
{
    if (c->end < 4) {
        decode_bad(c->p, EV_CHDLC_PKT_TOO_SMALL);
        return;
    }
    c->off = 4;
    decode_ethertype(c, be16(c->d + 2));
}

static void link_wireless(struct cursor *c, uint32_t linktype)
{
    switch (linktype) {
    case LINK_WLAN_RADIOTAP:
        decode_wlan_radiotap(c);
        break;
    case LINK_WLAN_PRISM:
        decode_wlan_prism(c);
        break;
    case LINK_WLAN_AVS:
        decode_wlan_avs(c);
        break;
    case LINK_PPI:
        decode_wlan_ppi(c);
        break;
    default:
        decode_wlan(c);
    }
}

static void link_rare(struct cursor *c, uint32_t linktype)
{
    switch (linktype) {
    case LINK_PPP: case LINK_PPP_HDLC:
        decode_ppp(c);
        break;
    case LINK_PPP_ETHER:
        decode_pppoe(c);
        break;
    case LINK_CHDLC:
        link_chdlc(c);
        break;
    case LINK_MPLS:
        decode_mpls(c);
        break;
    case LINK_WLAN: case LINK_WLAN_RADIOTAP: case LINK_WLAN_PRISM: case LINK_WLAN_AVS: case LINK_PPI:
        link_wireless(c, linktype);
        break;
    default:
        c->p->what |= PK_LINK_UNSUPPORTED;
    }
}

void decode_link(struct cursor *c, uint32_t linktype)
{
    switch (linktype) {
    case LINK_ETHERNET:
        decode_ethernet(c);
        break;
    case LINK_RAW: case LINK_RAW_OLD: case LINK_RAW_BSD: case LINK_IPV4: case LINK_IPV6:
        decode_ip(c);
        break;
    case LINK_NULL: case LINK_LOOP:
        link_loopback(c);
        break;
    case LINK_SLL:
        link_sll(c);
        break;
    case LINK_SLL2:
        link_sll2(c);
        break;
    default:
        link_rare(c, linktype);
    }
}
