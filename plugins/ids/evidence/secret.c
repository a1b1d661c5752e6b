#include "plugins/ids/evidence/secret.h"

#include "plugins/ids/match/engine.h"

#include <netinet/in.h>
#include <string.h>

struct secret_place {
    uint8_t *frame;
    uint32_t n;
    int64_t payload;                /* where the stream's or datagram's byte `at` stands in the frame */
    uint64_t at;
};

static void secret_overwrite(const struct secret_place *p, uint64_t wire, uint32_t len)
{
    int64_t from = (int64_t)(wire - p->at) + p->payload, to = from + len;

    from = from < p->payload ? p->payload : from;
    to = to > (int64_t)p->n ? (int64_t)p->n : to;
    if (from < to)
        memset(p->frame + from, '*', (size_t)(to - from));
}

/* Where the packet's payload begins in its stream; false: unknown. */
static bool secret_place(const struct scope *s, struct secret_place *p)
{
    const struct ec_packet *k = s->packet;

    if (k->payload == EC_NOOFF || (k->flags & EC_PK_DEFRAG))
        return false;
    p->payload = k->payload;
    p->at = 0;
    if (s->flow->ip_proto != IPPROTO_TCP)
        return true;
    p->at = s->w->packet.stream_at;
    return s->w->packet.has_stream;
}

static bool secret_buffer(const struct ec_buf *b, uint32_t state, const struct secret_place *p, bool placed)
{
    if (!(state & EC_BUF_SECRET))
        return true;
    if (!(state & EC_BUF_VERBATIM) || !placed)
        return false;
    secret_overwrite(p, b->wire, b->len);
    return true;
}

bool secret_mask(const struct scope *s, uint8_t *frame, uint32_t n)
{
    struct secret_place p = { .frame = frame, .n = n };
    bool placed, clean = true;

    if (!s->tx || !s->packet->payload_len)
        return true;
    placed = secret_place(s, &p);
    for (uint64_t slots = engine_slots(s->engine, s->tx->proto); slots; slots &= slots - 1) {
        const struct ec_buf *b = &s->tx->buf[__builtin_ctzll(slots)];

        if (!(b->state & EC_BUF_LIST))
            clean &= secret_buffer(b, b->state, &p, placed);
        for (uint32_t i = 0; (b->state & EC_BUF_LIST) && i < b->len; i++)
            clean &= secret_buffer(&b->u.item[i], b->u.item[i].state | b->state, &p, placed);
    }
    return clean;
}
