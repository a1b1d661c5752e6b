#include "core/helper/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_clear(struct text *t)
{
    t->n = 0;
    t->failed = false;
}

static bool text_room(struct text *t, size_t n)
{
    size_t cap = t->cap ? t->cap : 4096;
    char *p;

    if (t->failed)
        return false;
    while (cap - t->n <= n)
        cap *= 2;
    if (cap == t->cap)
        return true;
    p = realloc(t->p, cap);
    t->failed = !p;
    if (p) {
        t->p = p;
        t->cap = cap;
    }
    return p != NULL;
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !text_room(t, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
    t->n += (size_t)n;
}
