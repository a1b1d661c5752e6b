/* TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260, ports only), and what else IP carries. */
#include "plugins/traffic/decode/decode.h"

#define TCP_HEADER 20u

static void payload_set(struct cursor *c, uint32_t off)
{
    struct packet *p = c->p;

    p->pub.payload = (uint16_t)off;
    p->pub.payload_len = c->end - off;
    p->whole_payload += p->pub.payload_len;         /* it holds what the capture cut off */
    p->what |= PK_KEY;
}

static void ports_set(struct packet *p, const uint8_t *h)
{
    p->pub.sport = be16(h);
    p->pub.dport = be16(h + 2);
}

/* A frame that the capture cut within the headers is no malformed packet. */
static void transport_short(struct cursor *c, uint32_t event)
{
    if (c->p->what & PK_CUT)
        c->p->what &= ~(uint32_t)PK_KEY;
    else
        decode_bad(c->p, event);
}

/* at: of the checksum within the header. */
static void transport_sum(struct cursor *c, uint8_t proto, uint32_t at, uint32_t event)
{
    const uint8_t *h = c->d + c->off;
    uint32_t n = c->end - c->off;

    if ((c->p->what & PK_CUT) || sum_transport_ok(c->p, h, n, proto))
        return;
    if (c->conf->offloads && sum_offloaded(c->p, n, proto, be16(h + at))) {
        c->p->what |= PK_OFFLOAD;
        return;
    }
    c->p->pub.flags |= EC_PK_BADSUM;
    decode_event(c->p, event);
}

static void tcp_option(struct packet *p, const uint8_t *o)
{
    if (o[0] == 3 && o[1] == 3 && o[2] > 14)        /* RFC 7323 §2.3: told, and taken for 14 */
        decode_event(p, EV_TCP_OPT_WSCALE_OVER_MAX);
    if (o[0] == 3 && o[1] == 3)
        p->wscale = o[2] > 14 ? 14 : o[2];
    if (o[0] == 8 && o[1] == 10) {
        p->ts_val = be32(o + 2);
        p->ts_ecr = be32(o + 6);
        p->what |= PK_TIMESTAMP;
    }
}

/* https://www.iana.org/assignments/tcp-parameters */
static bool tcp_option_length_ok(const uint8_t *o)
{
    static const uint8_t fixed[20] = { [2] = 4, [3] = 3, [4] = 2, [8] = 10, [19] = 18 };

    if (o[0] == 5)                  /* SACK: at most four blocks (RFC 2018 §3); none says nothing, and harms nobody */
        return o[1] >= 2 && o[1] <= 34 && o[1] % 8 == 2;
    if (o[0] == 34)                 /* a cookie, or the wish for one (RFC 7413 §4.1.1) */
        return o[1] == 2 || (o[1] >= 6 && o[1] <= 18 && o[1] % 2 == 0);
    return o[0] >= sizeof fixed || !fixed[o[0]] || fixed[o[0]] == o[1];
}

static void tcp_options(struct packet *p, const uint8_t *d, uint32_t n)
{
    uint32_t seen = 0;

    for (uint32_t i = 0; i < n;) {
        if (d[i] == 0)
            return;
        if (d[i] == 1) {
            i++;
            continue;
        }
        if (i + 1 >= n || d[i + 1] < 2 || d[i + 1] > n - i || !tcp_option_length_ok(d + i)) {
            decode_event(p, EV_TCP_OPT_INVALID_LEN);
            return;
        }
        if (d[i] <= 8 && d[i] != 5 && (seen >> d[i] & 1))
            decode_event(p, EV_TCP_OPT_DUPLICATE);
        else
            tcp_option(p, d + i);
        if (d[i] <= 8)
            seen |= 1u << d[i];
        i += d[i + 1];
    }
}

