/* GRE: RFC 2784, RFC 2890, RFC 1701 (routing); version 1: RFC 2637; ERSPAN: draft-foschiano-erspan-03. */
#include "plugins/traffic/decode/decode.h"

enum { GRE_SUM = 0x80, GRE_ROUTE = 0x40, GRE_KEY = 0x20, GRE_SEQ = 0x10, GRE_SSR = 0x08, GRE_RECUR = 0x07 };
enum { GRE_ACK = 0x80, GRE_FLAGS = 0xf8, GRE_VERSION = 0x07 };  /* in the second byte */
enum { GRE_ERSPAN = 0x88be, GRE_ERSPAN3 = 0x22eb };
#define ERSPAN_SUBHEADER 8u

/* Past the source routes (RFC 1701). False: broken. */
static bool gre_routes(struct cursor *c)
{
    for (;;) {
        const uint8_t *h = c->d + c->off;
        uint32_t room = c->end - c->off, n;
        if (room < 4)
            return false;
        n = 4u + h[3];
        if (n > room)
            return false;
        c->off += n;
        if (!be16(h) && !h[3])
            return true;
    }
}

/* A broken GRE header does not make its IP packet broken: it is an oddity of a packet without an inner one. */
static void gre_fault(struct cursor *c, uint32_t event)
{
    if (!(c->p->what & PK_CUT))
        decode_event(c->p, event);
}

static void gre_erspan(struct cursor *c, bool third)
{
    const uint8_t *h = c->d + c->off;
    uint32_t n = third ? 12 : 8;
    uint16_t vlan;

    if (c->end - c->off < n) {
        gre_fault(c, EV_ERSPAN_HEADER_TOO_SMALL);
        return;
    }
    if (h[0] >> 4 != (third ? 2 : 1)) {
        gre_fault(c, EV_ERSPAN_UNSUPPORTED_VERSION);
        return;
    }
    if (third && (h[11] & 1))
        n += ERSPAN_SUBHEADER;
    if (n > c->end - c->off) {
        gre_fault(c, EV_ERSPAN_HEADER_TOO_SMALL);
        return;
    }
    vlan = be16(h) & 0x0fff;
    if (vlan && c->p->vlans == 2)
        gre_fault(c, EV_ERSPAN_TOO_MANY_VLAN_LAYERS);
    c->p->inner_vlan = c->p->vlans < VLANS_MAX ? vlan : 0;
    c->off += n;
    decode_inner_at(c, ETHER_BRIDGE, TUNNEL_ERSPAN);
}

static void gre_payload(struct cursor *c, uint16_t type, bool seq)
{
    switch (type) {
    case ETHER_IPV4: case ETHER_IPV6: case ETHER_BRIDGE: case ETHER_VLAN: case ETHER_QINQ: case ETHER_MPLS:
    case ETHER_MPLS_MULTI: case ETHER_ARP: case ETHER_PPP: case ETHER_NSH:
        decode_inner_at(c, type, TUNNEL_GRE);
        break;
    case GRE_ERSPAN:
        if (seq)
            gre_erspan(c, false);
        else                        /* type I has no header of its own */
            decode_inner_at(c, ETHER_BRIDGE, TUNNEL_ERSPAN);
        break;
    case GRE_ERSPAN3:
        gre_erspan(c, true);
        break;
    default:
        break;
    }
}

static void gre_zero(struct cursor *c, const uint8_t *h)
{
    uint32_t n = 4;

    if (h[0] & GRE_RECUR)
        gre_fault(c, EV_GRE_VERSION0_RECUR);
    if (h[1] & GRE_FLAGS) {
        gre_fault(c, EV_GRE_VERSION0_FLAGS);
        return;
    }
    n += h[0] & (GRE_SUM | GRE_ROUTE) ? 4 : 0;
    n += h[0] & GRE_KEY ? 4 : 0;
    n += h[0] & GRE_SEQ ? 4 : 0;
    if (n > c->end - c->off) {
        gre_fault(c, EV_GRE_VERSION0_HDR_TOO_BIG);
        return;
    }
    c->off += n;
    if ((h[0] & GRE_ROUTE) && !gre_routes(c)) {
        gre_fault(c, EV_GRE_VERSION0_MALFORMED_SRE_HDR);
        return;
    }
    gre_payload(c, be16(h + 2), h[0] & GRE_SEQ);
}

/* What version 1 forbids, or EV_COUNT. */
static uint32_t gre_one_fault(const uint8_t *h)
{
    if (h[0] & GRE_SUM)
        return EV_GRE_VERSION1_CHKSUM;
    if (h[0] & GRE_ROUTE)
        return EV_GRE_VERSION1_ROUTE;
    if (h[0] & GRE_SSR)
        return EV_GRE_VERSION1_SSR;
    if (h[0] & GRE_RECUR)
        return EV_GRE_VERSION1_RECUR;
    if (h[1] & GRE_FLAGS & ~GRE_ACK)
        return EV_GRE_VERSION1_FLAGS;
    if (be16(h + 2) != ETHER_PPP)
        return EV_GRE_VERSION1_WRONG_PROTOCOL;
    return h[0] & GRE_KEY ? EV_COUNT : EV_GRE_VERSION1_NO_KEY;
}

static void gre_one(struct cursor *c, const uint8_t *h)
{
    uint32_t n = 8, event = gre_one_fault(h);

    if (event != EV_COUNT) {
        gre_fault(c, event);
        return;
    }
    n += h[0] & GRE_SEQ ? 4 : 0;
    n += h[1] & GRE_ACK ? 4 : 0;
    if (n > c->end - c->off) {
        gre_fault(c, EV_GRE_VERSION1_HDR_TOO_BIG);
        return;
    }
    c->off += n;
    decode_inner_at(c, ETHER_PPP, TUNNEL_PPTP);
}

void decode_gre(const struct cursor *ip)
{
    struct cursor c = *ip;
    const uint8_t *h = c.d + c.off;

    if (c.end - c.off < 4) {
        gre_fault(&c, EV_GRE_PKT_TOO_SMALL);
        return;
    }
    c.p->inner_vlan = 0;
    switch (h[1] & GRE_VERSION) {
    case 0:
        gre_zero(&c, h);
        break;
    case 1:
        gre_one(&c, h);
        break;
    default:
        gre_fault(&c, EV_GRE_WRONG_VERSION);
    }
}
