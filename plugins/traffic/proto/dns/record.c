/* record.c: the record of a DNS message, with the names that EVE gives its fields. */
#include "record.h"


#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "message.h"
#include "name.h"
#include "rdata.h"
#include "types.h"

#define RECORDS_MAX 256             /* of one section that are written; the rest is cut */

struct dns_soa { struct ec_span mname, rname; uint32_t serial, refresh, retry, expire, minimum; };

struct dns_answer {
    struct ec_span rrname, rrtype, rdata;
    uint64_t has;                   /* not first: an offset of 0 says that there is none */
    uint32_t ttl, reserved;
    struct dns_soa soa;
};
enum { ANSWER_SOA = 1 };

struct dns_event {
    struct ec_part part;
    uint64_t tx_id;
    uint32_t version, type, id, opcode;
    uint8_t qr, aa, tc, rd, ra, z, pad[2];
    struct ec_span flags, rrname, rrtype, rcode;
    struct ec_list answers, authorities, grouped;
};
enum { HAS_ANSWER, HAS_QR, HAS_AA, HAS_TC, HAS_RD, HAS_RA, HAS_Z };

static const struct ec_row soa_rows[] = {
    EC_FIELD(WIRE, 0, struct dns_soa, mname, "mname", NULL, "primary name server"),
    EC_FIELD(WIRE, 0, struct dns_soa, rname, "rname", NULL, "mailbox of who is responsible"),
    EC_FIELD(U32, 0, struct dns_soa, serial, "serial", NULL, "version of the zone"),
    EC_FIELD(U32, 0, struct dns_soa, refresh, "refresh", "s", "time between refreshes"),
    EC_FIELD(U32, 0, struct dns_soa, retry, "retry", "s", "time before a failed refresh is tried again"),
    EC_FIELD(U32, 0, struct dns_soa, expire, "expire", "s", "when the zone is no longer authoritative"),
    EC_FIELD(U32, 0, struct dns_soa, minimum, "minimum", "s", "time to live of negative answers"),
};
static const struct ec_record soa_record = EC_RECORD_ELEMENT(struct dns_soa, soa_rows);

static const struct ec_row answer_rows[] = {
    EC_FIELD(WIRE, 0, struct dns_answer, rrname, "rrname", NULL, "owner name"),
    EC_FIELD(TEXT, 0, struct dns_answer, rrtype, "rrtype", NULL, "type"),
    EC_FIELD(U32, 0, struct dns_answer, ttl, "ttl", "s", "time to live"),
    EC_FIELD(WIRE, 0, struct dns_answer, rdata, "rdata", NULL, "data in text form"),
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, ANSWER_SOA, 0, (uint32_t)offsetof(struct dns_answer, soa), "soa", &soa_record,
      NULL, NULL, NULL, "start of authority", 0, 0 },
};
static const struct ec_record answer_record = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct dns_answer), EC_ROWS(answer_rows),
    (uint32_t)offsetof(struct dns_answer, has), 0, answer_rows };

static const struct ec_row event_rows[] = {
    EC_FIELD_OPT(U32, 0, HAS_ANSWER, struct dns_event, version, "version", NULL, "of this form of the record"),
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct dns_event, type, "type", "query,answer", "kind of message"),
    EC_FIELD(U32, EC_R_COLUMN, struct dns_event, id, "id", NULL, "message id"),
    EC_FIELD(TEXT, 0, struct dns_event, flags, "flags", NULL, "header flags of an answer, hexadecimal"),
    EC_FIELD_OPT(BOOL, 0, HAS_QR, struct dns_event, qr, "qr", NULL, "response"),
    EC_FIELD_OPT(BOOL, 0, HAS_AA, struct dns_event, aa, "aa", NULL, "authoritative answer"),
    EC_FIELD_OPT(BOOL, 0, HAS_TC, struct dns_event, tc, "tc", NULL, "truncated"),
    EC_FIELD_OPT(BOOL, 0, HAS_RD, struct dns_event, rd, "rd", NULL, "recursion desired"),
    EC_FIELD_OPT(BOOL, 0, HAS_RA, struct dns_event, ra, "ra", NULL, "recursion available"),
    EC_FIELD_OPT(BOOL, 0, HAS_Z, struct dns_event, z, "z", NULL, "reserved bit"),
    EC_FIELD(U32, 0, struct dns_event, opcode, "opcode", NULL, "kind of query"),
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct dns_event, rrname, "rrname", NULL, "first name asked for"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct dns_event, rrtype, "rrtype", NULL, "first type asked for"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct dns_event, rcode, "rcode", NULL, "response code"),
    EC_FIELD(U64, 0, struct dns_event, tx_id, "tx_id", NULL, "transaction in its flow"),
    EC_FIELD_LIST(&answer_record, struct dns_event, answers, "answers", "answer section"),
    EC_FIELD_LIST(&answer_record, struct dns_event, authorities, "authorities", "authority section"),
    EC_FIELD(MAP, EC_R_LIST | EC_R_DOC, struct dns_event, grouped, "grouped", NULL, "answers by type"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct dns_event, event_rows);
const struct ec_topic dns_topic = {
    sizeof dns_topic, EC_TOPIC_EVENT, "ec.dns/1", "dns", &event_record, NULL, "one DNS message" };

