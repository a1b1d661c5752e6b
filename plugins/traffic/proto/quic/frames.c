/* frames.c: the frames of Initial packets. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

#include "packet.h"

enum { FRAME_PADDING = 0, FRAME_PING = 1, FRAME_ACK = 2, FRAME_ACK_ECN = 3, FRAME_CRYPTO = 6, FRAME_CLOSE = 0x1c };

static bool room(struct crypto *c, uint32_t to)
{
    uint32_t want = c->room ? c->room : 2048;
    uint8_t *p;

    if (to <= c->room)
        return true;
    while (want < to)
        want *= 2;
    if (!(p = realloc(c->data, want)))
        return false;
    c->data = p;
    c->room = want;
    return true;
}

/* Enter [from, to) into the sorted list, joined with what it touches. */
static bool enter(struct crypto *c, uint32_t from, uint32_t to)
{
    struct piece *p = c->piece;
    uint32_t i = 0, last;

    while (i < c->pieces && p[i].to < from)
        i++;
    for (last = i; last < c->pieces && p[last].from <= to; last++) {
        from = p[last].from < from ? p[last].from : from;
        to = p[last].to > to ? p[last].to : to;
    }
    if (last == i && c->pieces == CRYPTO_PIECES)
        return false;
    memmove(p + i + 1, p + last, (c->pieces - last) * sizeof *p);
    c->pieces = c->pieces - (last - i) + 1;
    p[i].from = from;
    p[i].to = to;
    return true;
}

static bool crypto_add(struct crypto *c, uint64_t offset, const uint8_t *d, uint64_t n)
{
    if (!n)
        return true;
    c->too_long = offset > CRYPTO_MAX || n > CRYPTO_MAX - offset;
    if (c->too_long || !room(c, (uint32_t)(offset + n)))
        return false;
    if (!enter(c, (uint32_t)offset, (uint32_t)(offset + n)))
        return false;
    memcpy(c->data + offset, d, n);
    return true;
}

static bool skip_numbers(const uint8_t *d, uint32_t n, uint32_t *at, uint64_t count)
{
    uint64_t v;

    while (count--)
        if (!quic_number(d, n, at, &v))
            return false;
    return true;
}

static bool skip_ack(const uint8_t *d, uint32_t n, uint32_t *at, bool ecn)
{
    uint64_t ranges;

    if (!skip_numbers(d, n, at, 2) || !quic_number(d, n, at, &ranges) || ranges > n)
        return false;
    return skip_numbers(d, n, at, 1 + 2 * ranges + (ecn ? 3 : 0));
}

static bool read_crypto(struct crypto *c, const uint8_t *d, uint32_t n, uint32_t *at)
{
    uint64_t offset, len;

    if (!quic_number(d, n, at, &offset) || !quic_number(d, n, at, &len) || len > n - *at)
        return false;
    if (!crypto_add(c, offset, d + *at, len))
        return false;
    *at += (uint32_t)len;
    return true;
}

bool frames_read(struct crypto *c, const uint8_t *d, uint32_t n)
{
    uint32_t at = 0;
    bool sound = true;

    while (sound && at < n) {
        uint8_t type = d[at++];
        switch (type) {
        case FRAME_PADDING: case FRAME_PING:
            break;
        case FRAME_ACK: case FRAME_ACK_ECN:
            sound = skip_ack(d, n, &at, type == FRAME_ACK_ECN);
            break;
        case FRAME_CRYPTO:
            sound = read_crypto(c, d, n, &at);
            break;
        case FRAME_CLOSE:
            return true;                        /* nothing follows that is of interest */
        default:
            sound = false;
        }
    }
    return sound;
}

const uint8_t *crypto_message(const struct crypto *c, uint32_t *n)
{
    uint32_t have = c->pieces && !c->piece[0].from ? c->piece[0].to : 0;

    if (have < 4)
        return NULL;
    *n = 4 + ((uint32_t)c->data[1] << 16 | (uint32_t)c->data[2] << 8 | c->data[3]);
    return *n <= have ? c->data : NULL;
}

void crypto_drop(struct crypto *c)
{
    free(c->data);
    memset(c, 0, sizeof *c);
}
