/* IPv6 and its extension headers: RFC 8200. */
#include "plugins/traffic/decode/decode.h"

#define IPV6_HEADER 40u
#define EXTENSIONS 16u              /* more than that is an attack */

enum {
    NH_HOP = 0,
    NH_ROUTING = 43,
    NH_FRAGMENT = 44,
    NH_AH = 51,
    NH_NONE = 59,
    NH_DEST = 60,
    NH_MOBILITY = 135,
    NH_HIP = 139,
    NH_SHIM6 = 140,
    NH_ASSIGNED = 147               /* the last one: https://www.iana.org/assignments/protocol-numbers */
};

/* nh_at: where the byte stands that names the next header */
struct seen { bool hop, routing, fragment, auth; uint8_t dest; uint32_t nh_at; };

static bool is_extension(uint8_t nh)
{
    switch (nh) {
    case NH_HOP:
    case NH_ROUTING:
    case NH_FRAGMENT:
    case NH_AH:
    case NH_DEST:
    case NH_MOBILITY:
    case NH_HIP:
    case NH_SHIM6:
        return true;
    default:
        return false;
    }
}

/* What is wrong with a header of len bytes, which are all there. */
static void extension_check(struct packet *p, struct seen *s, uint8_t nh, const uint8_t *h, uint32_t len)
{
    if (nh == NH_HOP || nh == NH_DEST)
        decode_ipv6_options(p, h + 2, len - 2, nh == NH_HOP);
    switch (nh) {
    case NH_HOP:
        if (s->hop)
            decode_event(p, EV_IPV6_EXTHDR_DUPL_HH);
        s->hop = true;
        break;
    case NH_ROUTING:
        if (s->routing)
            decode_event(p, EV_IPV6_EXTHDR_DUPL_RH);
        if (h[2] == 0)
            decode_event(p, EV_IPV6_EXTHDR_RH_TYPE_0);
        s->routing = true;
        break;
    case NH_DEST:
        if (++s->dest == 3)         /* two are legal: before a routing header and last */
            decode_event(p, EV_IPV6_EXTHDR_DUPL_DH);
        break;
    case NH_AH:
        if (s->auth)
            decode_event(p, EV_IPV6_EXTHDR_DUPL_AH);
        if (be16(h + 2))
            decode_event(p, EV_IPV6_EXTHDR_AH_RES_NOT_NULL);
        s->auth = true;
        break;
    case NH_FRAGMENT:
        if (s->fragment)
            decode_event(p, EV_IPV6_EXTHDR_DUPL_FH);
        if (h[1] || (h[3] & 6))
            decode_event(p, EV_IPV6_FH_NON_ZERO_RESERVED_FIELD);
        s->fragment = true;
        break;
    default:
        break;
    }
}

/* c->off stands behind the fragment header h. */
static void ipv6_fragment(struct cursor *c, const uint8_t *h, uint32_t nh_at)
{
    struct packet *p = c->p;
    uint16_t frag = be16(h + 2);

    p->what |= PK_FRAGMENT;
    p->pub.ip_proto = h[0];
    p->frag.at = c->off;
    p->frag.cut = c->off - 8;
    p->frag.end = c->end;
    p->frag.head = p->frag.cut - p->pub.l3 - IPV6_HEADER;
    p->frag.id = be32(h + 4);
    p->frag.off = frag & 0xfff8;
    p->frag.more = frag & 1;
    p->frag.nh = h[0];
    p->frag.nh_at = nh_at;
}

/* Step over one extension header. False: broken, or a fragment: nothing more to read. */
static bool extension_skip(struct cursor *c, struct seen *s, uint8_t *nh)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, len = 8, nh_at = s->nh_at;
    uint8_t type = *nh;

    if (room >= 8 && type == NH_AH)
        len = ((uint32_t)h[1] + 2) * 4;
    else if (room >= 8 && type != NH_FRAGMENT)
        len = ((uint32_t)h[1] + 1) * 8;
    if (room < 8 || len < 8 || len > room) {
        if (len < 8 || !(c->p->what & PK_CUT))
            decode_bad(c->p, EV_IPV6_TRUNC_EXTHDR);
        return false;
    }
    extension_check(c->p, s, type, h, len);
    s->nh_at = c->off;
    c->off += len;
    *nh = h[0];
    if (type != NH_FRAGMENT)
        return true;
    if (be16(h + 2) & 0xfff9) {
        ipv6_fragment(c, h, nh_at);
        return false;
    }
    decode_event(c->p, EV_IPV6_EXTHDR_USELESS_FH);
    return true;
}

static void ipv6_next(struct cursor *c, uint8_t nh)
{
    struct seen seen = { .nh_at = c->p->pub.l3 + 6u };
    uint32_t n = 0;

    while (is_extension(nh)) {
        if (++n > EXTENSIONS) {
            decode_bad(c->p, EV_IPV6_EXTHDR_TOO_MANY);
            return;
        }
        if (!extension_skip(c, &seen, &nh))
            return;
    }
    c->p->pub.ip_proto = nh;
    if (nh > NH_ASSIGNED)
        decode_event(c->p, EV_IPV6_UNKNOWN_NEXT_HEADER);
    if (n && nh != NH_NONE && c->end - c->off < 2 && !(c->p->what & PK_CUT)) {
        decode_bad(c->p, EV_IPV6_TRUNC_EXTHDR);     /* what the last header announces is not there */
        return;
    }
    if (nh == NH_NONE) {
        if (c->off < c->end)
            decode_event(c->p, EV_IPV6_DATA_AFTER_NONE_HEADER);
        return;
    }
    decode_transport(c, nh);
}

void decode_ipv6(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, total;
    struct packet *p = c->p;

    if (room < IPV6_HEADER) {
        decode_bad(p, EV_IPV6_PKT_TOO_SMALL);
        return;
    }
    if (h[0] >> 4 != 6) {
        decode_bad(p, EV_IPV6_WRONG_IP_VER);
        return;
    }
    p->pub.l3 = (uint16_t)c->off;
    memcpy(p->pub.src, h + 8, 16);
    memcpy(p->pub.dst, h + 24, 16);
    p->pub.ip_version = 6;
    p->pub.ip_proto = h[6];
    p->what |= PK_IP;
    total = IPV6_HEADER + be16(h + 4);
    if (total == IPV6_HEADER && (h[6] == NH_HOP || decode_large_send(c, h[6], room))) {
        total = room; /* RFC 2675: a jumbogram's length stands in an option; the frame's will do */
    } else if (total > room) {
        if (!decode_cut(c)) {
            decode_bad(p, EV_IPV6_TRUNC_PKT);
            return;
        }
        p->what |= PK_CUT;
        p->whole_payload = total - room;
        total = room;
    }
    c->end = c->off + total;
    c->off += IPV6_HEADER;
    ipv6_next(c, h[6]);
}
