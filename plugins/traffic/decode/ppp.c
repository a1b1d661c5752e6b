/* PPP (RFC 1661 §2, RFC 1662) and PPPoE (RFC 2516). */
#include "plugins/traffic/decode/decode.h"

enum { PPP_IPV4 = 0x0021, PPP_VJ_WHOLE = 0x002f, PPP_IPV6 = 0x0057, PPP_MPLS = 0x0281, PPP_MPLS_MULTI = 0x0283,
       PPP_CONTROL = 0x8000 };
enum { PADI = 0x09, PADO = 0x07, PADR = 0x19, PADS = 0x65, PADT = 0xa7 };
#define PPPOE_HEADER 6u

/* Network protocols that exist but are not read here: https://www.iana.org/assignments/ppp-numbers */
static bool ppp_known(uint16_t proto)
{
    switch (proto) {
    case 0x0023: case 0x0025: case 0x0027: case 0x0029: case 0x002b: case 0x002d: case 0x0031:
    case 0x0033: case 0x0035: case 0x003d: case 0x0053: case 0x00fd: case 0x0201: case 0x0231: case 0x0233:
        return true;
    default:
        return false;
    }
}

static void ppp_ip(struct cursor *c, uint32_t header, uint32_t event, void (*decode)(struct cursor *c))
{
    if (c->end - c->off < header)
        decode_bad(c->p, event);
    else
        decode(c);
}

static void ppp_payload(struct cursor *c, uint16_t proto)
{
    switch (proto) {
    case PPP_IPV4:
        ppp_ip(c, 20, EV_PPP_IP4_PKT_TOO_SMALL, decode_ipv4);
        break;
    case PPP_IPV6:
        ppp_ip(c, 40, EV_PPP_IP6_PKT_TOO_SMALL, decode_ipv6);
        break;
    case PPP_MPLS: case PPP_MPLS_MULTI:
        decode_mpls(c);
        break;
    case PPP_VJ_WHOLE:              /* its protocol field holds a connection's number: not read on */
        if (c->end - c->off < 20)
            decode_bad(c->p, EV_PPP_VJU_PKT_TOO_SMALL);
        else
            c->p->what |= PK_NOT_IP;
        break;
    default:
        if (proto >= PPP_CONTROL)
            c->p->what |= PK_NOT_IP;                /* PPP's own control protocols */
        else
            decode_bad(c->p, ppp_known(proto) ? EV_PPP_UNSUP_PROTO : EV_PPP_WRONG_TYPE);
    }
}

/* The protocol field and what follows; event: where even that is missing. */
static void ppp_proto(struct cursor *c, uint32_t event)
{
    uint32_t room = c->end - c->off;
    const uint8_t *h = c->d + c->off;

    if (room && (h[0] & 1)) {                       /* a compressed protocol field: one byte */
        c->off += 1;
        ppp_payload(c, h[0]);
    } else if (room < 2) {
        decode_bad(c->p, event);
    } else {
        c->off += 2;
        ppp_payload(c, be16(h));
    }
}

void decode_ppp(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;

    if (c->end - c->off >= 2 && h[0] == 0xff && h[1] == 0x03)
        c->off += 2;                                /* address and control, which may be left out */
    ppp_proto(c, EV_PPP_PKT_TOO_SMALL);
}

void decode_pppoe(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t len;

    if (c->end - c->off < PPPOE_HEADER + 2) {
        decode_bad(c->p, EV_PPPOE_PKT_TOO_SMALL);
        return;
    }
    if (h[1])                                       /* §6: zero in a session */
        decode_event(c->p, EV_PPPOE_WRONG_CODE);
    len = be16(h + 4);
    c->off += PPPOE_HEADER;
    if (len > c->end - c->off && !decode_cut(c)) {
        decode_bad(c->p, EV_PPPOE_PKT_TOO_SMALL);
        return;
    }
    if (len < c->end - c->off)
        c->end = c->off + len;
    ppp_proto(c, EV_PPPOE_PKT_TOO_SMALL);
}

static bool discovery_code(uint8_t code)
{
    return code == PADI || code == PADO || code == PADR || code == PADS || code == PADT;
}

void decode_pppoe_discovery(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t end, at;

    c->p->what |= PK_NOT_IP;
    if (c->end - c->off < PPPOE_HEADER) {
        decode_bad(c->p, EV_PPPOE_PKT_TOO_SMALL);
        return;
    }
    if (!discovery_code(h[1]))
        decode_event(c->p, EV_PPPOE_WRONG_CODE);
    at = c->off + PPPOE_HEADER;
    end = at + be16(h + 4);
    if (end > c->end) {
        if (!decode_cut(c))
            decode_bad(c->p, EV_PPPOE_MALFORMED_TAGS);
        return;
    }
    while (end - at >= 4 && be16(c->d + at)) {      /* a tag of type 0 ends the list */
        uint32_t n = be16(c->d + at + 2);
        if (n > end - at - 4) {
            decode_bad(c->p, EV_PPPOE_MALFORMED_TAGS);
            return;
        }
        at += 4 + n;
    }
    if (at != end && end - at < 4)
        decode_bad(c->p, EV_PPPOE_MALFORMED_TAGS);
}
