#include "plugins/store/spool.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <stdlib.h>

#define CHUNK 262144u               /* a block is at most 64 KiB */

struct spool_chunk {
    struct spool_chunk *next;
    uint32_t used, taken, size, pad;
    _Alignas(8) uint8_t data[];     /* blocks, 8-aligned */
};

static uint32_t room_of(const struct ec_event *ev)
{
    return (ev->total + 7u) & ~7u;
}

static struct spool_chunk *chunk_new(struct spool *s, uint32_t need)
{
    uint32_t size = need > CHUNK ? need : CHUNK;
    struct spool_chunk *c = s->spare && s->spare->size >= size ? s->spare : NULL;

    if (c)
        s->spare = NULL;
    else if (!(c = malloc(sizeof *c + size)))
        return NULL;
    else
        c->size = size;
    c->next = NULL;
    c->used = c->taken = 0;
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    return c;
}

enum spool_result spool_add(struct spool *s, const struct ec_event *ev)
{
    uint32_t need = room_of(ev);
    struct spool_chunk *c = s->last;

    if (s->bytes + need > s->limit)
        return SPOOL_FULL;
    if ((!c || c->size - c->used < need) && !(c = chunk_new(s, need)))
        return SPOOL_MEMORY;
    memcpy(c->data + c->used, ev, ev->total);
    c->used += need;
    s->n++;
    s->bytes += need;
    return SPOOL_OK;
}

struct spool_at spool_begin(const struct spool *s)
{
    return (struct spool_at){ s->first, s->first ? s->first->taken : 0 };
}

const struct ec_event *spool_next(struct spool_at *at)
{
    const struct ec_event *ev;

    while (at->chunk && at->off == at->chunk->used) {
        at->chunk = at->chunk->next;
        at->off = at->chunk ? at->chunk->taken : 0;
    }
    if (!at->chunk)
        return NULL;
    ev = (const void *)(at->chunk->data + at->off);
    at->off += room_of(ev);
    return ev;
}

/* The first chunk is used up. One is kept for the next time. */
static void chunk_drop(struct spool *s)
{
    struct spool_chunk *c = s->first;

    s->first = c->next;
    if (!s->first)
        s->last = NULL;
    free(s->spare);
    s->spare = c;
}

void spool_take(struct spool *s, uint64_t n)
{
    for (; n && s->first; n--) {
        struct spool_chunk *c = s->first;
        uint32_t room = room_of((const void *)(c->data + c->taken));

        c->taken += room;
        s->n--;
        s->bytes -= room;
        if (c->taken == c->used)
            chunk_drop(s);
    }
}

void spool_free(struct spool *s)
{
    spool_take(s, s->n);
    free(s->spare);
    s->spare = NULL;
}