static struct ec_span put_name(struct ec_build *b, const struct dns_message *m, uint32_t at)
{
    uint8_t text[DNS_NAME_MAX];
    int whole;
    uint32_t n = dns_name_text(m, at, text, sizeof text, &whole);

    return ec_put(b, text, n);
}

static struct ec_span put_type(struct ec_build *b, uint16_t type)
{
    char scratch[16];

    return ec_puts(b, dns_type_name(type, scratch));
}

static void put_soa(struct dns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    struct dns_soa_data soa;

    if (!rdata_soa(m, r, &soa))
        return;
    a->has |= UINT64_C(1) << ANSWER_SOA;
    a->soa.mname = put_name(b, m, soa.mname);
    a->soa.rname = put_name(b, m, soa.rname);
    a->soa.serial = soa.number[0];
    a->soa.refresh = soa.number[1];
    a->soa.retry = soa.number[2];
    a->soa.expire = soa.number[3];
    a->soa.minimum = soa.number[4];
}

static void put_record(struct dns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    uint8_t text[RDATA_MAX];

    a->rrname = put_name(b, m, r->name);
    a->rrtype = put_type(b, r->type);
    a->ttl = r->ttl;
    if (r->type == DNS_T_SOA)
        put_soa(a, m, r, b);
    else if (rdata_has_text(r->type))
        a->rdata = ec_put(b, text, rdata_text(m, r, text, sizeof text));
}

/* How many records of a section can be read, from *at on. EDNS' pseudo-record does not count. */
static uint32_t section_count(const struct dns_message *m, uint32_t at, uint16_t declared)
{
    struct dns_rr r;
    uint32_t n = 0;

    for (uint32_t i = 0; i < declared && n < RECORDS_MAX && dns_rr_next(m, &at, &r); i++)
        n += r.type != DNS_T_OPT;
    return n;
}

static void put_section(struct ec_list *l, const struct dns_message *m, uint32_t *at, uint16_t declared,
                        struct ec_build *b)
{
    uint32_t n = section_count(m, *at, declared), done = 0;
    struct dns_answer *a = n ? ec_rows(b, l, n, sizeof *a) : NULL;
    struct dns_rr r;

    for (uint32_t i = 0; i < declared && dns_rr_next(m, at, &r); i++)
        if (a && r.type != DNS_T_OPT && done < n)
            put_record(&a[done++], m, &r, b);
}

/* The answers once more, by type: {"A": ["192.0.2.1", …]}. */
static void put_grouped(struct dns_event *e, const struct ec_list *answers, struct ec_build *b)
{
    struct ec_pair *pair;
    uint32_t base = (uint32_t)((uint8_t *)e - b->base), n = 0;
    const struct dns_answer *a;

    if (!answers->n)
        return;
    a = (const struct dns_answer *)(const void *)(b->base + base + answers->off);
    for (uint32_t i = 0; i < answers->n; i++)
        n += a[i].rdata.off != 0;
    if (!n || !(pair = ec_rows(b, &e->grouped, n, sizeof *pair)))
        return;
    for (uint32_t i = 0; i < answers->n; i++)
        if (a[i].rdata.off) {
            pair->key = a[i].rrtype;
            pair++->value = a[i].rdata;
        }
}

/* Without zeros in front. */
static struct ec_span put_hex(uint16_t v, struct ec_build *b)
{
    char s[4];
    uint32_t at = sizeof s;

    do
        s[--at] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    return ec_put(b, s + at, sizeof s - at);
}

static void put_header(struct dns_event *e, const struct dns_message *m, struct ec_build *b)
{
    static const uint16_t bits[] = { DNS_QR, DNS_AA, DNS_TC, DNS_RD, DNS_RA, DNS_Z };
    uint8_t *flags[] = { &e->qr, &e->aa, &e->tc, &e->rd, &e->ra, &e->z };
    char text[16];

    e->part.has |= UINT64_C(1) << HAS_ANSWER;
    e->version = 2;
    e->flags = put_hex(m->flags, b);
    for (unsigned i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (m->flags & bits[i]) {
            *flags[i] = 1;
            e->part.has |= UINT64_C(1) << (HAS_QR + i);
        }
    e->rcode = ec_puts(b, dns_rcode_name(dns_rcode(m->flags), text));
}

int32_t dns_record(const struct dns_message *m, uint64_t tx_id, uint32_t topic, struct ec_build *b)
{
    struct dns_event *e = ec_add(b, topic, sizeof *e);
    uint32_t at = DNS_HEADER;
    struct dns_rr q;

    if (!e)
        return EC_ELIMIT;
    e->type = (m->flags & DNS_QR) != 0;
    e->id = m->id;
    e->tx_id = tx_id;
    e->opcode = dns_opcode(m->flags);
    if (e->type)
        put_header(e, m, b);
    for (uint32_t i = 0; i < m->count[DNS_QUESTION] && dns_question_next(m, &at, &q); i++)
        if (!i) {
            e->rrname = put_name(b, m, q.name);
            e->rrtype = put_type(b, q.type);
        }
    if (!e->type)
        return EC_OK;
    put_section(&e->answers, m, &at, m->count[DNS_ANSWER], b);
    put_section(&e->authorities, m, &at, m->count[DNS_AUTHORITY], b);
    put_grouped(e, &e->answers, b);
    return EC_OK;
}
