/* record.c: the record of a DNS message, with the names that EVE gives its fields. */
#include "record.h"

#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "message.h"
#include "name.h"
#include "rdata.h"
#include "types.h"

#define RECORDS_MAX 256             /* of one section that are written; the rest is cut */
#define SRV_NAME 6u                 /* where the name stands in its data (RFC 2782) */
#define SSHFP_KEY 2u                /* and the fingerprint (RFC 4255 §3.1) */
#define SSHFP_MAX 64                /* bytes of it that are written */

struct dns_soa { struct ec_span mname, rname; uint32_t serial, refresh, retry, expire, minimum; };

struct dns_srv { struct ec_span name; uint32_t priority, weight, port, reserved; };
struct dns_sshfp { struct ec_span fingerprint; uint32_t algo, type; };

struct dns_answer {
    struct ec_span rrname, rrtype, rdata;
    uint64_t has;                   /* not first: an offset of 0 says that there is none */
    uint32_t ttl, type;
    union { struct dns_soa soa; struct dns_srv srv; struct dns_sshfp sshfp; };
};
enum { ANSWER_SOA = 1, ANSWER_SRV, ANSWER_SSHFP };

/* The answers once more by type: texts first, then those of several fields. */
enum { GROUP_A, GROUP_AAAA, GROUP_CNAME, GROUP_MX, GROUP_NS, GROUP_PTR, GROUP_TXT, GROUP_NULL, GROUP_CAA, GROUP_SOA,
       GROUP_SRV, GROUP_SSHFP, GROUPS };
struct dns_groups { struct ec_list of[GROUPS]; };

struct dns_event {
    struct ec_part part;
    uint64_t tx_id;
    uint32_t version, type, id, opcode;
    uint8_t qr, aa, tc, rd, ra, z, pad[2];
    struct ec_span flags, rrname, rrtype, rcode;
    struct ec_list answers, authorities;
    struct dns_groups grouped;
};
enum { HAS_ANSWER, HAS_QR, HAS_AA, HAS_TC, HAS_RD, HAS_RA, HAS_Z, HAS_GROUPED };

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

static const struct ec_row srv_rows[] = {
    EC_FIELD(U32, 0, struct dns_srv, priority, "priority", NULL, "of the service's host"),
    EC_FIELD(U32, 0, struct dns_srv, weight, "weight", NULL, "among hosts of equal priority"),
    EC_FIELD(U32, 0, struct dns_srv, port, "port", NULL, "of the service"),
    EC_FIELD(WIRE, 0, struct dns_srv, name, "name", NULL, "the service's host"),
};
static const struct ec_record srv_record = EC_RECORD_ELEMENT(struct dns_srv, srv_rows);

static const struct ec_row sshfp_rows[] = {
    EC_FIELD(TEXT, 0, struct dns_sshfp, fingerprint, "fingerprint", NULL, "of the host's key, \"0a:1b\""),
    EC_FIELD(U32, 0, struct dns_sshfp, algo, "algo", NULL, "number of the key's algorithm"),
    EC_FIELD(U32, 0, struct dns_sshfp, type, "type", NULL, "number of the fingerprint's algorithm"),
};
static const struct ec_record sshfp_record = EC_RECORD_ELEMENT(struct dns_sshfp, sshfp_rows);

#define ANSWER_PART(bit, member, name, record, help) \
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, bit, 0, (uint32_t)offsetof(struct dns_answer, member), name, record, \
      NULL, NULL, NULL, help, 0, 0 }
static const struct ec_row answer_rows[] = {
    EC_FIELD(WIRE, 0, struct dns_answer, rrname, "rrname", NULL, "owner name"),
    EC_FIELD(TEXT, 0, struct dns_answer, rrtype, "rrtype", NULL, "type"),
    EC_FIELD(U32, 0, struct dns_answer, ttl, "ttl", "s", "time to live"),
    EC_FIELD(WIRE, 0, struct dns_answer, rdata, "rdata", NULL, "data in text form"),
    ANSWER_PART(ANSWER_SOA, soa, "soa", &soa_record, "start of authority"),
    ANSWER_PART(ANSWER_SRV, srv, "srv", &srv_record, "where a service is"),
    ANSWER_PART(ANSWER_SSHFP, sshfp, "sshfp", &sshfp_record, "fingerprint of a key of SSH"),
};
static const struct ec_record answer_record = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct dns_answer), EC_ROWS(answer_rows),
    (uint32_t)offsetof(struct dns_answer, has), 0, answer_rows };

#define GROUP_OF_TEXT(type, name) \
    EC_FIELD(WIRE, EC_R_LIST, struct dns_groups, of[type], name, NULL, "answers of type " name)
#define GROUP_OF_RECORDS(type, name, record) \
    EC_FIELD_LIST(record, struct dns_groups, of[type], name, "answers of type " name)
