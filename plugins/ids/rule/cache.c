#include "plugins/ids/rule/cache.h"

#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/build.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_BUCKETS = 4096, CACHE_VIEWS = 512 };

struct cache_entry {
    struct cache_entry *next;
    enum expr_kind kind;
    const char *text;
    uint32_t len;
    const struct rangeset *set;
};

struct build_cache {
    struct cache_entry *bucket[CACHE_BUCKETS];
    const struct view *view[CACHE_VIEWS];
    size_t n_view;
};

struct build_cache *build_cache_new(void)
{
    return calloc(1, sizeof(struct build_cache));
}

void build_cache_free(struct build_cache *c)
{
    free(c);                    /* its entries lie in the arena */
}

/* FNV-1a, 32 bits. */
static uint32_t cache_hash(const char *s, uint32_t n, uint32_t h)
{
    h ^= 2166136261u;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h;
}

bool cache_address(struct build_cache *c, struct arena *a, const struct vars *v, enum expr_kind kind, struct token t,
                   const struct rangeset **set, uint32_t *off, char *why, size_t n)
{
    struct cache_entry **at = &c->bucket[cache_hash(t.s, t.len, kind) % CACHE_BUCKETS], *e;

    for (e = *at; e; e = e->next)
        if (e->kind == kind && e->len == t.len && !memcmp(e->text, t.s, t.len)) {
            *set = e->set;
            return true;
        }
    if (!address_parse(a, v, kind, t, set, off, why, n))
        return false;
    e = arena_alloc(a, sizeof *e);
    if (!e || !(e->text = arena_text(a, t.s, t.len)))
        return true;            /* not remembered, that is all */
    e->kind = kind;
    e->len = t.len;
    e->set = *set;
    e->next = *at;
    *at = e;
    return true;
}

const struct view *cache_view(struct build_cache *c, struct arena *a, const struct env *env, const char *name)
{
    struct view *v;
    struct ec_slot s;
    uint32_t i_slot = 0;

    for (size_t i = 0; i < c->n_view; i++)
        if (!strcmp(c->view[i]->name, name))
            return c->view[i];
    memset(&s, 0, sizeof s);
    s.size = sizeof s;
    if (!env->slot || c->n_view == CACHE_VIEWS || env->slot(env->arg, name, 0, &s))
        return NULL;
    v = arena_alloc(a, sizeof *v);
    if (!v || !(v->name = arena_text(a, name, strlen(name))))
        return NULL;
    do {
        if (s.kind == EC_BUF_KIND_TX && s.slot < EC_SLOTS_MAX)
            v->slot[v->n_slot++] = s;
        memset(&s, 0, sizeof s);
        s.size = sizeof s;
    } while (v->n_slot < VIEW_SLOTS_MAX && !env->slot(env->arg, name, ++i_slot, &s));
    if (!v->n_slot)
        return NULL;
    c->view[c->n_view++] = v;
    return v;
}

const struct view *cache_view_at(const struct build_cache *c, size_t i)
{
    return i < c->n_view ? c->view[i] : NULL;
}
