/* mdns_record.c: the record of an mDNS message, with the names that Suricata 8's EVE gives its fields: all sections, and
 * the data of each record under the name of its type. */
#include "mdns_record.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "message.h"
#include "name.h"
#include "rdata.h"

#define RECORDS_MAX 64              /* of one section that are written; the rest is cut */
#define STRINGS_MAX 32              /* of one TXT record */
#define OPTIONS_MAX 16              /* of one OPT record */

struct mdns_query { struct ec_span rrname, rrtype; };

struct mdns_option { struct ec_span data; uint32_t code, reserved; };
struct mdns_answer {
    struct ec_span rrname, a, aaaa, cname, ns, ptr, mx, hinfo, nsec, srv_name;
    struct ec_list txt, opt;
    uint64_t has;                   /* not first: an offset of 0 says that there is none */
    uint32_t srv[3], reserved;      /* priority, weight, port */
};
enum { ANSWER_SRV = 1 };

struct mdns_event {
    struct ec_part part;
    uint32_t type, id, opcode, rcode;
    struct ec_list flags, queries, section[DNS_SECTIONS - 1];
};

static const struct ec_row query_rows[] = {
    EC_FIELD(WIRE, 0, struct mdns_query, rrname, "rrname", NULL, "name asked for"),
    EC_FIELD(TEXT, 0, struct mdns_query, rrtype, "rrtype", NULL, "type asked for"),
};
static const struct ec_record query_record = EC_RECORD_ELEMENT(struct mdns_query, query_rows);

static const struct ec_row option_rows[] = {
    EC_FIELD(U32, 0, struct mdns_option, code, "code", NULL, "kind of option"),
    EC_FIELD(HEX, 0, struct mdns_option, data, "data", NULL, "its bytes"),
};
static const struct ec_record option_record = EC_RECORD_ELEMENT(struct mdns_option, option_rows);

