#include "plugins/ids/match/addrindex.h"

#include <stdlib.h>
#include <string.h>

static const struct rangeset *rule_side(const struct rule *r, enum addr_side side)
{
    return side == ADDR_SRC ? r->src : r->dst;
}

/* Narrow: at most 65,536 addresses. Wide ranges would stand in the spans of all others. */
bool addr_index_takes(const struct rule *r, enum addr_side side)
{
    const struct rangeset *s = rule_side(r, side);

    if (!s || (r->flags & RULE_BIDIR))
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(s->r[i].lo, s->r[i].hi, 14))
            return false;
    return true;
}

/* The first address behind a range; false: there is none. */
static bool address_after(const uint8_t hi[16], uint8_t out[16])
{
    memcpy(out, hi, 16);
    for (int i = 15; i >= 0; i--)
        if (++out[i])
            return true;
    return false;
}

static int by_lo(const void *a, const void *b)
{
    return memcmp(((const struct addr_span *)a)->lo, ((const struct addr_span *)b)->lo, 16);
}

/* The span that holds addr: the last one that begins at or before it; n: none. */
static size_t span_of(const struct addr_index *x, const uint8_t addr[16])
{
    size_t lo = 0, hi = x->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (memcmp(x->span[mid].lo, addr, 16) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? lo - 1 : x->n;
}

/* Every end of every range begins a span. */
static bool index_cut(struct addr_index *x, struct rule *const *rule, const uint32_t *list, size_t n,
                      enum addr_side side)
{
    size_t ranges = 0, k = 0;

    for (size_t i = 0; i < n; i++)
        ranges += rule_side(rule[list[i]], side)->n;
    x->span = calloc(2 * ranges + 1, sizeof *x->span);
    if (!x->span)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct rangeset *s = rule_side(rule[list[i]], side);

        for (size_t j = 0; j < s->n; j++) {
            memcpy(x->span[x->n++].lo, s->r[j].lo, 16);
            x->n += address_after(s->r[j].hi, x->span[x->n].lo);
        }
    }
    if (x->n)
        qsort(x->span, x->n, sizeof *x->span, by_lo);
    for (size_t i = 0; i < x->n; i++)
        if (!i || memcmp(x->span[i].lo, x->span[k - 1].lo, 16))
            x->span[k++] = x->span[i];
    x->n = k;
    return true;
}

/* Count the rules of each span, or enter them where room was made. */
static void index_fill(struct addr_index *x, struct rule *const *rule, const uint32_t *list, size_t n,
                       enum addr_side side)
{
    for (size_t i = 0; i < n; i++) {
        const struct rangeset *s = rule_side(rule[list[i]], side);

        for (size_t j = 0; j < s->n; j++)
            for (size_t k = span_of(x, s->r[j].lo); k < x->n && memcmp(x->span[k].lo, s->r[j].hi, 16) <= 0; k++) {
                if (x->rules)
                    x->rules[x->span[k].first + x->span[k].n] = list[i];
                x->span[k].n++;
            }
    }
}

bool addr_index_build(struct addr_index *x, struct rule *const *rule, const uint32_t *list, size_t n,
                      enum addr_side side)
{
    uint32_t total = 0;

    memset(x, 0, sizeof *x);
    if (!index_cut(x, rule, list, n, side))
        return false;
    index_fill(x, rule, list, n, side);
    for (size_t k = 0; k < x->n; k++) {
        x->span[k].first = total;
        total += x->span[k].n;
        x->span[k].n = 0;
    }
    x->rules = calloc((size_t)total + 1, sizeof *x->rules);
    if (!x->rules) {
        addr_index_free(x);
        return false;
    }
    index_fill(x, rule, list, n, side);
    return true;
}

void addr_index_free(struct addr_index *x)
{
    free(x->span);
    free(x->rules);
    memset(x, 0, sizeof *x);
}

const uint32_t *addr_index_find(const struct addr_index *x, const uint8_t addr[16], size_t *n)
{
    size_t k = x->n ? span_of(x, addr) : 0;

    *n = k < x->n ? x->span[k].n : 0;
    return *n ? x->rules + x->span[k].first : NULL;
}
