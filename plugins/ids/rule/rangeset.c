#include "plugins/ids/rule/rangeset.h"

#include "plugins/ids/rule/arena.h"

#include <stdlib.h>
#include <string.h>

bool rangeset_add(struct arena *a, struct rangeset *s, const struct range *r)
{
    struct range *p = arena_grow(a, s->r, s->n, &s->cap, sizeof *p);

    if (!p)
        return false;
    s->r = p;
    p[s->n++] = *r;
    return true;
}

static int range_order(const void *a, const void *b)
{
    return memcmp(((const struct range *)a)->lo, ((const struct range *)b)->lo, 16);
}

/* k + 1; false: k was the last one. */
static bool key_next(uint8_t k[16])
{
    for (int i = 15; i >= 0; i--)
        if (++k[i])
            return true;
    return false;
}

static void key_previous(uint8_t k[16])
{
    for (int i = 15; i >= 0; i--)
        if (k[i]--)
            return;
}

void rangeset_sort(struct rangeset *s)
{
    size_t n = 0;

    if (!s->n)
        return;
    qsort(s->r, s->n, sizeof *s->r, range_order);
    for (size_t i = 1; i < s->n; i++) {
        uint8_t after[16];
        bool more;

        memcpy(after, s->r[n].hi, 16);
        more = key_next(after);
        if (!more || memcmp(s->r[i].lo, after, 16) <= 0) {
            if (memcmp(s->r[i].hi, s->r[n].hi, 16) > 0)
                memcpy(s->r[n].hi, s->r[i].hi, 16);
        } else {
            s->r[++n] = s->r[i];
        }
    }
    s->n = n + 1;
}

bool rangeset_minus(struct arena *a, const struct rangeset *from, const struct rangeset *minus,
                    struct rangeset *out)
{
    size_t j = 0;

    for (size_t i = 0; i < from->n; i++) {
        struct range r = from->r[i];
        bool rest = true;

        while (j < minus->n && memcmp(minus->r[j].hi, r.lo, 16) < 0)
            j++;
        for (size_t k = j; rest && k < minus->n && memcmp(minus->r[k].lo, r.hi, 16) <= 0; k++) {
            const struct range *m = &minus->r[k];

            if (memcmp(m->lo, r.lo, 16) > 0) {
                struct range before = r;

                memcpy(before.hi, m->lo, 16);
                key_previous(before.hi);
                if (!rangeset_add(a, out, &before))
                    return false;
            }
            memcpy(r.lo, m->hi, 16);
            rest = key_next(r.lo) && memcmp(r.lo, r.hi, 16) <= 0;
        }
        if (rest && !rangeset_add(a, out, &r))
            return false;
    }
    return true;
}

bool rangeset_has(const struct rangeset *s, const uint8_t key[16])
{
    size_t lo = 0, hi = s->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (memcmp(s->r[mid].hi, key, 16) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n && memcmp(s->r[lo].lo, key, 16) <= 0;
}
