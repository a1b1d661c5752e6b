#include "plugins/ids/evidence/why.h"

#include "plugins/ids/evidence/secret.h"

#include <string.h>

struct why_match {
    struct ec_span keyword, buffer, bytes, printable;
    uint64_t has, offset, wire_offset, wire_length, count;
    uint32_t length, item, wire_kind, wire_direction;
    uint8_t masked, pad[7];
};
struct why_record {
    struct ec_part part;
    struct ec_span rule, file, packet;
    struct ec_list matches;
    uint32_t line, linktype, caplen, wirelen;
};

enum { MATCH_ITEM, MATCH_WIRE, MATCH_COUNT, MATCH_MASKED };
#define MATCH(T, member, name, help) EC_FIELD(T, 0, struct why_match, member, name, NULL, help)
#define MATCH_OPT(T, bit, member, name, help) EC_FIELD_OPT(T, 0, bit, struct why_match, member, name, NULL, help)
#define MATCH_WORDS(member, name, words, help) \
    { EC_T_ENUM, EC_R_OPT, MATCH_WIRE, 0, (uint32_t)offsetof(struct why_match, member), (name), NULL, (words), NULL, \
      NULL, (help), 0, 0 }
static const struct ec_row match_rows[] = {
    MATCH(TEXT, keyword, "keyword", "which keyword of the rule"),
    MATCH(TEXT, buffer, "buffer", "where it looked"),
    MATCH_OPT(U32, MATCH_ITEM, item, "item", "which of a list of such buffers, from 0"),
    MATCH(U64, offset, "offset", "where the match begins in the buffer"),
    MATCH(U32, length, "length", "bytes"),
    MATCH(HEX, bytes, "bytes", "what stood there; at most 1024 bytes"),
    MATCH(WIRE, printable, "printable", "the same to be read"),
    MATCH_OPT(BOOL, MATCH_MASKED, masked, "masked", "a secret: the bytes were replaced by '*'"),
    MATCH_WORDS(wire_kind, "wire.kind", "none,stream,datagram,packet",
                "stream: offset counts from the first byte of the connection's direction; datagram: in the UDP "
                "payload; packet: in the captured frame"),
    MATCH_WORDS(wire_direction, "wire.direction", "to_server,to_client", "of the stream or packet"),
    MATCH_OPT(U64, MATCH_WIRE, wire_offset, "wire.offset", "where the bytes stand on the wire"),
    MATCH_OPT(U64, MATCH_WIRE, wire_length, "wire.length", "bytes"),
    MATCH_OPT(U64, MATCH_COUNT, count, "wire.pcap_cnt", "position of that packet in the capture, from 1"),
};
static const struct ec_record match_shape = {
    sizeof(struct ec_record), sizeof(struct why_match), EC_ROWS(match_rows),
    (uint32_t)offsetof(struct why_match, has), 0, match_rows,
};

enum { WHY_PACKET, WHY_FRAME };
static const struct ec_row why_rows[] = {
    EC_FIELD(WIRE, 0, struct why_record, rule, "rule", NULL, "the rule's text"),
    EC_FIELD(TEXT, 0, struct why_record, file, "file", NULL, "where the rule stands"),
    EC_FIELD(U32, 0, struct why_record, line, "line", NULL, "and in which line"),
    EC_FIELD_LIST(&match_shape, struct why_record, matches, "matches", "each content and regular expression that held"),
    EC_FIELD_OPT(BYTES, 0, WHY_PACKET, struct why_record, packet, "packet.data", NULL,
                 "the frame, cut to ids.packet_bytes; secrets are replaced by '*'"),
    EC_FIELD_OPT(U32, 0, WHY_FRAME, struct why_record, linktype, "packet.linktype", NULL, "LINKTYPE_ of the frame"),
    EC_FIELD_OPT(U32, 0, WHY_FRAME, struct why_record, caplen, "packet.caplen", "bytes", "captured"),
    EC_FIELD_OPT(U32, 0, WHY_FRAME, struct why_record, wirelen, "packet.wirelen", "bytes", "sent"),
};
static const struct ec_record why_shape = EC_RECORD_PART(struct why_record, why_rows);
const struct ec_topic why_topic = {
    sizeof(struct ec_topic), EC_TOPIC_NESTED, "ec.evidence/1", "ecyber.why", &why_shape, NULL,
    "Why a rule matched: its text, and each match with its place and bytes.",
};

static struct ec_span why_masked(struct ec_build *b, uint32_t n)
{
    char stars[WHY_BYTES];

    memset(stars, '*', n);
    return ec_put(b, stars, n);
}

/* A copy of what matched; *masked: a part of it is a secret. */
static struct ec_span why_bytes(struct ec_build *b, const struct finding *f, uint32_t n, bool *masked)
{
    uint8_t copy[WHY_BYTES];

    memcpy(copy, f->bytes, n);
    *masked |= secret_mask_bytes(copy, f->bytes, n, f->before);
    return ec_put(b, copy, n);
}

static void why_one(struct ec_build *b, struct why_match *m, const struct finding *f)
{
    uint32_t n = f->len < WHY_BYTES ? f->len : WHY_BYTES;
    bool masked = f->secret;

    m->keyword = ec_puts(b, f->keyword);
    m->buffer = ec_puts(b, f->buffer);
    m->offset = f->offset;
    m->length = f->len;
    m->item = f->item;
    m->bytes = f->secret ? why_masked(b, n) : why_bytes(b, f, n, &masked);
    m->printable = f->secret ? why_masked(b, n) : why_bytes(b, f, n, &masked);
    m->masked = masked;
    m->wire_kind = f->wire;
    m->wire_direction = f->dir;
    m->wire_offset = f->wire_offset;
    m->wire_length = f->len;
    m->count = f->count;
    m->has = (f->listed ? 1u << MATCH_ITEM : 0) | (f->wire ? 1u << MATCH_WIRE : 0) |
             (masked ? 1u << MATCH_MASKED : 0) | (f->wire && f->count ? 1u << MATCH_COUNT : 0);
}

static void why_packet(struct ec_build *b, struct why_record *y, const struct scope *s, uint32_t packet_bytes)
{
    const struct ec_frame *f = s->packet->frame;
    uint32_t n = f->caplen < packet_bytes ? f->caplen : packet_bytes;

    y->linktype = f->linktype;
    y->caplen = f->caplen;
    y->wirelen = f->wirelen;
    y->part.has |= 1u << WHY_FRAME;
    if (!n)
        return;
    y->packet = ec_put(b, f->data, n);
    if (secret_mask(s, b->base + b->part + y->packet.off, y->packet.len))
        y->part.has |= 1u << WHY_PACKET;
    else
        memset(b->base + b->part + y->packet.off, 0, y->packet.len);
}

void why_part(struct ec_build *b, uint32_t topic, const struct scope *s, const struct hit *h, uint32_t packet_bytes)
{
    struct why_record *y = ec_add(b, topic, sizeof *y);
    struct why_match *m;

    if (!y)
        return;
    y->rule = ec_puts(b, h->rule->text);
    y->file = ec_puts(b, h->rule->file);
    y->line = h->rule->line;
    m = h->n ? ec_rows(b, &y->matches, h->n, sizeof *m) : NULL;
    for (uint32_t i = 0; m && i < h->n; i++)
        why_one(b, &m[i], &h->finding[i]);
    if (s->packet)
        why_packet(b, y, s, packet_bytes);
}
