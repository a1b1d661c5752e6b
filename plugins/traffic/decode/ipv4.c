/* IPv4: RFC 791. */
#include "plugins/traffic/decode/decode.h"

#define IPV4_HEADER 20u

void decode_ip(struct cursor *c)
{
    uint8_t version = c->off < c->end ? c->d[c->off] >> 4 : 0;

    if (version == 4)
        decode_ipv4(c);
    else if (version == 6)
        decode_ipv6(c);
    else
        decode_bad(c->p, EV_IPRAW_INVALID_IPV);
}

static bool option_known(uint8_t type)
{
    switch (type) {
    case 0x07:
    case 0x44:
    case 0x82:
    case 0x83:
    case 0x85:
    case 0x86:
    case 0x88:
    case 0x89:
    case 0x94:
    case 0x95:
        return true;                /* RR TS SEC LSRR ESEC CIPSO SID SSRR RTRALT SDB */
    default:
        return false;
    }
}

/* Options are of no use to the engine; but what is wrong with them is worth an event. */
static void ipv4_options(struct packet *p, const uint8_t *d, uint32_t n)
{
    uint64_t seen[4] = { 0 };

    for (uint32_t i = 0; i < n;) {
        uint8_t type = d[i];
        if (type == 0)
            return;
        if (type == 1) {
            i++;
            continue;
        }
        if (i + 1 >= n || d[i + 1] < 2 || d[i + 1] > n - i) {
            decode_event(p, EV_IPV4_OPT_INVALID_LEN);
            return;
        }
        if (!option_known(type))
            decode_event(p, EV_IPV4_OPT_UNKNOWN);
        else if (seen[type >> 6] >> (type & 63) & 1)
            decode_event(p, EV_IPV4_OPT_DUPLICATE);
        seen[type >> 6] |= UINT64_C(1) << (type & 63);
        i += d[i + 1];
    }
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
        ipv4_options(p, h + IPV4_HEADER, hlen - IPV4_HEADER);
    if (c->sums && sum_end(sum_add(0, h, hlen))) {
        p->pub.flags |= EC_PK_BADSUM;
        decode_event(p, EV_IPV4_BADSUM);
    }
    frag = be16(h + 6);
    c->off += hlen;
    if (frag & 0x3fff)
        ipv4_fragment(c, h, frag, hlen);
    else
        decode_transport(c, h[9]);
}
