#include "plugins/ml/seen.h"

enum { IP_ICMP = 1, IP_TCP = 6, IP_ICMP6 = 58 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static uint32_t be16(const uint8_t *d) { return (uint32_t)d[0] << 8 | d[1]; }

uint32_t seen_payload(const struct ec_packet *p)
{
    uint32_t l3 = p->l3, whole = 0;

    if (p->payload == EC_NOOFF || l3 == EC_NOOFF || p->payload < l3)
        return 0;
    if (p->ip_version == 4 && l3 + 4 <= p->len)
        whole = be16(p->data + l3 + 2);
    else if (p->ip_version == 6 && l3 + 6 <= p->len && be16(p->data + l3 + 4))
        whole = be16(p->data + l3 + 4) + 40;
    /* A segment that the sender's card cuts later has no length yet. */
    return whole >= (uint32_t)p->payload - l3 ? whole - (p->payload - l3) : p->payload_len;
}

uint8_t seen_tcp_flags(const struct ec_packet *p)
{
    return p->ip_proto == IP_TCP && p->l4 != EC_NOOFF && p->l4 + 14u <= p->len ? p->data[p->l4 + 13] : 0;
}

/* RFC 792, RFC 950: unreachable, quench, redirect, time exceeded, bad parameter; replies to echo, timestamp, mask. */
static bool icmp_is_reply(uint32_t type)
{
    return type == 0 || type == 3 || type == 4 || type == 5 || type == 11 || type == 12 || type == 14 || type == 18;
}

bool seen_is_reply(const struct ec_packet *p)
{
    uint8_t f = seen_tcp_flags(p);

    if (p->ip_proto == IP_ICMP)
        return icmp_is_reply(p->sport);
    if (p->ip_proto == IP_ICMP6)
        return (p->sport >= 1 && p->sport <= 4) || p->sport == 129;     /* RFC 4443: errors, echo reply */
    return p->ip_proto == IP_TCP && ((f & RST) || (f & (SYN | ACK)) == (SYN | ACK));
}

bool seen_is_answer(const struct ec_packet *p)
{
    return p->dir == EC_TO_CLIENT && !(seen_tcp_flags(p) & RST);
}

static void gap(struct seen_dir *d, uint64_t now)
{
    uint64_t ns = now > d->last_ns ? now - d->last_ns : 0;
    double s = (double)ns * 1e-9;

    d->gap_sum += ns;
    d->gap_sq += s * s;
    if (ns > d->gap_max)
        d->gap_max = ns;
}

static void flags(struct seen_dir *d, uint8_t f)
{
    d->syn += (f & SYN) != 0 && d->syn < UINT16_MAX;
    d->fin += (f & FIN) != 0 && d->fin < UINT16_MAX;
    d->rst += (f & RST) != 0 && d->rst < UINT16_MAX;
    d->psh += (f & PSH) != 0 && d->psh < UINT16_MAX;
    d->bare += !(f & (FIN | SYN | RST | PSH | ACK | URG)) && d->bare < UINT16_MAX;
}

void seen_packet(struct seen *s, const struct ec_packet *p)
{
    struct seen_dir *d = &s->dir[p->dir];
    uint64_t now = p->frame->ts_ns;
    uint32_t n = seen_payload(p);

    if (d->packets++)
        gap(d, now);
    if (now > d->last_ns)
        d->last_ns = now;
    if (p->ip_proto == IP_TCP)
        flags(d, seen_tcp_flags(p));
    if (!n)
        return;
    if (d->data < SEEN_FIRST)
        d->first[d->data] = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
    d->data++;
    d->len_sum += n;
    d->len_sq += (uint64_t)n * n;
    if (n > d->len_max)
        d->len_max = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
}
