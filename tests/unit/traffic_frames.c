#include "tests/unit/traffic_frames.h"

#include <stdlib.h>

static void put16(uint8_t *d, uint32_t v) { d[0] = (uint8_t)(v >> 8), d[1] = (uint8_t)v; }
static void put32(uint8_t *d, uint32_t v) { put16(d, v >> 16), put16(d + 2, v & 0xffff); }

void feed_init(struct feed *f)
{
    memset(f, 0, sizeof *f);
    tconf_defaults(&f->conf);
    f->now_ns = UINT64_C(1700000000000000000);
}

void feed_open(struct feed *f)
{
    if (worker_open(&f->w, &f->tr, &f->conf, 0))
        abort();
}

void feed_close(struct feed *f)
{
    while (worker_finish(f->w, 0)) {}
    worker_close(f->w);
}

uint32_t feed_frame(struct feed *f, uint32_t link, const void *d, uint32_t n)
{
    struct ec_frame *frame = &f->frame;
    uint8_t *copy = malloc(n ? n : 1);  /* an exact allocation: a read past the end is seen */
    uint32_t verdict = 0;

    memcpy(copy, d, n);
    memset(frame, 0, sizeof *frame);
    frame->size = sizeof *frame;
    frame->flags = EC_FR_REPLAY;
    frame->data = copy;
    frame->ts_ns = f->now_ns;
    frame->count = ++f->count;
    frame->caplen = frame->wirelen = n;
    frame->linktype = link;
    frame->fill = f->fill;
    worker_prepare(f->w, (struct ec_frame *const[]){ frame }, 1);
    worker_packet(f->w, 0, &verdict);
    free(copy);
    return verdict;
}

static void build_ip(uint8_t *out, uint32_t from, uint32_t to, uint8_t proto, uint32_t n)
{
    memset(out, 0, 20);
    out[0] = 0x45;
    put16(out + 2, 20 + n);
    out[8] = 64;
    out[9] = proto;
    put32(out + 12, from);
    put32(out + 16, to);
    put16(out + 10, sum_end(sum_add(0, out, 20)));
}

uint32_t build_tcp(uint8_t *out, struct side from, struct side to, uint8_t flags, uint32_t seq,
                   uint32_t ack, const void *d, uint32_t n)
{
    uint8_t *h = out + 20;

    build_ip(out, from.ip, to.ip, PROTO_TCP, 20 + n);
    memset(h, 0, 20);
    put16(h, from.port);
    put16(h + 2, to.port);
    put32(h + 4, seq);
    put32(h + 8, ack);
    h[12] = 5 << 4;
    h[13] = flags;
    put16(h + 14, 65535);
    if (n)
        memcpy(h + 20, d, n);
    return 40 + n;
}

uint32_t build_udp(uint8_t *out, struct side from, struct side to, const void *d, uint32_t n)
{
    uint8_t *h = out + 20;

    build_ip(out, from.ip, to.ip, PROTO_UDP, 8 + n);
    memset(h, 0, 8);
    put16(h, from.port);
    put16(h + 2, to.port);
    put16(h + 4, 8 + n);
    if (n)
        memcpy(h + 8, d, n);
    return 28 + n;
}

uint32_t feed_tcp(struct feed *f, struct side from, struct side to, uint8_t flags, uint32_t seq,
                  uint32_t ack, const void *d, uint32_t n)
{
    return feed_frame(f, 101, f->bytes, build_tcp(f->bytes, from, to, flags, seq, ack, d, n));
}

uint32_t feed_udp(struct feed *f, struct side from, struct side to, const void *d, uint32_t n)
{
    return feed_frame(f, 101, f->bytes, build_udp(f->bytes, from, to, d, n));
}

uint32_t feed_icmp(struct feed *f, uint32_t from, uint32_t to, uint8_t type, uint8_t code)
{
    build_ip(f->bytes, from, to, PROTO_ICMP, 8);
    memset(f->bytes + 20, 0, 8);
    f->bytes[20] = type;
    f->bytes[21] = code;
    return feed_frame(f, 101, f->bytes, 28);
}
