#include "plugins/ids/match/hit.h"

#include <stdlib.h>
#include <string.h>

void hit_add(struct hit *h, const struct chain *c, const struct verify *v, const struct hit_source *src)
{
    for (uint32_t i = 0; i < c->n && h->n < HIT_FINDINGS; i++) {
        const struct element *e = c->element[i];
        struct finding *f = &h->finding[h->n];

        if (e->flags & ELEMENT_NEGATED)
            continue;
        *f = (struct finding){
            .keyword = e->keyword, .buffer = src->buffer, .bytes = v->data + v->place[i].off,
            .len = v->place[i].len, .before = v->place[i].off, .order = e->order,
            .offset = v->base + v->place[i].off, .item = src->item, .listed = src->listed, .secret = src->secret,
            .wire = src->wire, .dir = src->dir, .count = src->count,
        };
        if (f->wire)
            f->wire_offset = src->wire_base + v->place[i].off;
        h->n++;
    }
}

void hit_add_word(struct hit *h, const char *keyword, const char *buffer, const char *word, uint32_t order)
{
    if (h->n < HIT_FINDINGS)
        h->finding[h->n++] = (struct finding){ .keyword = keyword, .buffer = buffer, .bytes = (const uint8_t *)word,
                                               .len = (uint32_t)strlen(word), .order = order };
}

static int by_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

void hit_sort(struct hit *h)
{
    if (h->n > 1)
        qsort(h->finding, h->n, sizeof h->finding[0], by_order);
}
