#include "plugins/bridge/reject.h"

#include <string.h>

#define ETHERNET 14u
#define TAG 4u
#define TAGS 3u
#define EXTENSIONS 8u               /* headers in front of layer 4 */
#define QUOTE4 548u                 /* bytes quoted: an ICMP error has 576 at most (RFC 1812 §4.3.2.3) */
#define QUOTE6 1232u                /* and an ICMPv6 error 1,280 (RFC 4443 §2.4) */
#define TTL 64u
enum { ICMP = 1, TCP = 6, UDP = 17, FRAGMENT = 44, AH = 51, ICMPV6 = 58 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct parts {                      /* where things stand in a frame */
    const uint8_t *frame;
    uint32_t len, l3, l4, end;      /* end: of the IP packet, as far as it is there */
    uint8_t version, proto;
};

static uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t get32(const uint8_t *p) { return get16(p) << 16 | get16(p + 2); }
static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t sum(uint32_t from, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i += 2)
        from += get16(p + i);
    return n % 2 ? from + ((uint32_t)p[n - 1] << 8) : from;
}

static uint32_t folded(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return ~s & 0xffff;
}

static bool is_extension(uint8_t proto)
{
    return proto == 0 || proto == 43 || proto == FRAGMENT || proto == AH || proto == 60;
}

/* Step over the headers between IP and layer 4: of IPv4 that is AH alone (RFC 4302 §2.2: its length counts otherwise).
 * False: they do not end, or a later fragment has no ports. */
static bool find_l4(struct parts *p)
{
    for (uint32_t i = 0; p->version == 4 ? p->proto == AH : is_extension(p->proto); i++) {
        const uint8_t *e = p->frame + p->l4;

        if (i == EXTENSIONS || p->l4 + 8 > p->end || (p->proto == FRAGMENT && (get16(e + 2) & 0xfff8)))
            return false;
        p->l4 += p->proto == FRAGMENT ? 8 : p->proto == AH ? (e[1] + 2u) * 4 : (e[1] + 1u) * 8;
        p->proto = e[0];
    }
    return p->l4 <= p->end;
}

static bool find4(struct parts *p)
{
    const uint8_t *ip = p->frame + p->l3;
    uint32_t head, total;

    if (p->len - p->l3 < 20 || ip[0] >> 4 != 4)
        return false;
    head = (ip[0] & 15u) * 4;
    total = get16(ip + 2);
    if (head < 20 || total < head || (get16(ip + 6) & 0x1fff))      /* a later fragment has no ports */
        return false;
    p->version = 4;
    p->proto = ip[9];
    p->l4 = p->l3 + head;
    p->end = p->l3 + total < p->len ? p->l3 + total : p->len;
    return p->l4 <= p->end && find_l4(p) && ip[12] != 0 && ip[12] < 224 && ip[16] < 224;
}

static bool find6(struct parts *p)
{
    static const uint8_t nobody[16];
    const uint8_t *ip = p->frame + p->l3;
    uint32_t total;

    if (p->len - p->l3 < 40 || ip[0] >> 4 != 6)
        return false;
    total = 40 + get16(ip + 4);
    p->version = 6;
    p->proto = ip[6];
    p->end = p->l3 + total < p->len ? p->l3 + total : p->len;
    p->l4 = p->l3 + 40;
    return find_l4(p) && memcmp(ip + 8, nobody, sizeof nobody) != 0 && ip[8] != 0xff && ip[24] != 0xff;
}

static bool find(struct parts *p)
{
    uint32_t type;

    p->l3 = ETHERNET;
    if (p->len < ETHERNET || (p->frame[0] & 1) || (p->frame[6] & 1))
        return false;
    type = get16(p->frame + 12);
    for (uint32_t i = 0; i < TAGS && (type == 0x8100 || type == 0x88a8) && p->len >= p->l3 + TAG; i++) {
        p->l3 += TAG;
        type = get16(p->frame + p->l3 - 2);
    }
    return type == 0x0800 ? find4(p) : type == 0x86dd && find6(p);
}

