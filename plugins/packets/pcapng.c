#include "plugins/packets/pcapng.h"

#include <errno.h>
#include <string.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, STATISTICS = 5, PACKET = 6 };
enum { OPT_END = 0, OPT_NAME = 2, OPT_USERAPPL = 4, OPT_TSRESOL = 9, OPT_IFDROP = 5 };

/* A block that is being made: header, fields and options. Packet bytes are written behind it. */
struct block { uint8_t b[512]; uint32_t n; };

static void put16(struct block *k, uint32_t v)
{
    k->b[k->n++] = (uint8_t)v;
    k->b[k->n++] = (uint8_t)(v >> 8);
}

static void put32(struct block *k, uint32_t v)
{
    put16(k, v);
    put16(k, v >> 16);
}

static void put64(struct block *k, uint64_t v)
{
    put32(k, (uint32_t)v);
    put32(k, (uint32_t)(v >> 32));
}

static void option(struct block *k, uint32_t code, const void *p, uint32_t n)
{
    if (n > 255)
        n = 255;
    put16(k, code);
    put16(k, n);
    if (n)
        memcpy(k->b + k->n, p, n);
    memset(k->b + k->n + n, 0, 4);
    k->n += (n + 3) & ~3u;
}

static void open_block(struct block *k, uint32_t type)
{
    k->n = 0;
    put32(k, type);
    put32(k, 0);                    /* its length: close_block() */
}

/* With n bytes of data between its fields and its end. */
static bool close_block(struct pcapng *g, struct block *k, const uint8_t *data, uint32_t n)
{
    uint32_t padding = (4 - n % 4) % 4, total = k->n + n + padding + 4;
    uint8_t tail[8] = { 0 };

    for (uint32_t i = 0; i < 4; i++)
        k->b[4 + i] = tail[padding + i] = (uint8_t)(total >> (8 * i));
    g->bytes += total;
    return fwrite(k->b, 1, k->n, g->out) == k->n && (!n || fwrite(data, 1, n, g->out) == n) &&
           fwrite(tail, 1, padding + 4, g->out) == padding + 4;
}

bool pcapng_begin(struct pcapng *g, FILE *out, const char *program)
{
    struct block k;

    *g = (struct pcapng){ .out = out };
    open_block(&k, SECTION);
    put32(&k, 0x1a2b3c4d);
    put16(&k, 1);
    put16(&k, 0);
    put64(&k, UINT64_MAX);          /* the section's length is not known */
    option(&k, OPT_USERAPPL, program, (uint32_t)strlen(program));
    option(&k, OPT_END, NULL, 0);
    return close_block(g, &k, NULL, 0);
}

static bool put_link(struct pcapng *g, const struct ring_packet *p, const char *iface)
{
    static const uint8_t nanoseconds = 9;
    struct block k;

    g->link[g->n_link].linktype = p->linktype;
    g->link[g->n_link++].iface = p->iface;
    open_block(&k, INTERFACE);
    put16(&k, p->linktype);
    put16(&k, 0);
    put32(&k, RING_PACKET_MAX);
    if (iface)
        option(&k, OPT_NAME, iface, (uint32_t)strlen(iface));
    option(&k, OPT_TSRESOL, &nanoseconds, 1);
    option(&k, OPT_END, NULL, 0);
    return close_block(g, &k, NULL, 0);
}

/* Index of the interface; n_link: there is none for it yet. */
static uint32_t link_of(const struct pcapng *g, const struct ring_packet *p)
{
    uint32_t other = g->n_link;

    for (uint32_t i = 0; i < g->n_link; i++) {
        if (g->link[i].linktype == p->linktype && g->link[i].iface == p->iface)
            return i;
        if (g->link[i].linktype == p->linktype)
            other = i;
    }
    return g->n_link < PCAPNG_LINKS ? g->n_link : other;
}

bool pcapng_packet(struct pcapng *g, const struct ring_packet *p, const char *iface, const uint8_t *data)
{
    uint32_t link = link_of(g, p);
    struct block k;

    if (link == PCAPNG_LINKS)
        return true;
    if (link == g->n_link && !put_link(g, p, iface))
        return false;
    open_block(&k, PACKET);
    put32(&k, link);
    put32(&k, (uint32_t)(p->ts_ns >> 32));
    put32(&k, (uint32_t)p->ts_ns);
    put32(&k, p->caplen);
    put32(&k, p->wirelen);
    return close_block(g, &k, data, p->caplen);
}

bool pcapng_end(struct pcapng *g, uint64_t lost)
{
    struct block k;

    for (uint32_t i = 0; i < g->n_link; i++) {
        open_block(&k, STATISTICS);
        put32(&k, i);
        put64(&k, 0);
        option(&k, OPT_IFDROP, (const uint8_t[]){ (uint8_t)lost, (uint8_t)(lost >> 8), (uint8_t)(lost >> 16),
               (uint8_t)(lost >> 24), (uint8_t)(lost >> 32), (uint8_t)(lost >> 40), (uint8_t)(lost >> 48),
               (uint8_t)(lost >> 56) }, 8);
        option(&k, OPT_END, NULL, 0);
        if (!close_block(g, &k, NULL, 0))
            return false;
        lost = 0;                   /* they are told once */
    }
    return !fflush(g->out);
}
