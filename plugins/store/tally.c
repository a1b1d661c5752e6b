#include "plugins/store/tally.h"

#include <stdlib.h>
#include <string.h>

/* The place of a text: where it stands, or where it would. cap is a power of two. */
static struct tally_entry *place(struct tally_entry *entry, uint32_t cap, const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    uint32_t i;

    for (const char *s = text; *s; s++)
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    for (i = (uint32_t)(h ^ h >> 32) & (cap - 1); entry[i].text && strcmp(entry[i].text, text); i = (i + 1) & (cap - 1))
        ;
    return &entry[i];
}

static bool grow(struct tally *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 256;
    struct tally_entry *entry = calloc(cap, sizeof *entry);

    if (!entry)
        return false;
    for (uint32_t i = 0; i < t->cap; i++)
        if (t->entry[i].text)
            *place(entry, cap, t->entry[i].text) = t->entry[i];
    free(t->entry);
    t->entry = entry;
    t->cap = cap;
    return true;
}

bool tally_add(struct tally *t, const char *text, uint64_t n)
{
    struct tally_entry *e;

    if (t->n * 2 >= t->cap && !grow(t))
        return false;
    e = place(t->entry, t->cap, text);
    if (!e->text && t->n == TALLY_MAX) {
        t->full = true;
        return true;
    }
    if (!e->text) {
        if (!(e->text = strdup(text)))
            return false;
        t->n++;
    }
    e->n += n;
    return true;
}

static int more_first(const void *a, const void *b)
{
    const struct tally_entry *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->text, y->text);
}

void tally_sort(struct tally *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->cap; i++)
        if (t->entry[i].text)
            t->entry[n++] = t->entry[i];
    for (uint32_t i = n; i < t->cap; i++)
        t->entry[i].text = NULL;
    if (n)
        qsort(t->entry, n, sizeof *t->entry, more_first);
}

void tally_free(struct tally *t)
{
    for (uint32_t i = 0; i < t->cap; i++)
        free(t->entry[i].text);
    free(t->entry);
    memset(t, 0, sizeof *t);
}
