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

void decode_icmp(struct cursor *c, uint8_t proto)
{
    const uint8_t *h = c->d + c->off;
    struct packet *p = c->p;
    bool v6 = proto == PROTO_ICMPV6;
    uint32_t head = v6 ? 4 : 8;
    uint8_t codes;

    if (v6 != (p->pub.ip_version == 6)) {
        decode_bad(p, v6 ? EV_IPV4_WITH_ICMPV6 : EV_IPV6_WITH_ICMPV4);
        return;
    }
    if (c->end - c->off < head) {
        if (p->what & PK_CUT)
            return;
        decode_bad(p, v6 ? EV_ICMPV6_PKT_TOO_SMALL : EV_ICMPV4_PKT_TOO_SMALL);
        return;
    }
    p->pub.sport = h[0];
    p->pub.dport = h[1];
    codes = v6 ? icmp6_codes(h[0]) : icmp4_codes(h[0]);
    if (codes == UNKNOWN)
        decode_event(p, v6 ? EV_ICMPV6_UNKNOWN_TYPE : EV_ICMPV4_UNKNOWN_TYPE);
    else if (h[1] > codes)
        decode_event(p, v6 ? EV_ICMPV6_UNKNOWN_CODE : EV_ICMPV4_UNKNOWN_CODE);
    if (c->sums && !(p->what & PK_CUT) &&
        !sum_transport_ok(p, h, c->end - c->off, proto)) {
        p->pub.flags |= EC_PK_BADSUM;
        decode_event(p, EV_ICMP_BADSUM);
    }
    p->pub.payload = (uint16_t)(c->off + head);
    p->pub.payload_len = c->end - c->off - head;
    p->whole_payload += p->pub.payload_len;
    p->what |= PK_KEY;
}
