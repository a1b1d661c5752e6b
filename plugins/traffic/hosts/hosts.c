/* An entry is found by its key in the shard that the key's hash names; it carries its neighbours in
 * the order of use, so that the one that was not used for the longest time goes first when a space
 * is full. */
#include "plugins/traffic/hosts/hosts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "plugins/traffic/flow/hash.h"

#define SHARDS 64u
#define SPACES 64u
#define BYTES_MAX 256u
#define CHUNK 32u                   /* entries allocated at once */

struct entry {
    struct entry *chain, *newer, *older;
    struct shard *shard;
    uint64_t last_ns;
    uint32_t hash;
    uint16_t key_len, pad;
    uint8_t key[EC_HOSTS_KEY_MAX];
    _Alignas(16) uint8_t data[];
};
struct part {                       /* one space's share of a shard */
    struct entry **bucket;
    uint32_t mask, used;
    struct entry *newest, *oldest, *spare;
    void *chunks;                   /* a list through their first word */
};
struct shard {
    pthread_mutex_t lock;
    struct part part[SPACES];
};
struct space { char *name; uint32_t bytes, cap; uint64_t idle_ns; };
struct hosts {
    struct shard *shard[SHARDS];
    struct space space[SPACES];
    uint32_t spaces;
    uint64_t k0, k1;
    _Atomic uint64_t reused, waits;
};

struct hosts *hosts_new(void)
{
    struct hosts *h = calloc(1, sizeof *h);

    for (uint32_t i = 0; h && i < SHARDS; i++) {
        h->shard[i] = calloc(1, sizeof **h->shard);
        if (!h->shard[i]) {
            hosts_free(h);
            return NULL;
        }
        pthread_mutex_init(&h->shard[i]->lock, NULL);
    }
    return h;
}

void hosts_key(struct hosts *h, uint64_t k0, uint64_t k1)
{
    h->k0 = k0;
    h->k1 = k1;
}

static void part_free(struct part *p)
{
    while (p->chunks) {
        void *next = *(void **)p->chunks;
        free(p->chunks);
        p->chunks = next;
    }
    free(p->bucket);
}

void hosts_free(struct hosts *h)
{
    for (uint32_t i = 0; h && i < SHARDS; i++) {
        if (!h->shard[i])
            continue;
        for (uint32_t s = 0; s < SPACES; s++)
            part_free(&h->shard[i]->part[s]);
        pthread_mutex_destroy(&h->shard[i]->lock);
        free(h->shard[i]);
    }
    for (uint32_t s = 0; h && s < h->spaces; s++)
        free(h->space[s].name);
    free(h);
}

int32_t hosts_space(struct hosts *h, const char *name, uint32_t bytes, uint32_t cap,
                    uint64_t idle_ns, uint32_t *id)
{
    struct space *s = &h->space[h->spaces];

    if (!name || !bytes || bytes > BYTES_MAX || !cap)
        return EC_EINVAL;
    if (h->spaces == SPACES)
        return EC_ELIMIT;
    for (uint32_t i = 0; i < h->spaces; i++)
        if (!strcmp(h->space[i].name, name))
            return EC_EEXIST;
    if (!(s->name = strdup(name)))
        return EC_ENOMEM;
    s->bytes = bytes;
    s->cap = (cap + SHARDS - 1) / SHARDS;
    s->idle_ns = idle_ns;
    *id = h->spaces++;
    return EC_OK;
}

static uint64_t key_hash64(const struct hosts *h, const void *key, uint32_t len)
{
    uint64_t m[EC_HOSTS_KEY_MAX / 8 + 1] = { 0 };

    memcpy(m, key, len);
    m[EC_HOSTS_KEY_MAX / 8] = len;
    return sip_words(h->k0, h->k1, m, EC_HOSTS_KEY_MAX / 8 + 1);
}

static void order_out(struct part *p, struct entry *e)
{
    *(e->newer ? &e->newer->older : &p->newest) = e->older;
    *(e->older ? &e->older->newer : &p->oldest) = e->newer;
}

static void order_in(struct part *p, struct entry *e)
{
    e->newer = NULL;
    e->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = e;
    p->newest = e;
}

static void chain_out(struct part *p, struct entry *e)
{
    struct entry **at = &p->bucket[e->hash & p->mask];

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
}

