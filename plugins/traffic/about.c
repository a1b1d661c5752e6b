#include "plugins/traffic/about.h"

struct about_record {
    struct ec_part part;
    uint64_t flow_id;
    uint8_t src[16], dst[16];
    uint32_t proto;
    uint16_t sport, dport;
};
enum { ABOUT_HAS_FLOW };
static const struct ec_row rows[] = {
    EC_FIELD(IP, 0, struct about_record, src, "src_ip", NULL, "Sender of the packet that an error came back for."),
    EC_FIELD(U16, 0, struct about_record, sport, "src_port", NULL, "Its port."),
    EC_FIELD(IP, 0, struct about_record, dst, "dest_ip", NULL, "Where it was sent."),
    EC_FIELD(U16, 0, struct about_record, dport, "dest_port", NULL, "Its port."),
    EC_FIELD_ENUM(0, struct about_record, proto, "proto", "TCP,UDP,SCTP", "Its protocol."),
    EC_FIELD_OPT(U64, 0, ABOUT_HAS_FLOW, struct about_record, flow_id, "flow_id", NULL, "Its flow, where it was seen."),
};
static const struct ec_record shape = EC_RECORD_PART(struct about_record, rows);

const struct ec_topic about_topic = {
    sizeof(struct ec_topic), EC_TOPIC_NESTED, "ec.about/1", "ecyber.about", &shape, NULL,
    "The packet that the first ICMP error of a flow is about.",
};

static void address(uint8_t out[16], const uint8_t *d, bool v6)
{
    if (v6) {
        memcpy(out, d, 16);
        return;
    }
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, d, 4);
}

struct about about_of(const struct worker *w, const struct packet *p)
{
    bool v6 = p->pub.ip_version == 6;
    struct about a = { .sport = p->icmp.sport, .dport = p->icmp.dport, .ip_proto = p->icmp.proto };
    struct packet q = { .pub = { .ip_version = p->pub.ip_version, .ip_proto = p->icmp.proto, .depth = p->pub.depth,
                                 .sport = a.sport, .dport = a.dport }, .vlans = p->vlans };
    const struct flow *f;
    uint32_t dir;

    address(a.src, p->icmp.src, v6);
    address(a.dst, p->icmp.dst, v6);
    memcpy(q.pub.src, a.src, sizeof a.src);
    memcpy(q.pub.dst, a.dst, sizeof a.dst);
    memcpy(q.vlan, p->vlan, sizeof q.vlan);
    key_hash(&w->table, &q);
    f = table_find(&w->table, &q, &dir);
    a.flow_id = f ? f->pub.id : 0;
    return a;
}

void about_part(struct ec_build *b, uint32_t topic, const struct about *a)
{
    struct about_record *r = ec_add(b, topic, sizeof *r);

    if (!r)
        return;
    memcpy(r->src, a->src, sizeof r->src);
    memcpy(r->dst, a->dst, sizeof r->dst);
    r->sport = a->sport;
    r->dport = a->dport;
    r->proto = a->ip_proto == PROTO_TCP ? 0 : a->ip_proto == PROTO_UDP ? 1 : 2;
    r->flow_id = a->flow_id;
    r->part.has = a->flow_id ? 1u << ABOUT_HAS_FLOW : 0;
}
