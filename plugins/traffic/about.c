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
    "The packet that the ICMP errors of a flow are about, where its own flow was not found.",
};

struct error_record {
    struct ec_part part;
    uint64_t errors;
    uint8_t src[16];
    uint32_t type, code;
};
static const struct ec_row error_rows[] = {
    EC_FIELD(U64, 0, struct error_record, errors, "errors", "packets", "ICMP errors about the flow, counted in it."),
    EC_FIELD(U32, 0, struct error_record, type, "type", NULL, "Type of the first one."),
    EC_FIELD(U32, 0, struct error_record, code, "code", NULL, "Its code."),
    EC_FIELD(IP, 0, struct error_record, src, "src_ip", NULL, "Who sent it."),
};
static const struct ec_record error_shape = EC_RECORD_PART(struct error_record, error_rows);

const struct ec_topic error_topic = {
    sizeof(struct ec_topic), EC_TOPIC_NESTED, "ec.icmp/1", "ecyber.icmp", &error_shape, NULL,
    "What ICMP errors said about a flow.",
};

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

void error_part(struct ec_build *b, uint32_t topic, const struct icmp_error *e)
{
    struct error_record *r = ec_add(b, topic, sizeof *r);

    if (!r)
        return;
    r->errors = e->n;
    r->type = e->type;
    r->code = e->code;
    memcpy(r->src, e->src, sizeof r->src);
}
