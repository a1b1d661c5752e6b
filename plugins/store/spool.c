#include "plugins/store/spool.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK SPOOL_PIECE

struct spool_chunk {
    struct spool_chunk *next;
    uint8_t *data;                  /* blocks, 8-aligned; NULL: they are on disk */
    uint32_t used, taken, size, n, slot;
    bool pinned;                    /* somebody reads it */
};

static uint32_t room_of(const struct ec_event *ev)
{
    return (ev->total + 7u) & ~7u;
}

void spool_disk(struct spool *s, uint64_t bytes)
{
    s->most = (uint32_t)(bytes / CHUNK);
}

uint64_t spool_on_disk(const struct spool *s)
{
    return (uint64_t)s->used * CHUNK;
}

static bool disk_left(const struct spool *s)
{
    return s->folder && s->used < s->most && !(s->slot && s->fd < 0);
}

/* A piece of the file that is free. False: there is none, or no file. */
static bool slot_find(struct spool *s, uint32_t *at)
{
    uint8_t *grown;

    if (!disk_left(s))
        return false;
    if (!s->slot)
        s->fd = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    for (*at = 0; *at < s->n_slot; ++*at)
        if (!s->slot[*at])
            return s->fd >= 0;
    if (!(grown = realloc(s->slot, s->n_slot + 64)))
        return false;
    memset(grown + s->n_slot, 0, 64);
    s->slot = grown;
    s->n_slot += 64;
    return s->fd >= 0;
}

/* The last chunk goes to disk. False: it stays. */
static bool chunk_out(struct spool *s)
{
    struct spool_chunk *c = s->last;
    uint32_t at;

    if (!slot_find(s, &at) ||
        pwrite(s->fd, c->data, c->used, (off_t)at * CHUNK) != (ssize_t)c->used)
        return false;
    s->slot[at] = 1;
    s->used++;
    c->slot = at;
    free(c->data);
    c->data = NULL;
    c->size = c->used;              /* it is closed */
    s->resident -= c->used;
    return true;
}

/* From disk to memory. */
static bool chunk_in(struct spool *s, struct spool_chunk *c)
{
    uint8_t *data = malloc(c->used);

    if (!data || pread(s->fd, data, c->used, (off_t)c->slot * CHUNK) != (ssize_t)c->used) {
        free(data);
        return false;
    }
    s->slot[c->slot] = 0;
    s->used--;
    c->data = data;
    s->resident += c->used;
    return true;
}

static void chunk_free(struct spool_chunk *c)
{
    if (c)
        free(c->data);
    free(c);
}

static struct spool_chunk *chunk_new(struct spool *s)
{
    struct spool_chunk *c = s->spare;

    if (c)
        s->spare = NULL;
    else if (!(c = calloc(1, sizeof *c)))
        return NULL;
    if (!c->data && !(c->data = malloc(CHUNK))) {
        free(c);
        return NULL;
    }
    c->size = CHUNK;
    c->next = NULL;
    c->used = c->taken = c->n = 0;
    c->pinned = false;
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
    bool room = c && c->data && c->size - c->used >= need;

    /* Over the limit by what is read and the one piece that is filled: then that goes to disk. */
    if (s->resident + need > s->limit &&
        (!disk_left(s) || (!room && c && c->data && !c->pinned && !chunk_out(s))))
        return SPOOL_FULL;
    if ((!c || c->size - c->used < need) && !(c = chunk_new(s)))
        return SPOOL_MEMORY;
    memcpy(c->data + c->used, ev, ev->total);
    c->used += need;
    c->n++;
    s->n++;
    s->bytes += need;
    s->resident += need;
    return SPOOL_OK;
}

struct spool_at spool_begin(const struct spool *s)
{
    return (struct spool_at){ s->first, s->first ? s->first->taken : 0 };
}

/* What cannot be read is forgotten, with what was taken of it before. */
static void chunk_lose(struct spool *s, struct spool_chunk *c, uint64_t *lost)
{
    struct spool_chunk **at = &s->first, *before = NULL;

    for (; *at != c; at = &(*at)->next)
        before = *at;
    *at = c->next;
    if (s->last == c)
        s->last = before;
    *lost += c->n;
    s->n -= c->n;
    s->bytes -= c->used;
    s->slot[c->slot] = 0;
    s->used--;
    free(c);
}

const struct ec_event *spool_next(struct spool *s, struct spool_at *at, uint64_t *lost)
{
    const struct ec_event *ev;

    while (at->chunk && at->off == at->chunk->used) {
        at->chunk = at->chunk->next;
        at->off = at->chunk ? at->chunk->taken : 0;
    }
    if (!at->chunk)
        return NULL;
    if (!at->chunk->data && !chunk_in(s, at->chunk)) {
        chunk_lose(s, at->chunk, lost);
        at->chunk = NULL;
        return NULL;
    }
    at->chunk->pinned = true;
    ev = (const void *)(at->chunk->data + at->off);
    at->off += room_of(ev);
    return ev;
}

/* The first chunk is used up. One of full size is kept for the next time. */
static void chunk_drop(struct spool *s)
{
    struct spool_chunk *c = s->first;

    s->first = c->next;
    if (!s->first)
        s->last = NULL;
    if (c->size < CHUNK) {
        chunk_free(c);
        return;
    }
    chunk_free(s->spare);
    s->spare = c;
}

void spool_take(struct spool *s, uint64_t n)
{
    for (; n && s->first; n--) {
        struct spool_chunk *c = s->first;
        uint32_t room = room_of((const void *)(c->data + c->taken));

        c->taken += room;
        c->n--;
        s->n--;
        s->bytes -= room;
        s->resident -= room;
        if (c->taken == c->used)
            chunk_drop(s);
    }
}

void spool_free(struct spool *s)
{
    struct spool_chunk *c;

    while ((c = s->first)) {
        s->first = c->next;
        chunk_free(c);
    }
    chunk_free(s->spare);
    if (s->slot && s->fd >= 0)
        close(s->fd);
    free(s->slot);
    s->last = s->spare = NULL;
    s->slot = NULL;
    s->n = s->bytes = s->resident = s->n_slot = s->used = 0;
}
