/* Ethernet and what stands between it and IP: IEEE 802.3, 802.1Q, 802.1ad, 802.1ah, 802.1BR's
 * predecessor VN-Tag, FabricPath. */
#include "plugins/traffic/decode/decode.h"

enum {
    ETHER_LENGTH_MAX = 1500,        /* smaller values are the length of an 802.2 frame */
    ETHER_PPPOE_DISCOVERY = 0x8863,
    ETHER_PPPOE_SESSION = 0x8864,
    ETHER_PBB = 0x88e7,
    ETHER_DCE = 0x8903,
    ETHER_VNTAG = 0x8926,
    ETHER_QINQ_OLD = 0x9100
};
#define PBB_HEADER 18u              /* I-TAG 4, addresses 12, the inner EtherType 2 */
#define VNTAG_HEADER 6u
#define DCE_TAG 2u

static bool is_vlan(uint16_t type)
{
    return type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD;
}

/* False: broken. */
static bool vlan_skip(struct cursor *c, uint16_t *type)
{
    struct packet *p = c->p;

    if (c->tags++ == VLANS_MAX) {
        decode_bad(p, EV_VLAN_TOO_MANY_LAYERS);
        return false;
    }
    if (c->end - c->off < 4) {
        decode_bad(p, EV_VLAN_HEADER_TOO_SMALL);
        return false;
    }
    if (p->vlans < VLANS_MAX)
        p->vlan[p->vlans++] = be16(c->d + c->off) & 0x0fff;
    *type = be16(c->d + c->off + 2);
    c->off += 4;
    return true;
}

/* A header of n bytes whose last two are the next EtherType. False: broken. */
static bool tag_skip(struct cursor *c, uint16_t *type, uint32_t n, uint32_t event)
{
    if (c->end - c->off < n) {
        decode_bad(c->p, event);
        return false;
    }
    c->off += n;
    *type = be16(c->d + c->off - 2);
    return true;
}

static void ether_dce(struct cursor *c)
{
    if (c->end - c->off < DCE_TAG + 14) {
        decode_bad(c->p, EV_DCE_PKT_TOO_SMALL);
        return;
    }
    c->off += DCE_TAG;
    decode_ethernet(c);
}

/* Layers that end what this file reads. False: the type is not known. */
static bool ether_payload(struct cursor *c, uint16_t type)
{
    switch (type) {
    case ETHER_ARP:
        decode_arp(c);
        return true;
    case ETHER_MPLS: case ETHER_MPLS_MULTI:
        decode_mpls(c);
        return true;
    case ETHER_PPPOE_SESSION:
        decode_pppoe(c);
        return true;
    case ETHER_PPPOE_DISCOVERY:
        decode_pppoe_discovery(c);
        return true;
    case ETHER_NSH:
        decode_nsh(c);
        return true;
    case ETHER_PPP:
        decode_ppp(c);
        return true;
    case ETHER_DCE:
        ether_dce(c);
        return true;
    case ETHER_BRIDGE:
        decode_ethernet(c);
        return true;
    default:
        c->p->what |= PK_NOT_IP;
        return false;
    }
}

/* 802.2: with a SNAP header of Ethernet's own (RFC 1042) an EtherType follows. */
void decode_llc(struct cursor *c)
{
    static const uint8_t snap[6] = { 0xaa, 0xaa, 3, 0, 0, 0 };

    if (c->end - c->off < 8 || memcmp(c->d + c->off, snap, 6)) {
        c->p->what |= PK_NOT_IP;
        return;
    }
    c->off += 8;
    decode_ethertype(c, be16(c->d + c->off - 2));
}

/* The tags before IP and others; event: what an unknown type behind the last one is called. */
static void ether_tags(struct cursor *c, uint16_t type)
{
    uint32_t event = EV_COUNT;

    while (decode_layer(c)) {
        bool ok = true;
        if (is_vlan(type)) {
            ok = vlan_skip(c, &type);
            event = EV_VLAN_UNKNOWN_TYPE;
        } else if (type == ETHER_PBB) {
            ok = tag_skip(c, &type, PBB_HEADER, EV_IEEE8021AH_HEADER_TOO_SMALL);
            event = EV_COUNT;
        } else if (type == ETHER_VNTAG) {
            ok = tag_skip(c, &type, VNTAG_HEADER, EV_VNTAG_HEADER_TOO_SMALL);
            event = EV_VNTAG_UNKNOWN_TYPE;
        } else {
            break;
        }
        if (!ok)
            return;
    }
    if (c->p->what & PK_BAD)
        return;
    if (type == ETHER_IPV4)
        decode_ipv4(c);
    else if (type == ETHER_IPV6)
        decode_ipv6(c);
    else if (type <= ETHER_LENGTH_MAX)
        decode_llc(c);
    else if (!ether_payload(c, type) && event != EV_COUNT)
        decode_event(c->p, event);
}

void decode_ethertype(struct cursor *c, uint16_t type)
{
    if (type == ETHER_IPV4)
        decode_ipv4(c);
    else if (type == ETHER_IPV6)
        decode_ipv6(c);
    else
        ether_tags(c, type);
}

void decode_ethernet(struct cursor *c)
{
    if (c->end - c->off < 14) {
        decode_bad(c->p, EV_ETHERNET_PKT_TOO_SMALL);
        return;
    }
    c->off += 14;
    decode_ethertype(c, be16(c->d + c->off - 2));
}
