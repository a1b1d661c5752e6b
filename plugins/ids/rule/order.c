#include "plugins/ids/rule/order.h"

#include <stdlib.h>
#include <string.h>

enum { ORDER_LEVELS = 15 };             /* rules that read what readers set, and so on; circles end here */

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_sid(const void *a, const void *b)
{
    const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
    int d = compare(x->gid, y->gid);

    if (!d)
        d = compare(x->sid, y->sid);
    if (!d)
        d = compare(y->rev, x->rev);
    return d ? d : compare(x->index, y->index);
}

void order_by_sid(struct rule **rule, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rule[i]->index = (uint32_t)i;
    if (n)
        qsort(rule, n, sizeof *rule, by_sid);
}

/* Rules of one action belong together whatever they read. */
static int by_inspection(const void *a, const void *b)
{
    const struct rule *x = *(struct rule *const *)a, *y = *(struct rule *const *)b;
    int d = compare(x->action, y->action);

    if (!d)
        d = compare(x->level, y->level);
    if (!d)
        d = compare(x->priority, y->priority);
    if (!d)
        d = compare(x->sid, y->sid);
    return d ? d : compare(x->gid, y->gid);
}

static uint32_t most_bits(struct rule **rule, size_t n)
{
    uint32_t max = 0;

    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < rule[i]->n_bits_set; k++)
            max = rule[i]->bits_set[k] > max ? rule[i]->bits_set[k] : max;
        for (uint32_t k = 0; k < rule[i]->n_bits_read; k++)
            max = rule[i]->bits_read[k] > max ? rule[i]->bits_read[k] : max;
    }
    return max;
}

static bool sets(const struct rule *r, uint32_t bit)
{
    for (uint32_t k = 0; k < r->n_bits_set; k++)
        if (r->bits_set[k] == bit)
            return true;
    return false;
}

/* One round: who reads stands above those who set; of[bit]: 1 + the highest level of those who set it. */
static bool level_round(struct rule **rule, size_t n, uint32_t *of)
{
    bool changed = false;

    for (size_t i = 0; i < n; i++) {
        struct rule *r = rule[i];

        for (uint32_t k = 0; k < r->n_bits_read; k++) {
            uint32_t want = of[r->bits_read[k]];

            /* A rule that keeps its own mark does not wait for itself. */
            if (sets(r, r->bits_read[k]) || want <= r->level || r->level >= ORDER_LEVELS)
                continue;
            r->level = want < ORDER_LEVELS ? want : ORDER_LEVELS;
            changed = true;
        }
        for (uint32_t k = 0; k < r->n_bits_set; k++)
            if (of[r->bits_set[k]] < r->level + 1) {
                of[r->bits_set[k]] = r->level + 1;
                changed = true;
            }
    }
    return changed;
}

bool order_for_inspection(struct rule **rule, size_t n)
{
    uint32_t *of = calloc((size_t)most_bits(rule, n) + 1, sizeof *of);

    if (!of)
        return false;
    for (int round = 0; round <= ORDER_LEVELS && level_round(rule, n, of); round++)
        ;
    free(of);
    if (n)
        qsort(rule, n, sizeof *rule, by_inspection);
    for (size_t i = 0; i < n; i++)
        rule[i]->index = (uint32_t)i;
    return true;
}
