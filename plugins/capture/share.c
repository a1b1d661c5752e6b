#include "plugins/capture/share.h"

#include <string.h>

#include "plugins/capture/linktype.h"

#define TAGS_MAX 16                 /* VLAN tags and MPLS labels that are looked through */

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_QINQ_OLD = 0x9100,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTI = 0x8848
};
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057 };

struct rest {
    const uint8_t *p;
    uint32_t n;
};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static int skip(struct rest *r, uint32_t n)
{
    if (r->n < n)
        return 0;
    r->p += n;
    r->n -= n;
    return 1;
}

/* Past tags and labels to the IP header. 0: there is none. */
static int skip_to_ip(struct rest *r, uint32_t type)
{
    for (int i = 0; i < TAGS_MAX; i++) {
        switch (type) {
        case ETHERTYPE_IPV4:
        case ETHERTYPE_IPV6:
            return 1;
        case ETHERTYPE_VLAN:
        case ETHERTYPE_QINQ:
        case ETHERTYPE_QINQ_OLD:
            if (!skip(r, 4))
                return 0;
            type = be16(r->p - 2);
            break;
        case ETHERTYPE_PPPOE:                       /* RFC 2516 §4 */
            if (!skip(r, 8))
                return 0;
            return be16(r->p - 2) == PPP_IPV4 || be16(r->p - 2) == PPP_IPV6;
        case ETHERTYPE_MPLS:
        case ETHERTYPE_MPLS_MULTI: /* RFC 3032 §2.1: the bottom of the stack is marked */
            if (!skip(r, 4))
                return 0;
            if (r->p[-2] & 1)
                return 1;
            break;
        default:
            return 0;
        }
    }
    return 0;
}

static int skip_link(struct rest *r, uint32_t linktype)
{
    switch (linktype) {
    case LINKTYPE_ETHERNET:
        return skip(r, 14) && skip_to_ip(r, be16(r->p - 2));
    case LINKTYPE_LINUX_SLL:
        return skip(r, 16) && skip_to_ip(r, be16(r->p - 2));
    case LINKTYPE_LINUX_SLL2:
        return skip(r, 20) && skip_to_ip(r, be16(r->p - 20));
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
        return skip(r, 4);
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_HDLC: /* RFC 1661, RFC 1662: address and control may be left out */
        if (r->n >= 2 && r->p[0] == 0xff && r->p[1] == 0x03)
            skip(r, 2);
        return skip(r, 2) && (be16(r->p - 2) == PPP_IPV4 || be16(r->p - 2) == PPP_IPV6);
    case LINKTYPE_RAW:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
        return 1;
    default:
        return 0;
    }
}

static inline uint64_t mix(uint64_t x)     /* the finaliser of splitmix64 */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_ipv4(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof w);
    return mix(w);
}

static uint64_t hash_ipv6(const uint8_t *p)
{
    uint64_t w[2];

    memcpy(w, p, sizeof w);
    return mix(w[0] ^ mix(w[1] + 1));
}

static int has_ports(uint32_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

/* Past the headers of an ICMP error to the packet that it is about, whose flow has its share, whoever sent the error
 * (RFC 792, RFC 4443). Errors in fragments are not looked for: not all of them have those headers. */
static void skip_icmp_error(struct rest *r)
{
    const uint8_t *p = r->p, *q;
    uint32_t n = r->n, at, hlen;

    if (p[0] >> 4 == 4 && n >= 20 && p[9] == PROTO_ICMP && !(be16(p + 6) & 0x3fff)) {
        n = be16(p + 2) < n ? be16(p + 2) : n;
        at = (p[0] & 15u) * 4;
        if (at < 20 || n < at + 28 || !(p[at] == 3 || p[at] == 4 || p[at] == 5 || p[at] == 11 || p[at] == 12))
            return;
        q = p + at + 8;
        n -= at + 8;
        hlen = (q[0] & 15u) * 4;
        if (q[0] >> 4 != 4 || hlen < 20 || n < hlen + 4 || !has_ports(q[9]) || (be16(q + 6) & 0x1fff))
            return;
    } else if (p[0] >> 4 == 6 && n >= 92 && p[6] == PROTO_ICMPV6) {
        q = p + 48;
        if (p[40] < 1 || p[40] > 4 || be16(p + 4) < 52 || q[0] >> 4 != 6 || !has_ports(q[6]))
            return;
        n -= 48;
    } else {
        return;
    }
    r->p = q;
    r->n = n;
}

uint32_t share_of(uint32_t linktype, const uint8_t *p, uint32_t n, uint32_t shares)
{
    struct rest r = {p, n};
    uint64_t sum;

    if (shares < 2 || !skip_link(&r, linktype) || !r.n)
        return 0;
    skip_icmp_error(&r);
    if (r.p[0] >> 4 == 4 && r.n >= 20)
        sum = hash_ipv4(r.p + 12) + hash_ipv4(r.p + 16);
    else if (r.p[0] >> 4 == 6 && r.n >= 40)
        sum = hash_ipv6(r.p + 8) + hash_ipv6(r.p + 24);
    else
        return 0;
    return (uint32_t)((mix(sum) >> 32) * shares >> 32);
}
