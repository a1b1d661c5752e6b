/* ARP for IPv4 over Ethernet: RFC 826; codes: https://www.iana.org/assignments/arp-parameters. */
#include "plugins/traffic/decode/decode.h"

#define ARP_HEADER 8u
#define ARP_WHOLE 28u
enum { HARDWARE_ETHERNET = 1, HARDWARE_802 = 6, PROTOCOL_IPV4 = 0x0800, OPCODES = 25 };

/* What is wrong with it, or EV_COUNT. */
static uint32_t arp_fault(const uint8_t *h, uint32_t room)
{
    uint16_t hardware = be16(h), opcode = be16(h + 6);

    if (hardware != HARDWARE_ETHERNET && hardware != HARDWARE_802)
        return EV_ARP_UNSUPPORTED_HARDWARE;
    if (be16(h + 2) != PROTOCOL_IPV4)
        return EV_ARP_UNSUPPORTED_PROTOCOL;
    if (h[4] != 6)
        return EV_ARP_INVALID_HARDWARE_SIZE;
    if (h[5] != 4)
        return EV_ARP_INVALID_PROTOCOL_SIZE;
    if (!opcode || opcode > OPCODES)
        return EV_ARP_UNSUPPORTED_OPCODE;
    return room < ARP_WHOLE ? EV_ARP_PKT_TOO_SMALL : EV_COUNT;
}

void decode_arp(struct cursor *c)
{
    uint32_t room = c->end - c->off, event = EV_ARP_PKT_TOO_SMALL;

    c->p->what |= PK_NOT_IP | PK_ARP;
    if (room >= ARP_HEADER)
        event = arp_fault(c->d + c->off, room);
    if (event != EV_COUNT && !(event == EV_ARP_PKT_TOO_SMALL && decode_cut(c)))
        decode_event(c->p, event);
}
