#include "plugins/traffic/held.h"

#include "plugins/traffic/publish.h"
#include "plugins/traffic/stream/stream.h"

struct held {                       /* of the worker's pool */
    struct held *next;
    uint32_t goal[2];               /* sequence numbers that are to be acknowledged, by direction of the bytes */
    uint32_t directions;            /* bit: its goal counts */
    uint32_t topic, part, used;     /* of the build */
    uint8_t block[];
};

static uint64_t held_bytes(uint32_t used) { return sizeof(struct held) + used; }

/* Bit dir: the last bytes of that direction are not acknowledged yet, though its receiver does acknowledge. */
static uint32_t unacknowledged(const struct flow *f)
{
    uint32_t bits = 0;

    for (uint32_t dir = 0; dir < 2; dir++) {
        const struct sdir *d = &f->dir[dir];

        if ((f->sflags[dir] & (SD_BASE | SD_ACK)) == (SD_BASE | SD_ACK) && seq_diff(d->next, d->ack) > 0)
            bits |= 1u << dir;
    }
    return bits;
}

static bool is_reached(const struct held *h, const struct flow *f)
{
    for (uint32_t dir = 0; dir < 2; dir++)
        if ((h->directions >> dir & 1) && seq_diff(f->dir[dir].ack, h->goal[dir]) < 0)
            return false;
    return true;
}

/* The one that has waited longest. */
static void publish_first(struct worker *w, struct flow *f)
{
    const struct ec_host *host = w->tr->host;
    struct held *h = f->more->tcp.held;
    struct ec_build b;

    f->more->tcp.held = h->next;
    if (!h->next)
        f->flags &= (uint8_t)~FL_HELD;
    if (host->open(host, w->index, h->topic, &b) == EC_OK) {
        memcpy(b.base, h->block, h->used);
        b.part = h->part;
        b.used = h->used;
        publish_now(w, ec_head(&b));
        host->publish(host, &b);
    }
    pool_put(&w->pool, h, held_bytes(h->used));
}

static bool keep(struct worker *w, struct flow *f, const struct ec_build *b)
{
    uint32_t directions = w->now && f->pub.ip_proto == PROTO_TCP && !(f->flags & FL_RST) ? unacknowledged(f) : 0, n = 0;
    struct held *h = directions && flow_more(w, f) ? pool_get(&w->pool, held_bytes(b->used)) : NULL, **last;

    if (!h)
        return false;
    *h = (struct held){ .goal = { f->dir[0].next, f->dir[1].next }, .directions = directions, .topic = b->topic,
                        .part = b->part, .used = b->used };
    memcpy(h->block, b->base, b->used);
    for (last = &f->more->tcp.held; *last; last = &(*last)->next)
        n++;
    *last = h;
    f->flags |= FL_HELD;
    if (n >= HELD_MAX)
        publish_first(w, f);
    return true;
}

void held_publish(struct worker *w, struct flow *f, struct ec_build *b)
{
    const struct ec_host *host = w->tr->host;

    if (keep(w, f, b))
        host->discard(host, b);
    else
        host->publish(host, b);
}

void held_acked(struct worker *w, struct flow *f)
{
    while ((f->flags & FL_HELD) && is_reached(f->more->tcp.held, f))
        publish_first(w, f);
}

void held_flush(struct worker *w, struct flow *f)
{
    while (f->flags & FL_HELD)
        publish_first(w, f);
}
