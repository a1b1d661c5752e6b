#include "plugins/fim/table.h"

#include <stdlib.h>
#include <string.h>

bool table_open(struct table *t, uint32_t max)
{
    uint32_t slots = 64;

    while (slots < max)
        slots *= 2;
    *t = (struct table){ .max = max, .mask = slots - 1, .slot = calloc(slots, sizeof(struct entry *)) };
    return t->slot;
}

void table_empty(struct table *t)
{
    for (uint32_t i = 0; t->slot && i <= t->mask; i++)
        while (t->slot[i]) {
            struct entry *e = t->slot[i];

            t->slot[i] = e->next;
            free(e);
        }
    t->n = 0;
}

void table_close(struct table *t)
{
    table_empty(t);
    free(t->slot);
    t->slot = NULL;
}

/* FNV-1a */
static uint32_t hash(const char *s)
{
    uint32_t h = 2166136261u;

    while (*s)
        h = (h ^ (uint8_t)*s++) * 16777619u;
    return h;
}

struct entry *table_find(const struct table *t, const char *path)
{
    struct entry *e = t->slot[hash(path) & t->mask];

    while (e && strcmp(e->path, path))
        e = e->next;
    return e;
}

struct entry *table_make(struct table *t, const char *path)
{
    struct entry *e = table_find(t, path), **slot = &t->slot[hash(path) & t->mask];
    size_t len = strlen(path) + 1;

    if (e || t->n == t->max || !(e = calloc(1, sizeof *e + len)))
        return e;
    memcpy(e->path, path, len);
    e->next = *slot;
    *slot = e;
    t->n++;
    return e;
}

void table_prune(struct table *t)
{
    for (uint32_t i = 0; i <= t->mask; i++)
        for (struct entry **at = &t->slot[i]; *at;) {
            struct entry *e = *at;

            if (e->base.type || e->last.type) {
                at = &e->next;
                continue;
            }
            *at = e->next;
            free(e);
            t->n--;
        }
}

int table_each(const struct table *t, int (*fn)(void *arg, struct entry *e), void *arg)
{
    int rc = 0;

    for (uint32_t i = 0; i <= t->mask && !rc; i++)
        for (struct entry *e = t->slot[i], *next; e && !rc; e = next) {
            next = e->next;
            rc = fn(arg, e);
        }
    return rc;
}
