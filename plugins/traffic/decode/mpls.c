/* MPLS: RFC 3032; special labels: RFC 7274, RFC 4182; Ethernet behind a control word: RFC 4448. */
#include "plugins/traffic/decode/decode.h"

#define LABELS 16                   /* more than that is an attack */
enum { LABEL_IPV4_NULL = 0, LABEL_ROUTER_ALERT = 1, LABEL_IPV6_NULL = 2, LABEL_IMPLICIT_NULL = 3,
       LABEL_RESERVED_END = 16 };

/* MPLS does not say what it carries: the first nibble has to do. */
static void mpls_guess(struct cursor *c)
{
    switch (c->d[c->off] >> 4) {
    case 4:
        decode_ipv4(c);
        break;
    case 6:
        decode_ipv6(c);
        break;
    case 0:                         /* a pseudowire's control word, then Ethernet */
        if (c->end - c->off < 4 + 14) {
            decode_bad(c->p, EV_MPLS_PKT_TOO_SMALL);
            return;
        }
        c->off += 4;
        decode_ethernet(c);
        break;
    default:
        c->p->what |= PK_NOT_IP;
        decode_event(c->p, EV_MPLS_UNKNOWN_PAYLOAD_TYPE);
    }
}

static void mpls_payload(struct cursor *c, uint32_t label)
{
    if (c->off == c->end) {
        decode_bad(c->p, EV_MPLS_PKT_TOO_SMALL);
        return;
    }
    switch (label) {
    case LABEL_IPV4_NULL:
        decode_ipv4(c);
        return;
    case LABEL_IPV6_NULL:
        decode_ipv6(c);
        return;
    case LABEL_ROUTER_ALERT:        /* must not be the last one */
        decode_event(c->p, EV_MPLS_BAD_LABEL_ROUTER_ALERT);
        break;
    case LABEL_IMPLICIT_NULL:       /* never stands in a packet */
        decode_event(c->p, EV_MPLS_BAD_LABEL_IMPLICIT_NULL);
        break;
    default:
        if (label < LABEL_RESERVED_END)
            decode_event(c->p, EV_MPLS_BAD_LABEL_RESERVED);
    }
    mpls_guess(c);
}

void decode_mpls(struct cursor *c)
{
    uint32_t entry = 0;

    if (!decode_layer(c))
        return;
    for (uint32_t i = 0; !(entry & 0x100); i++) {
        if (i == LABELS) {
            decode_bad(c->p, EV_TOO_MANY_LAYERS);
            return;
        }
        if (c->end - c->off < 4) {
            decode_bad(c->p, EV_MPLS_HEADER_TOO_SMALL);
            return;
        }
        entry = be32(c->d + c->off);
        c->off += 4;
    }
    mpls_payload(c, entry >> 12);
}