static const struct ec_row group_rows[] = {
    GROUP_OF_TEXT(GROUP_A, "A"), GROUP_OF_TEXT(GROUP_AAAA, "AAAA"), GROUP_OF_TEXT(GROUP_CNAME, "CNAME"),
    GROUP_OF_TEXT(GROUP_MX, "MX"), GROUP_OF_TEXT(GROUP_NS, "NS"), GROUP_OF_TEXT(GROUP_PTR, "PTR"),
    GROUP_OF_TEXT(GROUP_TXT, "TXT"), GROUP_OF_TEXT(GROUP_NULL, "NULL"), GROUP_OF_TEXT(GROUP_CAA, "CAA"),
    GROUP_OF_RECORDS(GROUP_SOA, "SOA", &soa_record), GROUP_OF_RECORDS(GROUP_SRV, "SRV", &srv_record),
    GROUP_OF_RECORDS(GROUP_SSHFP, "SSHFP", &sshfp_record),
};
static const struct ec_record group_record = EC_RECORD_ELEMENT(struct dns_groups, group_rows);

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
    { EC_T_RECORD, EC_R_INLINE | EC_R_OPT, HAS_GROUPED, 0, (uint32_t)offsetof(struct dns_event, grouped), "grouped",
      &group_record, NULL, NULL, NULL, "answers by type", 0, 0 },
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

static void put_srv(struct dns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    const uint8_t *d = m->data + r->rdata;

    a->has |= UINT64_C(1) << ANSWER_SRV;
    a->srv.priority = dns_u16(d);
    a->srv.weight = dns_u16(d + 2);
    a->srv.port = dns_u16(d + 4);
    a->srv.name = put_name(b, m, r->rdata + SRV_NAME);
}

static void put_sshfp(struct dns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    const uint8_t *d = m->data + r->rdata;
    char text[3 * SSHFP_MAX];
    uint32_t n = 0;

    for (uint32_t i = SSHFP_KEY; i < r->rdlen && n < sizeof text; i++) {
        text[n++] = "0123456789abcdef"[d[i] >> 4];
        text[n++] = "0123456789abcdef"[d[i] & 15];
        text[n++] = ':';
    }
    a->has |= UINT64_C(1) << ANSWER_SSHFP;
    a->sshfp.algo = d[0];
    a->sshfp.type = d[1];
    a->sshfp.fingerprint = ec_put(b, text, n - 1);
}

static void put_record(struct dns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    uint8_t text[RDATA_MAX];

    a->rrname = put_name(b, m, r->name);
    a->rrtype = put_type(b, r->type);
    a->ttl = r->ttl;
    a->type = r->type;
    if (r->type == DNS_T_SOA)
        put_soa(a, m, r, b);
    else if (r->type == DNS_T_SRV && r->rdlen > SRV_NAME)
        put_srv(a, m, r, b);
    else if (r->type == DNS_T_SSHFP && r->rdlen > SSHFP_KEY)
        put_sshfp(a, m, r, b);
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

/* GROUPS: it has none. */
static uint32_t group_of(const struct dns_answer *a)
{
    static const uint16_t types[] = { DNS_T_A, DNS_T_AAAA, DNS_T_CNAME, DNS_T_MX, DNS_T_NS, DNS_T_PTR, DNS_T_TXT,
                                      DNS_T_NULL, DNS_T_CAA };

    if (a->has)
        return a->has >> ANSWER_SOA & 1 ? GROUP_SOA : a->has >> ANSWER_SRV & 1 ? GROUP_SRV : GROUP_SSHFP;
    for (uint32_t i = 0; a->rdata.off && i < sizeof types / sizeof types[0]; i++)
        if (a->type == types[i])
            return i;
    return GROUPS;
}

/* The n answers of the group. */
static void put_group(struct ec_list *l, uint32_t group, uint32_t n, const struct dns_answer *a, struct ec_build *b)
{
    static const uint8_t bytes[] = { [GROUP_SOA] = sizeof(struct dns_soa), [GROUP_SRV] = sizeof(struct dns_srv),
                                     [GROUP_SSHFP] = sizeof(struct dns_sshfp) };
    uint32_t each = group < GROUP_SOA ? (uint32_t)sizeof(struct ec_span) : bytes[group];
    uint8_t *to = ec_rows(b, l, n, each);

    for (; to && n; a++)
        if (group_of(a) == group) {
            memcpy(to, group < GROUP_SOA ? (const void *)&a->rdata : (const void *)&a->soa, each);
            to += each;
            n--;
        }
}

static void put_grouped(struct dns_event *e, const struct ec_list *answers, struct ec_build *b)
{
    uint32_t base = (uint32_t)((uint8_t *)e - b->base), n[GROUPS + 1] = { 0 };
    const struct dns_answer *a;

    if (!answers->n)
        return;
    a = (const struct dns_answer *)(const void *)(b->base + base + answers->off);
    for (uint32_t i = 0; i < answers->n; i++)
        n[group_of(&a[i])]++;
    if (n[GROUPS] == answers->n)
        return;
    e->part.has |= UINT64_C(1) << HAS_GROUPED;
    for (uint32_t i = 0; i < GROUPS; i++)
        if (n[i])
            put_group(&e->grouped.of[i], i, n[i], a, b);
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
