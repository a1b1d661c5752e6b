/* Packets in packets: IP in IP (RFC 2003, 2473), 6in4 (RFC 4213), VXLAN (RFC 7348), its generic extension
 * (draft-ietf-nvo3-vxlan-gpe-13), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380). What is inside is decoded as a packet of its own. */
#include "plugins/traffic/decode/decode.h"

#define OFFSET_MAX 0xf000u          /* offsets are 16 bits wide; some link headers have to fit behind */
#define TEREDO_LAYERS 2             /* an authentication and an origin indication */

void decode_inner_at(struct cursor *c, uint16_t type, uint8_t kind)
{
    struct packet *p = c->p;

    if (!c->conf->depth || c->off >= c->end || c->off > OFFSET_MAX)
        return;
    if (p->pub.flags & EC_PK_BADSUM)
        return;                     /* no receiver would open it */
    if (p->pub.depth >= c->conf->depth) {
        decode_event(p, EV_TOO_MANY_LAYERS);
        return;
    }
    p->inner_at = c->off;
    p->inner_end = c->end;
    p->inner_type = type;
    p->inner_kind = kind;
    p->inner = NULL;
    p->what |= PK_INNER;
}

/* IP in IP; in IPv6, what is no such header has names of its own. */
void decode_ip_in_ip(struct cursor *c, bool six)
{
    uint32_t header = six ? 40 : 20, room = c->end - c->off;

    if (c->p->pub.ip_version == 6 && room < header) {
        if (!(c->p->what & PK_CUT))
            decode_event(c->p, six ? EV_IPV6_IN_IPV6_PKT_TOO_SMALL : EV_IPV4_IN_IPV6_PKT_TOO_SMALL);
        return;
    }
    if (c->p->pub.ip_version == 6 && c->d[c->off] >> 4 != (six ? 6 : 4)) {
        decode_event(c->p, six ? EV_IPV6_IN_IPV6_WRONG_IP_VER : EV_IPV4_IN_IPV6_WRONG_IP_VER);
        return;
    }
    decode_inner_at(c, six ? ETHER_IPV6 : ETHER_IPV4, TUNNEL_IP);
}

/* Is that an EtherType of something that is read inside a tunnel? */
static bool inner_known(uint16_t type)
{
    return type == ETHER_IPV4 || type == ETHER_IPV6 || type == ETHER_BRIDGE || type == ETHER_ARP ||
           type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_MPLS;
}

/* An Ethernet frame in a UDP tunnel. */
static void inner_ethernet(struct cursor *c, uint8_t kind, uint32_t event)
{
    if (c->end - c->off < 14)
        return;
    if (!inner_known(be16(c->d + c->off + 12)))
        decode_event(c->p, event);
    decode_inner_at(c, ETHER_BRIDGE, kind);
}

/* Where the bytes are something else that uses the port, there is nothing inside. */
static void udp_vxlan(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;

    if (c->end - c->off < 8 || (h[0] & 0x7f) != 8 || h[7])  /* the first bit: a group's policy follows */
        return;
    c->off += 8;
    inner_ethernet(c, TUNNEL_VXLAN, EV_VXLAN_UNKNOWN_PAYLOAD_TYPE);
}

enum { GPE_VERSION = 0x30, GPE_INSTANCE = 0x08, GPE_NEXT = 0x04, GPE_OAM = 0x01, GPE_RESERVED = 0xc0 };

static void udp_vxlan_gpe(struct cursor *c)
{
    static const uint16_t types[] = { 0, ETHER_IPV4, ETHER_IPV6, ETHER_BRIDGE, ETHER_NSH, ETHER_MPLS };
    const uint8_t *h = c->d + c->off;
    uint16_t type;

    if (c->end - c->off < 8 || (h[0] & (GPE_RESERVED | GPE_VERSION | GPE_OAM)) || !(h[0] & GPE_INSTANCE) || h[1] || h[2])
        return;
    type = !(h[0] & GPE_NEXT) ? ETHER_BRIDGE : h[3] < sizeof types / sizeof *types ? types[h[3]] : 0;
    c->off += 8;
    if (type == ETHER_BRIDGE)
        inner_ethernet(c, TUNNEL_VXLAN_GPE, EV_VXLAN_UNKNOWN_PAYLOAD_TYPE);
    else if (type)
        decode_inner_at(c, type, TUNNEL_VXLAN_GPE);
    else
        decode_event(c->p, EV_VXLAN_UNKNOWN_PAYLOAD_TYPE);
}

static void udp_geneve(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, len;
    uint16_t type;

    if (room < 8 || h[0] >> 6 || h[7] || (len = 8 + (h[0] & 63u) * 4) > room)
        return;
    type = be16(h + 2);
    c->off += len;
    if (type == ETHER_BRIDGE)
        inner_ethernet(c, TUNNEL_GENEVE, EV_GENEVE_UNKNOWN_PAYLOAD_TYPE);
    else if (inner_known(type))
        decode_inner_at(c, type, TUNNEL_GENEVE);
    else
        decode_event(c->p, EV_GENEVE_UNKNOWN_PAYLOAD_TYPE);
}

