/* ICMP (RFC 792) and ICMPv6 (RFC 4443, 4861, 2710, 3810). */
#include "plugins/traffic/decode/decode.h"

#define ANY_CODE 255
#define UNKNOWN 254

/* The highest code of a type. https://www.iana.org/assignments/icmp-parameters */
static uint8_t icmp4_codes(uint8_t type)
{
    switch (type) {
    case 0: case 4: case 6: case 8: case 10: case 13: case 14: case 15: case 16: case 17: case 18:
        return 0;
    case 3:
        return 15;
    case 5:
        return 3;
    case 9:
        return 16;
    case 11:
        return 1;
    case 12:
        return 2;
    case 30:
    case 31:
    case 32:
    case 33:
    case 34:
    case 35:
    case 36:
    case 37:
    case 38:
    case 39:
    case 40:
    case 41:
        return ANY_CODE;
    default:
        return UNKNOWN;
    }
}

/* https://www.iana.org/assignments/icmpv6-parameters */
static uint8_t icmp6_codes(uint8_t type)
{
    switch (type) {
    case 1:
        return 8;
    case 2:
    case 128:
    case 129:
    case 130:
    case 131:
    case 132:
    case 133:
    case 134:
    case 135:
    case 136:
    case 137:
    case 141: case 142: case 143:
        return 0;
    case 3:
        return 1;
    case 4:
        return 10;
    case 138:
    case 139:
    case 140:
    case 144:
    case 145:
    case 146:
    case 147:
    case 148:
    case 149:
    case 150:
    case 151:
    case 152: case 153: case 154: case 155: case 157: case 158: case 159: case 160: case 161:
        return ANY_CODE;
    default:
        return UNKNOWN;
    }
}

/* RFC 4443 §2.1: what an unknown type is called. */
static uint32_t icmp6_unknown(uint8_t type)
{
    if (type == 100 || type == 101 || type == 200 || type == 201)
        return EV_ICMPV6_EXPERIMENTATION_TYPE;
    return type == 0 || type == 127 || type == 255 ? EV_ICMPV6_UNKNOWN_TYPE : EV_ICMPV6_UNASSIGNED_TYPE;
}

static void icmp_codes(struct packet *p, const uint8_t *h, bool v6)
{
    uint8_t codes = v6 ? icmp6_codes(h[0]) : icmp4_codes(h[0]);

    if (codes == UNKNOWN)
        decode_event(p, v6 ? icmp6_unknown(h[0]) : EV_ICMPV4_UNKNOWN_TYPE);
    else if (h[1] > codes)
        decode_event(p, v6 ? EV_ICMPV6_UNKNOWN_CODE : EV_ICMPV4_UNKNOWN_CODE);
}

/* Messages about a packet, which they hold the beginning of. */
static bool icmp_is_error(uint8_t type, bool v6)
{
    return v6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Multicast listener messages never leave the link: RFC 2710 §3, RFC 3810 §5. */
static bool icmp_is_mld(uint8_t type)
{
    return (type >= 130 && type <= 132) || type == 143;
}

/* The ports of the packet that an error is about, where its header goes so far. */
static void embedded_ports(struct packet *p, const uint8_t *d, uint32_t n)
{
    if (n < 4 || (p->icmp.proto != PROTO_TCP && p->icmp.proto != PROTO_UDP && p->icmp.proto != PROTO_SCTP))
        return;
    p->icmp.sport = be16(d);
    p->icmp.dport = be16(d + 2);
    p->what |= PK_ICMP_ABOUT;
}

static void embedded_ipv4(struct packet *p, const uint8_t *d, uint32_t n)
{
    uint32_t hlen;

    if (n < 20 || (hlen = (d[0] & 15u) * 4) < 20 || hlen > n) {
        if (!(p->what & PK_CUT))
            decode_event(p, EV_ICMPV4_IPV4_TRUNC_PKT);
        return;
    }
    if (d[0] >> 4 != 4) {
        decode_event(p, EV_ICMPV4_IPV4_UNKNOWN_VER);
        return;
    }
    p->icmp.src = d + 12;
    p->icmp.dst = d + 16;
    p->icmp.proto = d[9];
    if (!(be16(d + 6) & 0x1fff))
        embedded_ports(p, d + hlen, n - hlen);
}

static void embedded_ipv6(struct packet *p, const uint8_t *d, uint32_t n)
{
    if (n < 40) {
        if (!(p->what & PK_CUT))
            decode_event(p, EV_ICMPV6_IPV6_TRUNC_PKT);
        return;
    }
    if (d[0] >> 4 != 6) {
        decode_event(p, EV_ICMPV6_IPV6_UNKNOWN_VER);
        return;
    }
    p->icmp.src = d + 8;
    p->icmp.dst = d + 24;
    p->icmp.proto = d[6];
    embedded_ports(p, d + 40, n - 40);
}

static void icmp_payload(struct cursor *c, const uint8_t *h, bool v6)
{
    struct packet *p = c->p;
    uint32_t head = v6 ? 4 : 8;

    p->pub.payload = (uint16_t)(c->off + head);
    p->pub.payload_len = c->end - c->off - head;
    p->whole_payload += p->pub.payload_len;
    p->what |= PK_KEY;
    if (!icmp_is_error(h[0], v6))
        return;
    if (!v6)
        embedded_ipv4(p, h + 8, c->end - c->off - 8);
    else
        embedded_ipv6(p, h + 8, c->end - c->off < 8 ? 0 : c->end - c->off - 8);
}

void decode_icmp(struct cursor *c, uint8_t proto)
{
    const uint8_t *h = c->d + c->off;
    struct packet *p = c->p;
    bool v6 = proto == PROTO_ICMPV6;

    if (v6 != (p->pub.ip_version == 6)) {
        decode_bad(p, v6 ? EV_IPV4_WITH_ICMPV6 : EV_IPV6_WITH_ICMPV4);
        return;
    }
    if (c->end - c->off < (v6 ? 4u : 8u)) {
        if (p->what & PK_CUT)
            return;
        decode_bad(p, v6 ? EV_ICMPV6_PKT_TOO_SMALL : EV_ICMPV4_PKT_TOO_SMALL);
        return;
    }
    p->pub.sport = h[0];
    p->pub.dport = h[1];
    icmp_codes(p, h, v6);
    if (v6 && icmp_is_mld(h[0]) && c->d[p->pub.l3 + 7] != 1)
        decode_event(p, EV_ICMPV6_MLD_MESSAGE_WITH_INVALID_HL);
    if (c->sums && !(p->what & PK_CUT) && !sum_transport_ok(p, h, c->end - c->off, proto)) {
        p->pub.flags |= EC_PK_BADSUM;
        decode_event(p, EV_ICMP_BADSUM);
    }
    icmp_payload(c, h, v6);
}
