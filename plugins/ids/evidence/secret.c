#include "plugins/ids/evidence/secret.h"

#include "plugins/ids/match/engine.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

struct line { uint32_t at, from, to; };     /* where to look on; the secret that was found */

static bool line_named(const uint8_t *d, uint32_t n, uint32_t *value)
{
    static const char *const names[] = { "cookie:", "set-cookie:", "authorization:", "proxy-authorization:" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *value = (uint32_t)strlen(names[i]);
        if (*value <= n && !strncasecmp((const char *)d, names[i], *value))
            return true;
    }
    return false;
}

static uint32_t line_end(const uint8_t *d, uint32_t n, uint32_t at)
{
    const uint8_t *p = at < n ? memchr(d + at, '\n', n - at) : NULL;

    return p ? (uint32_t)(p - d) : n;
}

static bool line_folded(const uint8_t *d, uint32_t n, uint32_t at)
{
    return at < n && (d[at] == ' ' || d[at] == '\t');
}

/* The next line with a secret; l->at is the start of a line. false: there is none. */
static bool line_next(const uint8_t *d, uint32_t n, struct line *l)
{
    while (l->at < n) {
        uint32_t start = l->at, value;

        l->to = line_end(d, n, start);
        l->at = l->to + 1;
        if (!line_named(d + start, n - start, &value))
            continue;
        for (; line_folded(d, n, l->at); l->at = l->to + 1)
            l->to = line_end(d, n, l->at);
        for (l->from = start + value; l->from < l->to && line_folded(d, n, l->from);)
            l->from++;
        if (l->to > l->from && d[l->to - 1] == '\r')
            l->to--;
        return true;
    }
    return false;
}

/* The start of the line in which d[at] stands, folded ones counted to the one that they continue. */
static uint32_t line_start(const uint8_t *d, uint32_t at)
{
    const uint8_t *p;

    do {
        p = at ? memrchr(d, '\n', at) : NULL;
        at = p ? (uint32_t)(p - d) : 0;
    } while (p && (p[1] == ' ' || p[1] == '\t'));
    return p ? at + 1 : 0;
}

bool secret_mask_bytes(uint8_t *copy, const uint8_t *bytes, uint32_t n, uint32_t before)
{
    const uint8_t *d = bytes - before;
    struct line l = { .at = line_start(d, before) };
    bool yes = false;

    while (n && line_next(d, before + n, &l)) {
        uint32_t from = l.from < before ? before : l.from;

        if (from >= l.to)
            continue;
        memset(copy + (from - before), '*', l.to - from);
        yes = true;
    }
    return yes;
}

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

static void secret_stream(const uint8_t *d, uint32_t n, uint64_t base, const struct secret_place *p)
{
    struct line l = { 0 };

    while (line_next(d, n, &l))
        secret_overwrite(p, base + l.from, l.to - l.from);
}

/* Lines in the packet, and those that began in the packets before it. */
static void secret_lines(const struct scope *s, uint8_t *frame, uint32_t n, const struct secret_place *p, bool placed)
{
    const struct ec_packet *k = s->packet;
    const struct worker *w = s->w;
    const struct window *old = s->state ? s->state->window[k->dir] : NULL;

    if (placed && !s->alone && w->seen_flow && w->seen_flow == s->flow && w->seen_dir == k->dir)
        secret_stream(w->seen, w->seen_len, w->seen_base, p);
    else if (placed && old && w->packet.has_stream)
        secret_stream(old->data, old->len, old->end - old->len, p);
    if (k->payload != EC_NOOFF && !(k->flags & EC_PK_DEFRAG) && k->payload < n)
        secret_mask_bytes(frame + k->payload, frame + k->payload,
                          n - k->payload < k->payload_len ? n - k->payload : k->payload_len, 0);
}

bool secret_mask(const struct scope *s, uint8_t *frame, uint32_t n)
{
    struct secret_place p = { .frame = frame, .n = n };
    bool placed, clean = true;

    if (!s->packet->payload_len)
        return true;
    placed = s->flow && secret_place(s, &p);
    secret_lines(s, frame, n, &p, placed);
    if (!s->tx)
        return true;
    for (uint64_t slots = engine_slots(s->engine, s->tx->proto, s->packet->dir); slots; slots &= slots - 1) {
        const struct ec_buf *b = &s->tx->buf[__builtin_ctzll(slots)];

        if (!(b->state & EC_BUF_LIST))
            clean &= secret_buffer(b, b->state, &p, placed);
        for (uint32_t i = 0; (b->state & EC_BUF_LIST) && i < b->len; i++)
            clean &= secret_buffer(&b->u.item[i], b->u.item[i].state | b->state, &p, placed);
    }
    return clean;
}
