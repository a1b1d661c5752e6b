#include "plugins/traffic/about.h"

#include <openssl/evp.h>

struct about_record {
    struct ec_part part;
    struct ec_span community;
    uint8_t src[16], dst[16];
    uint32_t proto;
    uint16_t sport, dport;
};
static const struct ec_row rows[] = {
    EC_FIELD(IP, 0, struct about_record, src, "src_ip", NULL, "Sender of the packet that an error came back for."),
    EC_FIELD(U16, 0, struct about_record, sport, "src_port", NULL, "Its port."),
    EC_FIELD(IP, 0, struct about_record, dst, "dest_ip", NULL, "Where it was sent."),
    EC_FIELD(U16, 0, struct about_record, dport, "dest_port", NULL, "Its port."),
    EC_FIELD_ENUM(0, struct about_record, proto, "proto", "TCP,UDP,SCTP", "Its protocol."),
    EC_FIELD(TEXT, 0, struct about_record, community, "community_id", NULL, "Community ID of its flow."),
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

struct about about_of(const struct packet *p)
{
    struct about a = { .sport = p->icmp.sport, .dport = p->icmp.dport, .ip_proto = p->icmp.proto };

    address(a.src, p->icmp.src, p->pub.ip_version == 6);
    address(a.dst, p->icmp.dst, p->pub.ip_version == 6);
    return a;
}

void about_part(struct ec_build *b, uint32_t topic, uint16_t seed, const struct about *a)
{
    struct about_record *r = ec_add(b, topic, sizeof *r);
    uint8_t hash[20];
    char text[32] = "1:";

    if (!r)
        return;
    memcpy(r->src, a->src, sizeof r->src);
    memcpy(r->dst, a->dst, sizeof r->dst);
    r->sport = a->sport;
    r->dport = a->dport;
    r->proto = a->ip_proto == PROTO_TCP ? 0 : a->ip_proto == PROTO_UDP ? 1 : 2;
    community_hash(hash, seed, a->src, a->dst, a->ip_proto, a->sport, a->dport);
    EVP_EncodeBlock((unsigned char *)text + 2, hash, sizeof hash);
    r->community = ec_puts(b, text);
}
