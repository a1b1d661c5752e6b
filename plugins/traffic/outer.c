#include "plugins/traffic/outer.h"

struct tunnel_record {
    struct ec_part part;
    uint64_t flow_id;
    uint8_t src[16], dst[16];
    uint32_t proto, type;
    uint16_t sport, dport, depth, pad;
};
enum { TUNNEL_HAS_PORTS, TUNNEL_HAS_FLOW };
static const struct ec_row rows[] = {
    EC_FIELD(IP, 0, struct tunnel_record, src, "src_ip", NULL, "Sender of the outermost packet."),
    EC_FIELD_OPT(U16, 0, TUNNEL_HAS_PORTS, struct tunnel_record, sport, "src_port", NULL, "Its port."),
    EC_FIELD(IP, 0, struct tunnel_record, dst, "dest_ip", NULL, "Receiver of the outermost packet."),
    EC_FIELD_OPT(U16, 0, TUNNEL_HAS_PORTS, struct tunnel_record, dport, "dest_port", NULL, "Its port."),
    EC_FIELD_ENUM(0, struct tunnel_record, proto, "proto", "UDP,GRE,IP-in-IP,IPv6,L2TP", "Protocol of that packet."),
    EC_FIELD(U16, 0, struct tunnel_record, depth, "depth", "packets", "Packets around this one."),
    EC_FIELD_ENUM(0, struct tunnel_record, type, "type", "none,ip,gre,erspan,pptp,vxlan,geneve,gtp,teredo,"
                  "vxlan_gpe,l2tp",
                  "The innermost tunnel."),
    EC_FIELD_OPT(U64, 0, TUNNEL_HAS_FLOW, struct tunnel_record, flow_id, "flow_id", NULL,
                 "The flow of the packet around this one."),
};
static const struct ec_record shape = EC_RECORD_PART(struct tunnel_record, rows);

const struct ec_topic outer_topic = {
    sizeof(struct ec_topic), EC_TOPIC_NESTED, "ec.tunnel/1", "tunnel", &shape, NULL,
    "The packets around the packet, or around a flow's first one.",
};

static uint32_t proto_word(uint8_t proto)
{
    return proto == PROTO_UDP ? 0 : proto == PROTO_GRE ? 1 : proto == PROTO_IPIP ? 2 : proto == PROTO_L2TP ? 4 : 3;
}

void outer_part(struct ec_build *b, uint32_t topic, const struct outer *o)
{
    struct tunnel_record *r = ec_add(b, topic, sizeof *r);

    if (!r)
        return;
    memcpy(r->src, o->src, sizeof r->src);
    memcpy(r->dst, o->dst, sizeof r->dst);
    r->proto = proto_word(o->ip_proto);
    r->type = o->kind;
    r->depth = o->depth;
    r->sport = o->sport;
    r->dport = o->dport;
    r->flow_id = o->flow_id;
    r->part.has = (o->ip_proto == PROTO_UDP ? 1u << TUNNEL_HAS_PORTS : 0) |
                  (o->flow_id ? 1u << TUNNEL_HAS_FLOW : 0);
}
