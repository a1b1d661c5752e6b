/* Open addressing with linear probing over 8-byte slots; the flows stand in chunks that never move.
 */
#include <stdlib.h>

#include "plugins/traffic/flow/flow.h"

#define SLOTS_FIRST 4096u

int table_init(struct flow_table *t, uint32_t lease_bytes, uint64_t k0, uint64_t k1, bool vlans)
{
    memset(t, 0, sizeof *t);
    t->stride = ((uint32_t)sizeof(struct flow) + lease_bytes + 31u) & ~31u;
    t->k0 = k0;
    t->k1 = k1;
    t->vlans = vlans;
    t->mask = SLOTS_FIRST - 1;
    t->slot = calloc(SLOTS_FIRST, sizeof *t->slot);
    return t->slot ? 0 : EC_ENOMEM;
}

void table_free(struct flow_table *t)
{
    for (uint32_t i = 0; i < t->chunks; i++)
        free(t->chunk[i]);
    free(t->chunk);
    free(t->slot);
    memset(t, 0, sizeof *t);
}

uint64_t table_bytes(const struct flow_table *t)
{
    return (uint64_t)t->chunks * STORE_CHUNK * t->stride +
           ((uint64_t)t->mask + 1) * sizeof *t->slot;
}

static bool table_chunk(struct flow_table *t)
{
    uint8_t *m;

    if (t->chunks == t->chunk_room) {
        uint32_t room = t->chunk_room ? t->chunk_room * 2 : 64;
        uint8_t **list = realloc(t->chunk, room * sizeof *list);
        if (!list)
            return false;
        t->chunk = list;
        t->chunk_room = room;
    }
    m = aligned_alloc(64, (uint64_t)STORE_CHUNK * t->stride);
    if (!m)
        return false;
    t->chunk[t->chunks++] = m;
    for (uint32_t i = STORE_CHUNK; i-- > 0;) {      /* the lowest index comes first */
        uint32_t index = (t->chunks - 1) * STORE_CHUNK + i;
        struct flow *f = flow_at(t, index);
        f->self = FLOW_FREE;
        f->wheel_next = t->free;
        t->free = index + 1;
    }
    return true;
}

static void slot_put(struct slot *slot, uint32_t mask, struct slot s)
{
    uint32_t i = s.hash & mask;

    while (slot[i].flow)
        i = (i + 1) & mask;
    slot[i] = s;
}

static bool table_grow(struct flow_table *t)
{
    uint64_t n = ((uint64_t)t->mask + 1) * 2;
    struct slot *slot = n > UINT32_C(0x80000000) ? NULL : calloc(n, sizeof *slot);

    if (!slot)
        return false;
    for (uint64_t i = 0; i <= t->mask; i++)
        if (t->slot[i].flow)
            slot_put(slot, (uint32_t)(n - 1), t->slot[i]);
    free(t->slot);
    t->slot = slot;
    t->mask = (uint32_t)(n - 1);
    return true;
}

struct flow *table_new(struct flow_table *t)
{
    uint32_t index = t->free;
    struct flow *f;

    if ((uint64_t)t->used * 8 >= ((uint64_t)t->mask + 1) * 5 && !table_grow(t) &&
        t->used >= t->mask - 1)
        return NULL;
    if (!index && !table_chunk(t))
        return NULL;
    index = t->free - 1;
    f = flow_at(t, index);
    t->free = f->wheel_next;
    memset(f, 0, t->stride);
    f->self = index;
    f->pub.size = sizeof f->pub;
    return f;
}

void table_enter(struct flow_table *t, struct flow *f)
{
    slot_put(t->slot, t->mask, (struct slot){ f->hash, f->self + 1 });
    t->used++;
}

/* Close the hole at i: later members of the run move up (Knuth 6.4, algorithm R). */
static void slot_close(struct slot *slot, uint32_t mask, uint32_t i)
{
    for (uint32_t j = (i + 1) & mask; slot[j].flow; j = (j + 1) & mask) {
        uint32_t home = slot[j].hash & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            slot[i] = slot[j];
            i = j;
        }
    }
    slot[i].flow = 0;
}

void table_remove(struct flow_table *t, struct flow *f)
{
    uint32_t i = f->hash & t->mask;

    while (t->slot[i].flow != f->self + 1)
        i = (i + 1) & t->mask;
    slot_close(t->slot, t->mask, i);
    t->used--;
    f->wheel_next = t->free;
    t->free = f->self + 1;
    f->self = FLOW_FREE;
}

struct flow *table_find(const struct flow_table *t, const struct packet *p, uint32_t *dir)
{
    for (uint32_t i = p->hash & t->mask; t->slot[i].flow; i = (i + 1) & t->mask)
        if (t->slot[i].hash == p->hash) {
            struct flow *f = flow_at(t, t->slot[i].flow - 1);
            if (key_match(f, p, t->vlans, dir))
                return f;
        }
    return NULL;
}

void table_prefetch_slot(const struct flow_table *t, uint32_t hash)
{
    __builtin_prefetch(&t->slot[hash & t->mask]);
}

const struct flow *table_prefetch_flow(const struct flow_table *t, uint32_t hash)
{
    for (uint32_t i = hash & t->mask; t->slot[i].flow; i = (i + 1) & t->mask)
        if (t->slot[i].hash == hash) {
            const struct flow *f = flow_at(t, t->slot[i].flow - 1);
            for (uint32_t line = 0; line < sizeof *f; line += 64)
                __builtin_prefetch((const uint8_t *)f + line);
            return f;
        }
    return NULL;
}

#define WALK_AHEAD 4u               /* flows that are on their way into the cache */

struct flow *table_walk(const struct flow_table *t, uint32_t *at)
{
    uint32_t end = t->chunks * STORE_CHUNK;

    while (*at < end) {
        struct flow *f = flow_at(t, (*at)++);
        const uint8_t *next = (const uint8_t *)f + (size_t)WALK_AHEAD * t->stride;
        for (uint32_t line = 0; line < sizeof *f; line += 64)
            __builtin_prefetch(next + line);
        if (f->self != FLOW_FREE) {
            table_prefetch_slot(t, f->hash);
            return f;
        }
    }
    return NULL;
}
