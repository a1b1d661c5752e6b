#include "plugins/ids/rule/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 256 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    max_align_t data[];
};

struct arena {
    struct arena_block *head;
    size_t bytes;
    int failed;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    struct arena_block *b, *next;

    for (b = a ? a->head : NULL; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

static struct arena_block *arena_block(struct arena *a, size_t n)
{
    size_t cap = n > ARENA_BLOCK ? n : ARENA_BLOCK;
    struct arena_block *b = cap > SIZE_MAX / 2 ? NULL : calloc(1, sizeof *b + cap);

    if (!b) {
        a->failed = 1;
        return NULL;
    }
    b->cap = cap;
    /* A block of its own for a long piece goes behind the head, whose rest stays in use. */
    if (a->head && n > ARENA_BLOCK / 4) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b = a->head;
    void *p;

    n = (n + 15) & ~(size_t)15;
    if (!b || n > b->cap - b->used)
        b = arena_block(a, n);
    if (!b)
        return NULL;
    p = (char *)b->data + b->used;
    b->used += n;
    a->bytes += n;
    return p;
}

char *arena_text(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);

    if (p)
        memcpy(p, s, n);
    return p;
}

void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t bytes)
{
    size_t want = *cap ? *cap * 2 : 4;
    void *p;

    if (n < *cap)
        return v;
    p = arena_alloc(a, want * bytes);
    if (!p)
        return NULL;
    if (n)
        memcpy(p, v, n * bytes);
    *cap = want;
    return p;
}

int arena_failed(const struct arena *a)
{
    return a->failed;
}

size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}
