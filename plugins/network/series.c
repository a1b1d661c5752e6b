#include "plugins/network/series.h"

static void bucket_add(struct bucket *b, uint64_t at_s, const uint64_t n[COUNTS])
{
    if (b->at_s != at_s)
        *b = (struct bucket){ .at_s = at_s };
    for (uint32_t i = 0; i < COUNTS; i++)
        b->n[i] += n[i];
}

void series_add(struct series *s, uint64_t at_s, const uint64_t n[COUNTS])
{
    bucket_add(&s->second[at_s % SERIES_SECONDS], at_s, n);
    bucket_add(&s->minute[at_s / 60 % SERIES_MINUTES], at_s / 60 * 60, n);
}

uint32_t series_read(const struct series *s, bool minutes, uint64_t now_s, struct bucket *to, uint32_t max)
{
    uint64_t width = minutes ? 60 : 1, size = minutes ? SERIES_MINUTES : SERIES_SECONDS, last = now_s / width;
    uint32_t n = 0;

    if (max > size)
        max = (uint32_t)size;
    for (uint64_t i = last >= max ? last - max + 1 : 0; i <= last; i++) {
        const struct bucket *b = minutes ? &s->minute[i % size] : &s->second[i % size];

        if (b->at_s && b->at_s == i * width)
            to[n++] = *b;
    }
    return n;
}
