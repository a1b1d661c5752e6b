#include "plugins/auth/backoff.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS   512u
#define WAYS   8u
#define FORGET 3600u /* seconds after the last failure */
#define MONTH  (30u * 86400u)

struct entry {
    uint64_t key, last; /* key 0: empty */
    uint32_t failed, reserved;
};

struct backoff {
    pthread_mutex_t lock;
    uint64_t seed;
    uint32_t free_tries, max_s, drain_s;
    struct entry entry[SETS][WAYS];
};

struct backoff *backoff_new(uint32_t free_tries, uint32_t max_s, uint32_t drain_s)
{
    struct backoff *b = calloc(1, sizeof *b);

    if (!b || RAND_bytes((unsigned char *)&b->seed, sizeof b->seed) != 1) {
        free(b);
        return NULL;
    }
    pthread_mutex_init(&b->lock, NULL);
    b->free_tries = free_tries;
    b->max_s = max_s;
    b->drain_s = drain_s;
    return b;
}

void backoff_free(struct backoff *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* FNV-1a from a random start, so that nobody can aim at somebody else's set. */
static uint64_t digest(const struct backoff *b, const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ b->seed;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return h ? h : 1;
}

static struct entry *entry_find(struct backoff *b, uint64_t key)
{
    struct entry *set = b->entry[key % SETS];

    for (uint32_t i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

/* Room for a key: an empty entry, else the one that failed least, and of those the oldest. */
static struct entry *entry_add(struct backoff *b, uint64_t key)
{
    struct entry *set = b->entry[key % SETS], *best = set;

    for (uint32_t i = 0; i < WAYS; i++) {
        if (!set[i].key) {
            best = &set[i];
            break;
        }
        if (set[i].failed < best->failed || (set[i].failed == best->failed && set[i].last < best->last))
            best = &set[i];
    }
    *best = (struct entry){.key = key};
    return best;
}

static struct entry *entry_of(struct backoff *b, const char *key)
{
    uint64_t h = digest(b, key);
    struct entry *e = entry_find(b, h);

    return e ? e : entry_add(b, h);
}

/* What time has forgiven. */
static void forget(const struct backoff *b, struct entry *e, uint64_t now_s)
{
    uint64_t gone = b->drain_s ? (now_s - e->last) / b->drain_s : 0;

    if (b->drain_s && gone < e->failed) {
        e->failed -= (uint32_t)gone;
        e->last += gone * b->drain_s;
    } else if (b->drain_s || now_s > e->last + FORGET) {
        e->failed = 0;
    }
}

static uint64_t wait_of(const struct backoff *b, const struct entry *e)
{
    uint32_t over;

    if (e->failed < b->free_tries)
        return 0;
    if (b->drain_s)
        return b->drain_s;
    over = e->failed - b->free_tries;
    return over > 30 || (UINT32_C(1) << over) > b->max_s ? b->max_s : UINT32_C(1) << over;
}

uint32_t backoff_try(struct backoff *b, const char *key, uint64_t now_s)
{
    struct entry *e;
    uint64_t until;
    uint32_t wait = 0;

    pthread_mutex_lock(&b->lock);
    e = entry_of(b, key);
    forget(b, e, now_s);
    until = e->last + wait_of(b, e);
    if (e->failed >= b->free_tries && now_s < until) {
        wait = (uint32_t)(until - now_s);
    } else {
        if (!b->drain_s || !e->failed)
            e->last = now_s;
        e->failed += e->failed < UINT32_MAX;
    }
    pthread_mutex_unlock(&b->lock);
    return wait;
}

void backoff_good(struct backoff *b, const char *key)
{
    struct entry *e;

    pthread_mutex_lock(&b->lock);
    e = entry_find(b, digest(b, key));
    if (e)
        *e = (struct entry){0};
    pthread_mutex_unlock(&b->lock);
}

void backoff_refund(struct backoff *b, const char *key)
{
    struct entry *e;

    pthread_mutex_lock(&b->lock);
    e = entry_find(b, digest(b, key));
    if (e && e->failed)
        e->failed--;
    pthread_mutex_unlock(&b->lock);
}

void backoff_note(struct backoff *b, const char *key, uint64_t now_s)
{
    struct entry *e;

    pthread_mutex_lock(&b->lock);
    e = entry_of(b, key);
    e->failed = 1;
    e->last = now_s;
    pthread_mutex_unlock(&b->lock);
}

int backoff_noted(struct backoff *b, const char *key, uint64_t now_s)
{
    const struct entry *e;
    int known;

    pthread_mutex_lock(&b->lock);
    e = entry_find(b, digest(b, key));
    known = e && now_s <= e->last + MONTH;
    pthread_mutex_unlock(&b->lock);
    return known;
}

void backoff_net(const char *address, char to[BACKOFF_NET])
{
    struct in6_addr a;

    if (!strchr(address, ':') || inet_pton(AF_INET6, address, &a) != 1) {
        snprintf(to, BACKOFF_NET, "%s", address);
    } else if (IN6_IS_ADDR_V4MAPPED(&a)) {
        inet_ntop(AF_INET, a.s6_addr + 12, to, BACKOFF_NET);
    } else {
        if (!IN6_IS_ADDR_LINKLOCAL(&a) && !IN6_IS_ADDR_LOOPBACK(&a))
            memset(a.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &a, to, BACKOFF_NET);
    }
}

int backoff_loopback(const char *address)
{
    return !strncmp(address, "127.", 4) || !strcmp(address, "::1") || !strncmp(address, "::ffff:127.", 11);
}
