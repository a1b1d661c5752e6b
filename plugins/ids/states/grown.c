#include "plugins/ids/states/grown.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 4096u

void grown_add(struct grown *g, const void *p, size_t n)
{
    size_t cap = g->cap ? g->cap : FIRST;
    char *more;

    while (cap - g->n < n)
        cap *= 2;
    if (cap != g->cap) {
        if (g->failed || !(more = realloc(g->s, cap))) {
            g->failed = true;
            return;
        }
        g->s = more;
        g->cap = cap;
    }
    memcpy(g->s + g->n, p, n);
    g->n += n;
}

void grown_put(struct grown *g, const char *s)
{
    grown_add(g, s, strlen(s));
}
