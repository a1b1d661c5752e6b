/* IPv4: RFC 791. */
#include "plugins/traffic/decode/decode.h"

#define IPV4_HEADER 20u
#define AH_HEADERS 4u               /* nobody needs more than one */

void decode_ip(struct cursor *c)
{
    uint8_t version = c->off < c->end ? c->d[c->off] >> 4 : 0;

    if (c->end - c->off < IPV4_HEADER)
        decode_bad(c->p, EV_IPV4_PKT_TOO_SMALL);
    else if (version == 4)
        decode_ipv4(c);
    else if (version == 6)
        decode_ipv6(c);
    else
        decode_bad(c->p, EV_IPRAW_INVALID_IPV);
}

static void ipv4_addresses(struct packet *p, const uint8_t *h)
{
    p->pub.src[10] = p->pub.src[11] = p->pub.dst[10] = p->pub.dst[11] = 0xff;
    memcpy(p->pub.src + 12, h + 12, 4);
    memcpy(p->pub.dst + 12, h + 16, 4);
    p->pub.ip_version = 4;
    p->pub.ip_proto = h[9];
    p->what |= PK_IP;
}

/* Length, and where the data end; 0: broken. */
static uint32_t ipv4_lengths(struct cursor *c, const uint8_t *h, uint32_t room)
{
    uint32_t hlen = (uint32_t)(h[0] & 15) * 4, total = be16(h + 2);

    if (hlen < IPV4_HEADER) {
        decode_bad(c->p, EV_IPV4_HLEN_TOO_SMALL);
        return 0;
    }
    if (!total && decode_large_send(c, h[9], room))
        total = room;
    if (total < hlen) {
        decode_bad(c->p, EV_IPV4_IPLEN_SMALLER_THAN_HLEN);
        return 0;
    }
    if (total <= room) {
        c->end = c->off + total;
    } else if (decode_cut(c) && hlen <= room) {
        c->p->what |= PK_CUT;
        c->p->whole_payload = total - room; /* missing; decode_transport() adds what is there */
    } else {
        decode_bad(c->p, EV_IPV4_TRUNC_PKT);
        return 0;
    }
    return hlen;
}

static void ipv4_fragment(struct cursor *c, const uint8_t *h, uint32_t frag, uint32_t hlen)
{
    struct packet *p = c->p;

    p->what |= PK_FRAGMENT;
    p->frag.at = p->frag.cut = c->off;
    p->frag.end = c->end;
    p->frag.head = hlen;
    p->frag.id = be16(h + 4);
    p->frag.off = (frag & 0x1fff) * 8;
    p->frag.more = frag & 0x2000;
    p->frag.nh_at = 0;
}

/* RFC 4302 §2: what it authenticates can be read. A broken one stays a protocol that is not known. */
static uint8_t ipv4_authentication(struct cursor *c)
{
    uint8_t proto = PROTO_AH;

    for (uint32_t i = 0; i < AH_HEADERS && proto == PROTO_AH; i++) {
        const uint8_t *h = c->d + c->off;
        uint32_t room = c->end - c->off, len = room >= 12 ? ((uint32_t)h[1] + 2) * 4 : 0;

        if (len < 12 || len > room)
            break;
        proto = h[0];
        c->off += len;
    }
    c->p->pub.ip_proto = proto;
    return proto;
}

void decode_ipv4(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, hlen, frag;
    struct packet *p = c->p;

    if (room < IPV4_HEADER) {
        decode_bad(p, EV_IPV4_PKT_TOO_SMALL);
        return;
    }
    if (h[0] >> 4 != 4) {
        decode_bad(p, EV_IPV4_WRONG_IP_VER);
        return;
    }
    p->pub.l3 = (uint16_t)c->off;
    ipv4_addresses(p, h);
    if (!(hlen = ipv4_lengths(c, h, room)))
        return;
    if (hlen > IPV4_HEADER)
        decode_ipv4_options(p, h + IPV4_HEADER, hlen - IPV4_HEADER);
    if (c->sums && sum_end(sum_add(0, h, hlen))) {
        p->pub.flags |= EC_PK_BADSUM;
        decode_event(p, EV_IPV4_BADSUM);
    }
    frag = be16(h + 6);
    c->off += hlen;
    if (frag & 0x3fff)
        ipv4_fragment(c, h, frag, hlen);
    else
        decode_transport(c, h[9] == PROTO_AH ? ipv4_authentication(c) : h[9]);
}
