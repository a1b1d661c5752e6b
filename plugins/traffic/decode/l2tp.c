/* L2TP: version 2 with PPP in it (RFC 2661 §3.1), version 3 with Ethernet (RFC 3931 §4.1, RFC 4719). */
#include "plugins/traffic/decode/decode.h"

enum { L2TP_CONTROL = 0x8000, L2TP_LENGTH = 0x4000, L2TP_SEQUENCE = 0x0800, L2TP_OFFSET = 0x0200, L2TP_RESERVED = 0x34f0,
       L2TP_VERSION = 15 };
#define L2TP_COOKIE_MAX 12u         /* a cookie of 0, 4 or 8 bytes, and a sublayer of 0 or 4 */

/* Is that an Ethernet frame with IP in it whose length fits? */
static bool looks_ethernet(const uint8_t *d, uint32_t n)
{
    uint32_t at = 14;

    if (n < 18)
        return false;
    if (be16(d + 12) == ETHER_VLAN)
        at = 18;
    if (n >= at + 20 && be16(d + at - 2) == ETHER_IPV4)
        return d[at] >> 4 == 4 && (d[at] & 15) >= 5 && be16(d + at + 2) <= n - at;
    if (n >= at + 40 && be16(d + at - 2) == ETHER_IPV6)
        return d[at] >> 4 == 6 && be16(d + at + 4) <= n - at - 40;
    return n >= at + 8 && be16(d + at - 2) == ETHER_ARP && be32(d + at) == 0x00010800 && be16(d + at + 4) == 0x0604;
}

/* How long cookie and sublayer are, the ends agreed about before: the first length behind which such a frame stands. */
static void l2tp_frame(struct cursor *c)
{
    for (uint32_t skip = 0; skip <= L2TP_COOKIE_MAX && c->off + skip < c->end; skip += 4)
        if (looks_ethernet(c->d + c->off + skip, c->end - c->off - skip)) {
            c->off += skip;
            decode_inner_at(c, ETHER_BRIDGE, TUNNEL_L2TP);
            return;
        }
}

/* False: it is longer than the datagram. */
static bool l2tp_skip(struct cursor *c, const uint8_t *h, uint16_t flags)
{
    uint32_t room = c->end - c->off, n = 6;

    if (flags & L2TP_LENGTH) {
        uint32_t len = room >= 4 ? be16(h + 2) : 0;

        if (len < 8 || (len > room && !decode_cut(c)))
            return false;
        c->end = len < room ? c->off + len : c->end;
        n += 2;
    }
    if (flags & L2TP_SEQUENCE)
        n += 4;
    if (flags & L2TP_OFFSET) {
        if (n + 2 > c->end - c->off)
            return false;
        n += 2u + be16(h + n);
    }
    if (n >= c->end - c->off)
        return false;
    c->off += n;
    return true;
}

/* Over UDP. Control messages have nothing inside. */
void decode_l2tp_udp(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint16_t flags;

    if (c->end - c->off < 8)
        return;
    flags = be16(h);
    if (flags & (L2TP_CONTROL | L2TP_RESERVED))
        return;
    if ((flags & L2TP_VERSION) == 2 && l2tp_skip(c, h, flags))
        decode_inner_at(c, ETHER_PPP, TUNNEL_L2TP);
    if (flags == 3) {
        c->off += 8;
        l2tp_frame(c);
    }
}

/* Over IP: the number of a session; 0 in control messages. */
void decode_l2tp_ip(const struct cursor *ip)
{
    struct cursor c = *ip;

    if (c.end - c.off < 8 || !be32(c.d + c.off))
        return;
    c.off += 4;
    l2tp_frame(&c);
}
