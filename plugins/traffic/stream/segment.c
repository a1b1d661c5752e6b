#include "plugins/traffic/stream/stream.h"

#define SEGMENT_COST 256u /* charged for each, so that a flood of one-byte segments ends soon */

static uint32_t segment_bytes(uint32_t len)
{
    return (uint32_t)sizeof(struct segment) + len;
}

static const uint8_t *receiver(const struct flow *f, uint32_t dir)
{
    return dir == EC_TO_SERVER ? f->pub.dst : f->pub.src;
}

bool segment_overlap(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                     const uint8_t *data, uint32_t len)
{
    uint32_t end = seq + len, policy = 0;
    bool differs = false;

    for (struct segment *s = f->dir[dir].wait; s && seq_diff(s->seq, end) < 0; s = s->next) {
        uint32_t from = seq_diff(s->seq, seq) > 0 ? s->seq : seq;
        uint32_t to = seq_diff(s->seq + s->len, end) < 0 ? s->seq + s->len : end;
        uint8_t *old = s->data + (from - s->seq);

        if (seq_diff(to, from) <= 0 || !memcmp(old, data + (from - seq), to - from))
            continue;
        if (!differs)
            policy = target_policy(&w->conf->targets, receiver(f, dir), w->conf->stream_policy);
        differs = true;
        if (overlap_later_wins(policy, s, seq, end))
            memcpy(old, data + (from - seq), to - from);
    }
    return differs;
}

static bool segment_add(struct worker *w, struct sdir *d, struct segment **at, uint32_t seq,
                        const uint8_t *data, uint32_t len)
{
    struct segment *s = pool_get(&w->segments, segment_bytes(len));

    if (!s)
        return false;
    s->seq = seq;
    s->len = len;
    memcpy(s->data, data, len);
    s->next = *at;
    *at = s;
    d->wait_bytes += len + SEGMENT_COST;
    return true;
}

int segment_insert(struct worker *w, struct flow *f, uint32_t dir, uint32_t seq,
                   const uint8_t *data, uint32_t len)
{
    struct sdir *d = &f->dir[dir];
    struct segment **at = &d->wait;

    while (*at && seq_diff((*at)->seq + (*at)->len, seq) <= 0)
        at = &(*at)->next;
    while (len) {
        struct segment *s = *at;
        int32_t before = s ? seq_diff(s->seq, seq) : 0;
        uint32_t n, end;
        if (!s || before > 0) {                     /* nobody has these yet */
            n = s && (uint32_t)before < len ? (uint32_t)before : len;
            if (!segment_add(w, d, at, seq, data, n))
                return EC_ENOMEM;
            at = &(*at)->next;
        } else {
            end = s->seq + s->len - seq;            /* ours that s covers */
            n = end < len ? end : len;
            at = &s->next;
        }
        seq += n;
        data += n;
        len -= n;
    }
    return EC_OK;
}

void segment_pop(struct worker *w, struct flow *f, uint32_t dir)
{
    struct sdir *d = &f->dir[dir];
    struct segment *s = d->wait;

    d->wait = s->next;
    d->wait_bytes -= s->len + SEGMENT_COST;
    pool_put(&w->segments, s, segment_bytes(s->len));
}
