#include "plugins/ids/manage/tallies.h"

#include <pthread.h>
#include <stdlib.h>

/* Open addressing; key 0 is free: no rule has the sid 0. */
struct slot { uint64_t key; struct tally_sum sum; };

struct tallies {
    pthread_mutex_t lock;
    struct slot *slot;
    size_t n, cap;                  /* cap: a power of two, at least n * 2 */
};

struct tallies *tallies_new(void)
{
    struct tallies *t = calloc(1, sizeof *t);

    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void tallies_free(struct tallies *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->slot);
    free(t);
}

static struct slot *find(struct slot *slot, size_t cap, uint64_t key)
{
    size_t i = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & (cap - 1);

    while (slot[i].key && slot[i].key != key)
        i = (i + 1) & (cap - 1);
    return &slot[i];
}

static bool grow(struct tallies *t)
{
    size_t cap = t->cap ? t->cap * 2 : 1024;
    struct slot *bigger = calloc(cap, sizeof *bigger);

    if (!bigger)
        return false;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slot[i].key)
            *find(bigger, cap, t->slot[i].key) = t->slot[i];
    free(t->slot);
    t->slot = bigger;
    t->cap = cap;
    return true;
}

static uint64_t key_of(uint32_t gid, uint32_t sid)
{
    return (uint64_t)gid << 32 | sid;
}

static void add(struct tally_sum *to, const struct tally_sum *from)
{
    to->checks += from->checks;
    to->matches += from->matches;
    to->timed += from->timed;
    to->ns += from->ns;
}

/* Of all workers, of which some may count at this moment. */
static struct tally_sum engine_sum(const struct engine *e, uint32_t index)
{
    struct tally_sum sum = { 0, 0, 0, 0 };

    for (uint32_t i = 0; index < e->n_rule && i < e->o.workers; i++) {
        const struct tally *t = &e->hand[i].tally[index];
        const struct tally_sum one = {
            __atomic_load_n(&t->checks, __ATOMIC_RELAXED), __atomic_load_n(&t->matches, __ATOMIC_RELAXED),
            __atomic_load_n(&t->timed, __ATOMIC_RELAXED), __atomic_load_n(&t->ns, __ATOMIC_RELAXED) };

        add(&sum, &one);
    }
    return sum;
}

void tallies_take(struct tallies *t, const struct engine *e)
{
    pthread_mutex_lock(&t->lock);
    for (uint32_t i = 0; i < e->n_rule; i++) {
        const struct tally_sum sum = engine_sum(e, i);
        struct slot *s;

        if ((!sum.checks && !sum.matches) || (t->n * 2 >= t->cap && !grow(t)))
            continue;
        s = find(t->slot, t->cap, key_of(e->rule[i]->gid, e->rule[i]->sid));
        t->n += !s->key;
        s->key = key_of(e->rule[i]->gid, e->rule[i]->sid);
        add(&s->sum, &sum);
    }
    pthread_mutex_unlock(&t->lock);
}

struct tally_sum tallies_of(struct tallies *t, const struct engine *e, uint32_t index, uint32_t gid, uint32_t sid)
{
    struct tally_sum sum = engine_sum(e, index);

    pthread_mutex_lock(&t->lock);
    if (t->cap) {
        const struct slot *s = find(t->slot, t->cap, key_of(gid, sid));

        if (s->key)
            add(&sum, &s->sum);
    }
    pthread_mutex_unlock(&t->lock);
    if (sum.checks < sum.matches)
        sum.checks = sum.matches;       /* who held was looked at */
    return sum;
}
