/* message.c: reading a DNS message (RFC 1035 §4). */
#include "message.h"

#define EC_API_LEVEL 1
#include <ecyber/ext/traffic.h>

#include "faults.h"
#include "name.h"

bool dns_message_open(struct dns_message *m, const uint8_t *d, uint32_t n)
{
    if (n < DNS_HEADER)
        return false;
    m->data = d;
    m->len = n;
    m->id = dns_u16(d);
    m->flags = dns_u16(d + 2);
    for (int i = 0; i < DNS_SECTIONS; i++)
        m->count[i] = dns_u16(d + 4 + 2 * i);
    return true;
}

/* NetBIOS names (RFC 1002 §4.1) look like DNS, but for their one label of 32 letters from A to P. */
static bool is_netbios(const struct dns_message *m, uint32_t at)
{
    if (m->len - at < 33 || m->data[at] != 32)
        return false;
    for (uint32_t i = 1; i <= 32; i++)
        if (m->data[at + i] < 'A' || m->data[at + i] > 'P')
            return false;
    return true;
}

/* Internet, Chaos, Hesiod, none, any (RFC 6895 §3.2); mDNS uses the first bit (RFC 6762 §18.12). */
static bool class_known(uint16_t class)
{
    class &= 0x7fff;
    return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

int dns_message_probe(const struct dns_message *m, uint32_t whole)
{
    uint32_t at = DNS_HEADER, records = 0;
    uint8_t opcode = dns_opcode(m->flags);
    struct dns_rr r;
    bool sound;

    if (opcode == 3 || opcode > 6 || dns_rcode(m->flags) > 11)
        return EC_NO;
    for (int i = 0; i < DNS_SECTIONS; i++)
        records += m->count[i];
    /* A question takes at least 5 bytes, a record 11. */
    if (!records || (uint64_t)DNS_HEADER + 5u * records > whole)
        return EC_NO;
    if (is_netbios(m, at))
        return EC_NO;
    if (m->count[DNS_QUESTION])
        sound = dns_question_next(m, &at, &r) && r.class != 0;
    else
        sound = (m->flags & DNS_QR) && dns_rr_next(m, &at, &r);
    if (!sound)
        return m->len < whole ? EC_MORE : EC_NO;
    if ((r.class & 0x7fff) == 1)
        return EC_YES;
    return class_known(r.class) && m->len == whole && !dns_message_faults(m) ? EC_YES : EC_NO;
}

bool dns_question_next(const struct dns_message *m, uint32_t *at, struct dns_rr *q)
{
    uint32_t end = dns_name_skip(m, *at);

    if (!end || m->len - end < 4)
        return false;
    q->name = *at;
    q->type = dns_u16(m->data + end);
    q->class = dns_u16(m->data + end + 2);
    q->rdata = q->rdlen = q->ttl = 0;
    *at = end + 4;
    return true;
}

bool dns_rr_next(const struct dns_message *m, uint32_t *at, struct dns_rr *r)
{
    uint32_t end = dns_name_skip(m, *at);

    if (!end || m->len - end < 10)
        return false;
    r->name = *at;
    r->type = dns_u16(m->data + end);
    r->class = dns_u16(m->data + end + 2);
    r->ttl = dns_u32(m->data + end + 4);
    r->rdlen = dns_u16(m->data + end + 8);
    r->rdata = end + 10;
    if (r->rdlen > m->len - r->rdata)
        return false;
    *at = r->rdata + r->rdlen;
    return true;
}
