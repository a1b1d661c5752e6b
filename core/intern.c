#include "core/intern.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SPACES 64
#define CHUNK 1024u             /* names in a chunk, chunks in a space: 1 M names */

/* Names by number are found through two levels that never move, so that readers need no lock; by
 * name through an open hash table that only the lock's holder touches. */
struct space {
    char *name;
    uint32_t count, slots;
    uint32_t *slot;                             /* numbers, 0: free */
    const char *_Atomic *_Atomic chunk[CHUNK];
};

static struct space *_Atomic spaces[SPACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct space *space_find(const char *name)
{
    for (uint32_t i = 0; i < SPACES; i++) {
        struct space *s = atomic_load_explicit(&spaces[i], memory_order_acquire);

        if (!s || !strcmp(s->name, name))
            return s;
    }
    return NULL;
}

static struct space *space_add(const char *name)
{
    for (uint32_t i = 0; i < SPACES; i++) {
        struct space *s;

        if (atomic_load_explicit(&spaces[i], memory_order_relaxed))
            continue;
        s = calloc(1, sizeof *s);
        if (s && !(s->name = strdup(name))) {
            free(s);
            s = NULL;
        }
        if (s)
            atomic_store_explicit(&spaces[i], s, memory_order_release);
        return s;
    }
    return NULL;
}

static uint32_t hash(const char *s)
{
    uint32_t h = 2166136261u;                   /* FNV-1a */

    while (*s)
        h = (h ^ (uint8_t)*s++) * 16777619u;
    return h;
}

static const char *space_get(const struct space *s, uint32_t id)
{
    const char *_Atomic *chunk;

    if (!id || (id - 1) / CHUNK >= CHUNK)
        return NULL;
    chunk = atomic_load_explicit(&s->chunk[(id - 1) / CHUNK], memory_order_acquire);
    return chunk ? atomic_load_explicit(&chunk[(id - 1) % CHUNK], memory_order_acquire) : NULL;
}

/* The place of the name in the table: its number, or the free slot where it belongs. */
static uint32_t *space_slot(const struct space *s, const char *name)
{
    uint32_t i = hash(name) & (s->slots - 1);

    while (s->slot[i] && strcmp(space_get(s, s->slot[i]), name) != 0)
        i = (i + 1) & (s->slots - 1);
    return &s->slot[i];
}

static int space_widen(struct space *s)
{
    uint32_t old_slots = s->slots, *old = s->slot;
    uint32_t slots = old_slots ? old_slots * 2 : 64, *slot = calloc(slots, sizeof *slot);

    if (!slot)
        return -1;
    s->slots = slots;
    s->slot = slot;
    for (uint32_t i = 0; i < old_slots; i++)
        if (old[i])
            *space_slot(s, space_get(s, old[i])) = old[i];
    free(old);
    return 0;
}

static uint32_t space_enter(struct space *s, const char *name)
{
    uint32_t at = s->count, *slot;
    const char *_Atomic *chunk;
    char *copy;

    if (at >= CHUNK * CHUNK || ((s->count + 1) * 2 > s->slots && space_widen(s)))
        return 0;
    slot = space_slot(s, name);
    if (*slot)
        return *slot;
    chunk = atomic_load_explicit(&s->chunk[at / CHUNK], memory_order_relaxed);
    if (!chunk) {
        if (!(chunk = calloc(CHUNK, sizeof *chunk)))
            return 0;
        atomic_store_explicit(&s->chunk[at / CHUNK], chunk, memory_order_release);
    }
    if (!(copy = strdup(name)))
        return 0;
    atomic_store_explicit(&chunk[at % CHUNK], copy, memory_order_release);
    return *slot = ++s->count;
}

uint32_t intern_name(const char *space, const char *name)
{
    struct space *s;
    uint32_t id;

    if (!space || !name)
        return 0;
    pthread_mutex_lock(&lock);
    s = space_find(space);
    if (!s)
        s = space_add(space);
    id = s ? space_enter(s, name) : 0;
    pthread_mutex_unlock(&lock);
    return id;
}

const char *intern_get(const char *space, uint32_t id)
{
    const struct space *s = space ? space_find(space) : NULL;

    return s ? space_get(s, id) : NULL;
}