/* Past GTP-U's optional fields and extension headers (§5.2). False: broken. */
static bool gtp_skip(struct cursor *c, const uint8_t *h)
{
    uint32_t at = c->off + 8;
    uint8_t next;

    if (!(h[0] & 7)) {
        c->off = at;
        return true;
    }
    if (c->end - at < 4)
        return false;
    next = h[0] & 4 ? c->d[at + 3] : 0;
    for (at += 4; next; ) {
        uint32_t n;
        if (at >= c->end || !(n = c->d[at] * 4u) || n > c->end - at)
            return false;
        at += n;
        next = c->d[at - 1];
    }
    c->off = at;
    return true;
}

static void udp_gtp(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, len;
    uint8_t version;

    if (room < 8 || (h[0] & 0xf0) != 0x30 || h[1] != 0xff)      /* version 1, GTP; a user's packet */
        return;
    len = 8u + be16(h + 2);
    if (len > room && !decode_cut(c))
        return;
    if (len < room)
        c->end = c->off + len;
    if (!gtp_skip(c, h) || c->off >= c->end)
        return;
    version = c->d[c->off] >> 4;
    if (version != 4 && version != 6)
        return;
    decode_inner_at(c, version == 4 ? ETHER_IPV4 : ETHER_IPV6, TUNNEL_GTP);
}

/* §5.1.1: indications, then IPv6 whose length is that of the rest. */
static void udp_teredo(struct cursor *c)
{
    for (uint32_t i = 0; i < TEREDO_LAYERS && c->end - c->off >= 8 && c->d[c->off] == 0; i++) {
        const uint8_t *h = c->d + c->off;
        uint32_t n = h[1] == 0 ? 8 : h[1] == 1 && c->end - c->off >= 13 ? 13u + h[2] + h[3] : 0;
        if (!n || n > c->end - c->off)
            return;
        c->off += n;
    }
    if (c->end - c->off < 40 || c->d[c->off] >> 4 != 6)
        return;
    if (40u + be16(c->d + c->off + 4) != c->end - c->off && !decode_cut(c))
        return;
    decode_inner_at(c, ETHER_IPV6, TUNNEL_TEREDO);
}

static uint32_t tunnel_of(const struct decode_conf *conf, uint16_t port)
{
    for (uint32_t i = 0; i < conf->ports; i++)
        if (conf->port[i].port == port)
            return conf->port[i].kind;
    return TUNNEL_NONE;
}

void decode_udp_tunnel(const struct cursor *udp, uint16_t sport, uint16_t dport)
{
    uint32_t kind = tunnel_of(udp->conf, dport), from = tunnel_of(udp->conf, sport);
    struct cursor c = *udp;

    if (kind == TUNNEL_NONE && (from == TUNNEL_TEREDO || from == TUNNEL_L2TP))      /* answers, too */
        kind = from;
    switch (kind) {
    case TUNNEL_VXLAN:
        udp_vxlan(&c);
        break;
    case TUNNEL_GENEVE:
        udp_geneve(&c);
        break;
    case TUNNEL_GTP:
        udp_gtp(&c);
        break;
    case TUNNEL_TEREDO:
        udp_teredo(&c);
        break;
    case TUNNEL_VXLAN_GPE:
        udp_vxlan_gpe(&c);
        break;
    case TUNNEL_L2TP:
        decode_l2tp_udp(&c);
        break;
    default:
        break;
    }
}

bool decode_tunnel_port(struct decode_conf *conf, uint16_t port, uint8_t kind)
{
    if (conf->ports == TUNNEL_PORTS)
        return false;
    conf->port[conf->ports].port = port;
    conf->port[conf->ports++].kind = kind;
    conf->port_mask |= UINT64_C(1) << (port & 63);
    return true;
}

void decode_conf_defaults(struct decode_conf *conf)
{
    memset(conf, 0, sizeof *conf);
    conf->depth = TUNNEL_DEPTH;
    conf->offloads = true;
    decode_tunnel_port(conf, 4789, TUNNEL_VXLAN);
    decode_tunnel_port(conf, 6081, TUNNEL_GENEVE);
    decode_tunnel_port(conf, 2152, TUNNEL_GTP);
    decode_tunnel_port(conf, 3544, TUNNEL_TEREDO);
    decode_tunnel_port(conf, 4790, TUNNEL_VXLAN_GPE);
    decode_tunnel_port(conf, 1701, TUNNEL_L2TP);
}

const char *tunnel_name(uint32_t kind)
{
    static const char *const names[] = { "", "ip", "gre", "erspan", "pptp", "vxlan", "geneve", "gtp", "teredo",
                                         "vxlan_gpe", "l2tp" };

    return names[kind < sizeof names / sizeof *names ? kind : 0];
}
