/* The Internet checksum: RFC 1071; pseudo headers: RFC 9293 §3.1, RFC 8200 §8.1. */
#include "plugins/traffic/decode/decode.h"

uint32_t sum_add(uint32_t sum, const uint8_t *d, uint32_t n)
{
    uint64_t s = sum;

    for (; n >= 2; d += 2, n -= 2)
        s += be16(d);
    if (n)
        s += (uint32_t)d[0] << 8;
    while (s >> 32)
        s = (s & 0xffffffff) + (s >> 32);
    return (uint32_t)s;
}

uint16_t sum_end(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t sum_pseudo(const struct packet *p, uint32_t n, uint8_t proto)
{
    const struct ec_packet *k = &p->pub;
    uint32_t from = k->ip_version == 4 ? 12 : 0;
    uint8_t rest[6] = {
        (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, proto};

    return sum_add(sum_add(sum_add(0, k->src + from, 16 - from), k->dst + from, 16 - from), rest, 6);
}

bool sum_transport_ok(const struct packet *p, const uint8_t *d, uint32_t n, uint8_t proto)
{
    uint32_t sum = proto == PROTO_ICMP ? 0 : sum_pseudo(p, n, proto);

    return sum_end(sum_add(sum, d, n)) == 0;
}

bool sum_offloaded(const struct packet *p, uint32_t n, uint8_t proto, uint16_t field)
{
    uint16_t whole = (uint16_t)~sum_end(sum_pseudo(p, n, proto));
    uint16_t parts = (uint16_t)~sum_end(sum_pseudo(p, 0, proto));

    return field == whole || (proto == PROTO_TCP && field == parts);
}