#define SRV(i, name, help) EC_FIELD_OPT(U32, 0, ANSWER_SRV, struct mdns_answer, srv[i], name, NULL, help)
static const struct ec_row answer_rows[] = {
    EC_FIELD(WIRE, 0, struct mdns_answer, rrname, "rrname", NULL, "owner name"),
    EC_FIELD(WIRE, 0, struct mdns_answer, a, "a", NULL, "IPv4 address"),
    EC_FIELD(WIRE, 0, struct mdns_answer, aaaa, "aaaa", NULL, "IPv6 address"),
    EC_FIELD(WIRE, 0, struct mdns_answer, cname, "cname", NULL, "canonical name"),
    EC_FIELD(WIRE, 0, struct mdns_answer, ns, "ns", NULL, "name server"),
    EC_FIELD(WIRE, 0, struct mdns_answer, ptr, "ptr", NULL, "name pointed to"),
    EC_FIELD(WIRE, 0, struct mdns_answer, mx, "mx", NULL, "mail exchange"),
    EC_FIELD(WIRE, 0, struct mdns_answer, hinfo, "hinfo", NULL, "strings of an HINFO record, with their lengths"),
    EC_FIELD(WIRE, 0, struct mdns_answer, nsec, "nsec", NULL, "data of an NSEC record"),
    EC_FIELD(WIRE, EC_R_LIST, struct mdns_answer, txt, "txt", NULL, "strings of a TXT record"),
    EC_FIELD_LIST(&option_record, struct mdns_answer, opt, "opt", "options of EDNS"),
    SRV(0, "srv.priority", "of the service's host"),
    SRV(1, "srv.weight", "among hosts of equal priority"),
    SRV(2, "srv.port", "of the service"),
    EC_FIELD(WIRE, 0, struct mdns_answer, srv_name, "srv.name", NULL, "the service's host"),
};
static const struct ec_record answer_record = {
    (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(struct mdns_answer), EC_ROWS(answer_rows),
    (uint32_t)offsetof(struct mdns_answer, has), 0, answer_rows };

static const struct ec_row event_rows[] = {
    EC_FIELD_ENUM(EC_R_COLUMN | EC_R_INDEX, struct mdns_event, type, "type", "request,response", "kind of message"),
    EC_FIELD(U32, EC_R_COLUMN, struct mdns_event, id, "id", NULL, "message id"),
    EC_FIELD(TEXT, EC_R_LIST, struct mdns_event, flags, "flags", NULL, "header flags that are set"),
    EC_FIELD(U32, 0, struct mdns_event, opcode, "opcode", NULL, "kind of query"),
    EC_FIELD(U32, 0, struct mdns_event, rcode, "rcode", NULL, "response code"),
    EC_FIELD_LIST(&query_record, struct mdns_event, queries, "queries", "questions"),
    EC_FIELD_LIST(&answer_record, struct mdns_event, section[0], "answers", "answer section"),
    EC_FIELD_LIST(&answer_record, struct mdns_event, section[1], "authorities", "authority section"),
    EC_FIELD_LIST(&answer_record, struct mdns_event, section[2], "additionals", "additional section"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct mdns_event, event_rows);
const struct ec_topic mdns_topic = {
    sizeof mdns_topic, EC_TOPIC_EVENT, "ec.mdns/1", "mdns", &event_record, NULL, "one mDNS message" };

static struct ec_span put_name(struct ec_build *b, const struct dns_message *m, uint32_t at)
{
    uint8_t text[DNS_NAME_MAX];
    int whole;
    uint32_t n = dns_name_text(m, at, text, sizeof text, &whole);

    return ec_put(b, text, n);
}

/* In small letters, as Suricata has them here. */
static struct ec_span put_type(struct ec_build *b, uint16_t type)
{
    char scratch[16], low[16];
    const char *name = dns_type_name(type, scratch);
    uint32_t n = 0;

    for (; name[n] && n < sizeof low; n++)
        low[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] | 0x20) : name[n];
    return ec_put(b, low, n);
}

static void put_flags(struct mdns_event *e, uint16_t flags, struct ec_build *b)
{
    static const char *const names[] = { "aa", "tc", "rd", "ra", "z", "ad", "cd" };    /* from 0x400 downwards */
    struct ec_span *s;
    uint32_t n = 0;

    for (uint32_t i = 0; i < 7; i++)
        n += (flags & 0x400u >> i) != 0;
    if (!n || !(s = ec_rows(b, &e->flags, n, sizeof *s)))
        return;
    for (uint32_t i = 0; i < 7; i++)
        if (flags & 0x400u >> i)
            *s++ = ec_puts(b, names[i]);
}

/* Character strings (RFC 1035 §3.3.14), one by one. */
static void put_txt(struct mdns_answer *a, const uint8_t *d, uint32_t len, struct ec_build *b)
{
    struct ec_span *s;
    uint32_t n = 0;

    for (uint32_t at = 0; at < len && n < STRINGS_MAX; at += d[at] + 1u)
        n++;
    if (!n || !(s = ec_rows(b, &a->txt, n, sizeof *s)))
        return;
    for (uint32_t at = 0; n--; at += d[at] + 1u)
        *s++ = ec_put(b, d + at + 1, d[at] < len - at ? d[at] : len - at - 1);
}

static void put_srv(struct mdns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    if (r->rdlen < 7)
        return;
    a->has |= UINT64_C(1) << ANSWER_SRV;
    for (uint32_t i = 0; i < 3; i++)
        a->srv[i] = dns_u16(m->data + r->rdata + 2 * i);
    a->srv_name = put_name(b, m, r->rdata + 6);
}

/* RFC 6891 §6.1.2 */
static void put_opt(struct mdns_answer *a, const uint8_t *d, uint32_t len, struct ec_build *b)
{
    struct mdns_option *o;
    uint32_t n = 0;

    for (uint32_t at = 0; len - at >= 4 && dns_u16(d + at + 2) <= len - at - 4 && n < OPTIONS_MAX; n++)
        at += 4u + dns_u16(d + at + 2);
    if (!n || !(o = ec_rows(b, &a->opt, n, sizeof *o)))
        return;
    for (uint32_t at = 0; n--; at += 4u + dns_u16(d + at + 2), o++) {
        o->code = dns_u16(d + at);
        o->data = ec_put(b, d + at + 4, dns_u16(d + at + 2));
    }
}

static struct ec_span *text_field(struct mdns_answer *a, uint16_t type)
{
    switch (type) {
    case DNS_T_A: return &a->a;
    case DNS_T_AAAA: return &a->aaaa;
    case DNS_T_CNAME: return &a->cname;
    case DNS_T_NS: return &a->ns;
    case DNS_T_PTR: return &a->ptr;
    case DNS_T_MX: return &a->mx;
    case DNS_T_HINFO: return &a->hinfo;
    case DNS_T_NSEC: return &a->nsec;
    default: return NULL;
    }
}

static void put_record(struct mdns_answer *a, const struct dns_message *m, const struct dns_rr *r, struct ec_build *b)
{
    struct ec_span *field = text_field(a, r->type);
    uint8_t text[DNS_NAME_MAX];

    a->rrname = put_name(b, m, r->name);
    if (field)
        *field = ec_put(b, text, rdata_text(m, r, text, sizeof text));
    else if (r->type == DNS_T_TXT)
        put_txt(a, m->data + r->rdata, r->rdlen, b);
    else if (r->type == DNS_T_SRV)
        put_srv(a, m, r, b);
    else if (r->type == DNS_T_OPT)
        put_opt(a, m->data + r->rdata, r->rdlen, b);
}

/* *at: the section's begin; moves behind it. */
static void put_section(struct ec_list *l, const struct dns_message *m, uint32_t *at, uint16_t declared,
                        struct ec_build *b)
{
    uint32_t n = 0, done = 0, look = *at;
    struct mdns_answer *a;
    struct dns_rr r;

    while (n < declared && n < RECORDS_MAX && dns_rr_next(m, &look, &r))
        n++;
    a = n ? ec_rows(b, l, n, sizeof *a) : NULL;
    for (uint32_t i = 0; i < declared && dns_rr_next(m, at, &r); i++)
        if (a && done < n)
            put_record(&a[done++], m, &r, b);
}

static void put_queries(struct mdns_event *e, const struct dns_message *m, uint32_t *at, struct ec_build *b)
{
    uint32_t n = 0, done = 0, look = *at;
    struct mdns_query *q;
    struct dns_rr r;

    while (n < m->count[DNS_QUESTION] && n < RECORDS_MAX && dns_question_next(m, &look, &r))
        n++;
    q = n ? ec_rows(b, &e->queries, n, sizeof *q) : NULL;
    for (uint32_t i = 0; i < m->count[DNS_QUESTION] && dns_question_next(m, at, &r); i++)
        if (q && done < n) {
            q[done].rrname = put_name(b, m, r.name);
            q[done++].rrtype = put_type(b, r.type);
        }
}

int32_t mdns_record(const struct dns_message *m, uint32_t topic, struct ec_build *b)
{
    struct mdns_event *e = ec_add(b, topic, sizeof *e);
    uint32_t at = DNS_HEADER;

    if (!e)
        return EC_ELIMIT;
    e->type = (m->flags & DNS_QR) != 0;
    e->id = m->id;
    e->opcode = dns_opcode(m->flags);
    e->rcode = dns_rcode(m->flags);
    put_flags(e, m->flags, b);
    put_queries(e, m, &at, b);
    for (uint32_t s = 0; s < DNS_SECTIONS - 1; s++)
        put_section(&e->section[s], m, &at, m->count[DNS_ANSWER + s], b);
    return EC_OK;
}
