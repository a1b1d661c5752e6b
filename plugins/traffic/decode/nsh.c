/* Network Service Header: RFC 8300 §2. */
#include "plugins/traffic/decode/decode.h"

#define NSH_HEADER 8u
enum { MD_RESERVED = 0, MD_FIXED = 1, MD_VARIABLE = 2 };
enum { NEXT_IPV4 = 1, NEXT_IPV6 = 2, NEXT_ETHERNET = 3, NEXT_NSH = 4, NEXT_MPLS = 5 };

/* What is wrong with it, or EV_COUNT. len: of the whole header, as it says itself. */
static uint32_t nsh_fault(const uint8_t *h, uint32_t len, uint32_t room)
{
    uint8_t type = h[2] & 15;

    if (h[0] >> 6)
        return EV_NSH_UNSUPPORTED_VERSION;
    if (len < NSH_HEADER || len > room || (type == MD_FIXED && len != 24))
        return EV_NSH_BAD_HEADER_LENGTH;
    if (type == MD_RESERVED)
        return EV_NSH_RESERVED_TYPE;
    return type > MD_VARIABLE ? EV_NSH_UNSUPPORTED_TYPE : EV_COUNT;
}

void decode_nsh(struct cursor *c)
{
    static const uint16_t type[] = { [NEXT_IPV4] = ETHER_IPV4, [NEXT_IPV6] = ETHER_IPV6,
                                     [NEXT_ETHERNET] = ETHER_BRIDGE, [NEXT_NSH] = ETHER_NSH, [NEXT_MPLS] = ETHER_MPLS };
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, len, event;

    if (room < NSH_HEADER) {
        decode_bad(c->p, EV_NSH_HEADER_TOO_SMALL);
        return;
    }
    len = (h[1] & 63u) * 4;
    if ((event = nsh_fault(h, len, room)) != EV_COUNT) {
        decode_bad(c->p, event);
        return;
    }
    c->off += len;
    if (h[3] < sizeof type / sizeof *type && type[h[3]]) {
        decode_ethertype(c, type[h[3]]);
    } else {
        c->p->what |= PK_NOT_IP;
        decode_event(c->p, EV_NSH_UNKNOWN_PAYLOAD);
    }
}
