#include "core/conf/nearest.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 64

static unsigned fold(char c)
{
    return c == '-' ? '_' : (unsigned)tolower((unsigned char)c);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time. */
uint32_t nearest_distance(const char *a, const char *b)
{
    uint32_t rows[3][NAME_MAX_BYTES + 1];
    uint32_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t na = strnlen(a, NAME_MAX_BYTES), nb = strnlen(b, NAME_MAX_BYTES);

    for (size_t j = 0; j <= nb; j++)
        last[j] = (uint32_t)j;
    for (size_t i = 1; i <= na; i++) {
        uint32_t *spare = before;

        now[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            uint32_t other = fold(a[i - 1]) != fold(b[j - 1]);

            now[j] = least(last[j - 1] + other, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[nb];
}

void nearest_try(struct nearest *n, const char *name)
{
    uint32_t d = nearest_distance(n->word, name);

    if (!n->best || d < n->distance) {
        n->best = name;
        n->distance = d;
    }
}
