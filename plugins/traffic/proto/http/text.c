/* text.c: a byte string that grows up to a bound. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_add(struct text *t, const void *p, uint32_t n)
{
    bool whole = n <= TEXT_MAX - t->n;

    if (!whole)
        n = TEXT_MAX - t->n;
    if (t->n + n > t->room) {
        uint32_t room = t->room ? t->room : 256;
        uint8_t *grown;
        while (room < t->n + n)
            room *= 2;
        if (!(grown = realloc(t->p, room)))
            return false;
        t->p = grown;
        t->room = room;
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    return whole;
}

void text_shift(struct text *t, uint32_t n)
{
    if (n > t->n)
        n = t->n;
    if (n)
        memmove(t->p, t->p + n, t->n - n);
    t->n -= n;
}

void text_free(struct text *t)
{
    free(t->p);
    t->p = NULL;
    t->n = t->room = 0;
}