static void decode_tcp(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, hlen;
    struct packet *p = c->p;

    if (room < TCP_HEADER) {
        transport_short(c, EV_TCP_PKT_TOO_SMALL);
        return;
    }
    hlen = (uint32_t)(h[12] >> 4) * 4;
    if (hlen < TCP_HEADER) {
        decode_bad(p, EV_TCP_HLEN_TOO_SMALL);
        return;
    }
    if (hlen > room) {
        transport_short(c, EV_TCP_INVALID_OPTLEN);
        return;
    }
    ports_set(p, h);
    p->seq = be32(h + 4);
    p->ack = be32(h + 8);
    p->tcp_flags = h[13];
    p->window = be16(h + 14);
    if (hlen > TCP_HEADER)
        tcp_options(p, h + TCP_HEADER, hlen - TCP_HEADER);
    if (c->sums)
        transport_sum(c, PROTO_TCP, 16, EV_TCP_BADSUM);
    payload_set(c, c->off + hlen);
}

static void udp_payload(struct cursor *c)
{
    const struct ec_packet *p = &c->p->pub;
    uint64_t ports = c->conf->port_mask;

    c->off += 8;
    payload_set(c, c->off);
    if ((ports >> (p->dport & 63) | ports >> (p->sport & 63)) & 1)
        decode_udp_tunnel(c, p->sport, p->dport);
}

static void decode_udp(struct cursor *c)
{
    const uint8_t *h = c->d + c->off;
    uint32_t room = c->end - c->off, len;

    if (room < 8) {
        transport_short(c, EV_UDP_HLEN_TOO_SMALL);
        return;
    }
    len = be16(h + 4);
    if (len < 8 && !(len == 0 && room > 0xffff) && !(len == 0 && c->p->pub.ip_version == 6)) {  /* 0: RFC 2675 §4 */
        decode_bad(c->p, EV_UDP_LEN_INVALID);
        return;
    }
    if (len > room && !(c->p->what & PK_CUT)) {
        decode_bad(c->p, EV_UDP_PKT_TOO_SMALL);
        return;
    }
    ports_set(c->p, h);
    if (len >= 8 && len < room)
        c->end = c->off + len;
    if (c->sums && be16(h + 6))
        transport_sum(c, PROTO_UDP, 6, EV_UDP_BADSUM);
    udp_payload(c);
}

static void decode_sctp(struct cursor *c)
{
    if (c->end - c->off < 12) {
        transport_short(c, EV_SCTP_PKT_TOO_SMALL);
        return;
    }
    ports_set(c->p, c->d + c->off);
    payload_set(c, c->off + 12);
}

/* Protocols of which only the shortest header is known. */
static void transport_small(struct cursor *c, uint32_t header, uint32_t event)
{
    if (c->end - c->off < header)
        transport_short(c, event);
    else
        payload_set(c, c->off);
}

void decode_transport(struct cursor *c, uint8_t proto)
{
    if (c->off > 0xff00)
        return;                     /* offsets are 16 bits wide; no honest header stands there */
    c->p->pub.l4 = (uint16_t)c->off;
    switch (proto) {
    case PROTO_TCP:
        decode_tcp(c);
        break;
    case PROTO_UDP:
        decode_udp(c);
        break;
    case PROTO_ICMP: case PROTO_ICMPV6:
        decode_icmp(c, proto);
        break;
    case PROTO_SCTP:
        decode_sctp(c);
        break;
    case PROTO_IPIP: case PROTO_IPV6:
        payload_set(c, c->off);
        decode_ip_in_ip(c, proto == PROTO_IPV6);
        break;
    case PROTO_IGMP:
        transport_small(c, 8, EV_IGMP_PKT_TOO_SMALL);
        break;
    case PROTO_ESP:
        transport_small(c, 8, EV_ESP_PKT_TOO_SMALL);
        break;
    case PROTO_L2TP:
        payload_set(c, c->off);
        decode_l2tp_ip(c);
        break;
    case PROTO_GRE:
        payload_set(c, c->off);
        decode_gre(c);
        break;
    default:
        payload_set(c, c->off);
    }
}
