#include "tests/unit/decode_bytes.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

const struct side client = { 0x0a000001, 40000 }, server = { 0x0a000002, 80 };

void add(struct bytes *b, const void *d, uint32_t n)
{
    memcpy(b->d + b->n, d, n);
    b->n += n;
}

void add_udp(struct bytes *b)
{
    b->n += build_udp(b->d + b->n, client, server, "payload", 7);
}

void add_ip6(struct bytes *b, uint8_t next, uint32_t len)
{
    uint8_t h[40] = { 0x60 };

    h[4] = (uint8_t)(len >> 8), h[5] = (uint8_t)len, h[6] = next, h[7] = 64;
    h[8] = 0xfd, h[23] = 1, h[24] = 0xfd, h[39] = 2;
    add(b, h, 40);
}

struct packet decode(uint32_t link, const struct bytes *b, uint32_t n, uint32_t wire)
{
    struct ec_frame f = {
        .size = sizeof f, .caplen = n, .wirelen = wire ? wire : n, .linktype = link};
    uint8_t *copy = malloc(n ? n : 1);
    struct decode_conf conf;
    struct packet p;

    decode_conf_defaults(&conf);
    conf.sums = true;
    memcpy(copy, b->d, n);
    f.data = copy;
    decode_frame(&p, &f, &conf);
    p.pub.frame = NULL;
    free(copy);
    return p;
}

bool has(const struct packet *p, uint32_t event)
{
    for (uint32_t i = 0; i < p->events; i++)
        if (p->event[i] == event)
            return true;
    return false;
}

void expect_udp(uint32_t link, const struct bytes *b, uint32_t vlans)
{
    struct packet p = decode(link, b, b->n, 0);

    ck_assert_msg(p.what & PK_KEY, "link %u", link);
    ck_assert_uint_eq(p.pub.ip_proto, PROTO_UDP);
    ck_assert_uint_eq(p.pub.sport, 40000);
    ck_assert_uint_eq(p.pub.dport, 80);
    ck_assert_uint_eq(p.pub.payload_len, 7);
    ck_assert_uint_eq(p.whole_payload, 7);
    ck_assert_mem_eq(b->d + p.pub.payload, "payload", 7);
    ck_assert_uint_eq(p.vlans, vlans);
    ck_assert_uint_eq(p.events, 0);
    ck_assert_uint_eq(p.pub.src[15], 1);
    ck_assert_uint_eq(p.pub.dst[15], 2);
}

struct packet raw_udp(uint32_t at, uint8_t value, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_udp(&b);
    if (at < b.n)
        b.d[at] = value;
    return decode(101, &b, n ? n : b.n, 0);
}

struct packet raw_tcp(uint32_t at, uint8_t value, uint32_t n)
{
    struct bytes b = { .n = 0 };

    b.n = build_tcp(b.d, client, server, TCP_ACK, 1, 2, "abcdefgh", 8);
    b.d[at] = value;
    if (n)                          /* shorten the datagram itself */
        b.d[2] = 0, b.d[3] = (uint8_t)n;
    return decode(101, &b, n ? n : b.n, 0);
}

struct packet ip4_of(uint8_t proto, const uint8_t *d, uint32_t n)
{
    struct bytes b = { .n = 0 };

    add_udp(&b);
    b.n = 20, b.d[9] = proto, b.d[3] = (uint8_t)(20 + n);
    add(&b, d, n);
    return decode(101, &b, b.n, 0);
}