/* Ethernet and IP of the answer, `payload` bytes of proto behind them; swapped: it goes back. Where layer 4 begins. */
static uint32_t heads(uint8_t *to, const struct parts *p, uint8_t proto, uint32_t payload, bool swapped)
{
    const uint8_t *ip = p->frame + p->l3;
    uint32_t size = p->version == 4 ? 4 : 16, src = p->version == 4 ? 12 : 8, head = p->version == 4 ? 20 : 40;
    uint8_t *out = to + p->l3;

    memcpy(to, p->frame, p->l3);
    if (swapped) {
        memcpy(to, p->frame + 6, 6);
        memcpy(to + 6, p->frame, 6);
    }
    memset(out, 0, head);
    memcpy(out + src, ip + src + (swapped ? size : 0), size);
    memcpy(out + src + size, ip + src + (swapped ? 0 : size), size);
    if (p->version == 4) {
        out[0] = 0x45;
        put16(out + 2, head + payload);
        put16(out + 6, 0x4000);     /* it is never a fragment, so it needs no identification (RFC 6864 §4.1) */
        out[8] = TTL;
        out[9] = proto;
        put16(out + 10, folded(sum(0, out, head)));
    } else {
        out[0] = 0x60;
        put16(out + 4, payload);
        out[6] = proto;
        out[7] = TTL;
    }
    return p->l3 + head;
}

/* Of n bytes at to + l4, with the pseudo header of the answer. */
static uint32_t checksum(const uint8_t *to, const struct parts *p, uint32_t l4, uint8_t proto, uint32_t n)
{
    const uint8_t *ip = to + p->l3;
    uint32_t s = proto + n;

    s = p->version == 4 ? sum(s, ip + 12, 8) : sum(s, ip + 8, 32);
    return folded(sum(s, to + l4, n));
}

/* RFC 9293 §3.10.7.1: numbers that the one who hears it takes for the next ones. */
static uint32_t reset(uint8_t *to, const struct parts *p, bool to_sender)
{
    const uint8_t *tcp = p->frame + p->l4;
    uint32_t l4, head, bytes, seq, ack;
    uint8_t flags, *out;

    if (p->end - p->l4 < 20)
        return 0;
    head = (tcp[12] >> 4) * 4u;
    flags = tcp[13];
    if ((flags & RST) || head < 20 || p->l4 + head > p->end)
        return 0;
    bytes = p->end - p->l4 - head + !!(flags & SYN) + !!(flags & FIN);
    seq = get32(tcp + 4);
    ack = get32(tcp + 8);
    l4 = heads(to, p, TCP, 20, to_sender);
    out = to + l4;
    memset(out, 0, 20);
    memcpy(out, tcp + (to_sender ? 2 : 0), 2);
    memcpy(out + 2, tcp + (to_sender ? 0 : 2), 2);
    out[12] = 5 << 4;
    out[13] = RST;
    if (!to_sender)
        put32(out + 4, seq);
    else if (flags & ACK)
        put32(out + 4, ack);
    if (to_sender ? !(flags & ACK) : flags & ACK) {
        put32(out + 8, to_sender ? seq + bytes : ack);
        out[13] |= ACK;
    }
    put16(out + 16, checksum(to, p, l4, TCP, 20));
    return l4 + 20;
}

/* RFC 792, RFC 1122 §3.2.2, RFC 4443 §3.1: the port cannot be reached, or it is forbidden to. */
static uint32_t unreachable(uint8_t *to, const struct parts *p)
{
    bool four = p->version == 4, port = p->proto == UDP;
    uint32_t whole = p->end - p->l3, most = four ? QUOTE4 : QUOTE6, quoted = whole < most ? whole : most, l4;
    uint8_t *out, proto = four ? ICMP : ICMPV6;

    /* No error is answered by another one: of ICMP a request for an echo alone. */
    if ((p->proto == ICMP || p->proto == ICMPV6) && (p->end == p->l4 || p->frame[p->l4] != (four ? 8 : 128)))
        return 0;
    l4 = heads(to, p, proto, 8 + quoted, true);
    out = to + l4;
    memset(out, 0, 8);
    out[0] = four ? 3 : 1;
    out[1] = four ? (port ? 3 : 13) : (port ? 4 : 1);
    memcpy(out + 8, p->frame + p->l3, quoted);
    put16(out + 2, four ? folded(sum(0, out, 8 + quoted)) : checksum(to, p, l4, proto, 8 + quoted));
    return l4 + 8 + quoted;
}

uint32_t reject_answer(uint8_t to[REJECT_ROOM], const uint8_t *frame, uint32_t len, bool to_sender)
{
    struct parts p = { .frame = frame, .len = len };

    if (!find(&p))
        return 0;
    if (p.proto == TCP)
        return reset(to, &p, to_sender);
    return to_sender ? unreachable(to, &p) : 0;
}