static bool part_grow(struct part *p)
{
    uint32_t n = p->bucket ? (p->mask + 1) * 2 : 64;
    struct entry **bucket = calloc(n, sizeof *bucket);

    if (!bucket)
        return p->bucket != NULL;   /* longer chains, then */
    for (uint32_t i = 0; p->bucket && i <= p->mask; i++)
        for (struct entry *e = p->bucket[i], *next; e; e = next) {
            next = e->chain;
            e->chain = bucket[e->hash & (n - 1)];
            bucket[e->hash & (n - 1)] = e;
        }
    free(p->bucket);
    p->bucket = bucket;
    p->mask = n - 1;
    return true;
}

static void part_chunk(struct part *p, uint32_t bytes)
{
    uint32_t stride = ((uint32_t)sizeof(struct entry) + bytes + 15u) & ~15u;
    uint8_t *m = calloc(1, 16 + (uint64_t)CHUNK * stride);

    if (!m)
        return;
    *(void **)(void *)m = p->chunks;
    p->chunks = m;
    for (uint32_t i = CHUNK; i-- > 0;) {
        struct entry *e = (struct entry *)(void *)(m + 16 + (uint64_t)i * stride);
        e->chain = p->spare;
        p->spare = e;
    }
}

/* A free entry, or the one that was not used for the longest time. */
static struct entry *part_take(struct hosts *h, struct part *p, const struct space *s)
{
    struct entry *e;

    if (p->used >= s->cap && (e = p->oldest)) {
        order_out(p, e);
        chain_out(p, e);
        atomic_fetch_add_explicit(&h->reused, 1, memory_order_relaxed);
        return e;
    }
    if ((!p->bucket || p->used > p->mask) && !part_grow(p))
        return NULL;
    if (!p->spare)
        part_chunk(p, s->bytes);
    if ((e = p->spare)) {
        p->spare = e->chain;
        p->used++;
    }
    return e;
}

static struct entry *part_find(struct part *p, uint32_t hash, const void *key, uint32_t len)
{
    struct entry *e = p->bucket ? p->bucket[hash & p->mask] : NULL;

    while (e && (e->hash != hash || e->key_len != len || memcmp(e->key, key, len)))
        e = e->chain;
    return e;
}

static struct entry *part_make(struct hosts *h, struct part *p, const struct space *s,
                               uint32_t hash, const void *key, uint32_t len)
{
    struct entry *e = part_take(h, p, s);

    if (!e)
        return NULL;
    memset(e->data, 0, s->bytes);
    memcpy(e->key, key, len);
    e->key_len = (uint16_t)len;
    e->hash = hash;
    e->last_ns = 0;
    e->chain = p->bucket[hash & p->mask];
    p->bucket[hash & p->mask] = e;
    order_in(p, e);
    return e;
}

void *hosts_lock(struct hosts *h, uint32_t space, const void *key, uint32_t len, uint64_t now_ns)
{
    const struct space *s;
    struct shard *shard;
    struct part *p;
    struct entry *e;
    uint64_t hash;

    if (space >= h->spaces || !len || len > EC_HOSTS_KEY_MAX)
        return NULL;
    s = &h->space[space];
    hash = key_hash64(h, key, len);
    shard = h->shard[hash >> 58];
    if (pthread_mutex_trylock(&shard->lock)) {
        atomic_fetch_add_explicit(&h->waits, 1, memory_order_relaxed);
        pthread_mutex_lock(&shard->lock);
    }
    p = &shard->part[space];
    if ((e = part_find(p, (uint32_t)hash, key, len))) {
        if (now_ns > e->last_ns && now_ns - e->last_ns > s->idle_ns)
            memset(e->data, 0, s->bytes);
        order_out(p, e);
        order_in(p, e);
    } else if (!(e = part_make(h, p, s, (uint32_t)hash, key, len))) {
        pthread_mutex_unlock(&shard->lock);
        return NULL;
    }
    e->shard = shard;
    if (now_ns > e->last_ns)
        e->last_ns = now_ns;
    return e->data;
}

void hosts_unlock(void *entry)
{
    struct entry *e = (struct entry *)(void *)((uint8_t *)entry - offsetof(struct entry, data));

    pthread_mutex_unlock(&e->shard->lock);
}

uint64_t hosts_reused(const struct hosts *h)
{
    return atomic_load_explicit(&((struct hosts *)(uintptr_t)h)->reused, memory_order_relaxed);
}

uint64_t hosts_waits(const struct hosts *h)
{
    return atomic_load_explicit(&((struct hosts *)(uintptr_t)h)->waits, memory_order_relaxed);
}
