/* Link layers: https://www.tcpdump.org/linktypes.html, IEEE 802.1Q, RFC 1661 §2. */
#include "plugins/traffic/decode/decode.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_OLD = 12,
    LINK_RAW_BSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276
};
enum {
    ETHER_IPV4 = 0x0800,
    ETHER_IPV6 = 0x86dd,
    ETHER_VLAN = 0x8100,
    ETHER_QINQ = 0x88a8,
    ETHER_QINQ_OLD = 0x9100
};
#define VLAN_LAYERS 3

/* What follows an EtherType; c->off stands behind it. */
static void link_ethertype(struct cursor *c, uint16_t type)
{
    struct packet *p = c->p;

    for (uint32_t layer = 0; type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD;
         layer++) {
        if (layer == VLAN_LAYERS) {
            decode_bad(p, EV_VLAN_TOO_MANY_LAYERS);
            return;
        }
        if (c->end - c->off < 4) {
            decode_bad(p, EV_VLAN_HEADER_TOO_SMALL);
            return;
        }
        if (p->vlans < 2)
            p->vlan[p->vlans++] = be16(c->d + c->off) & 0x0fff;
        type = be16(c->d + c->off + 2);
        c->off += 4;
    }
    if (type == ETHER_IPV4)
        decode_ipv4(c);
    else if (type == ETHER_IPV6)
        decode_ipv6(c);
    else
        p->what |= PK_NOT_IP;
}

static void link_ethernet(struct cursor *c)
{
    if (c->end < 14) {
        decode_bad(c->p, EV_ETHERNET_PKT_TOO_SMALL);
        return;
    }
    c->off = 14;
    link_ethertype(c, be16(c->d + 12));
}

static void link_sll(struct cursor *c)
{
    if (c->end < 16) {
        decode_bad(c->p, EV_SLL_PKT_TOO_SMALL);
        return;
    }
    c->off = 16;
    link_ethertype(c, be16(c->d + 14));
}

static void link_sll2(struct cursor *c)
{
    if (c->end < 20) {
        decode_bad(c->p, EV_SLL2_PKT_TOO_SMALL);
        return;
    }
    c->off = 20;
    link_ethertype(c, be16(c->d));
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

static void link_ppp(struct cursor *c)
{
    uint32_t off = 0;
    uint16_t proto;

    if (c->end >= 2 && c->d[0] == 0xff && c->d[1] == 0x03)
        off = 2;
    if (c->end < off + 2) {
        decode_bad(c->p, EV_PPP_PKT_TOO_SMALL);
        return;
    }
    if (c->d[off] & 1) {                            /* a compressed protocol field: one byte */
        proto = c->d[off];
        c->off = off + 1;
    } else {
        proto = be16(c->d + off);
        c->off = off + 2;
    }
    if (proto == 0x0021)
        decode_ipv4(c);
    else if (proto == 0x0057)
        decode_ipv6(c);
    else if (proto >= 0x8000)
        c->p->what |= PK_NOT_IP;                    /* PPP's own control protocols */
    else
        decode_bad(c->p, EV_PPP_UNSUP_PROTO);
}

void decode_link(struct cursor *c, uint32_t linktype)
{
    switch (linktype) {
    case LINK_ETHERNET:
        link_ethernet(c);
        break;
    case LINK_RAW: case LINK_RAW_OLD: case LINK_RAW_BSD:
        decode_ip(c);
        break;
    case LINK_IPV4:
        decode_ipv4(c);
        break;
    case LINK_IPV6:
        decode_ipv6(c);
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
    case LINK_PPP: case LINK_PPP_HDLC:
        link_ppp(c);
        break;
    default:
        c->p->what |= PK_LINK_UNSUPPORTED;
    }
}
