/* tally.h: what each rule costs. Matches are counted, each one. Looks are sampled, about one in 256: so many as went by
 * since the sample before are put down to the rule that is looked at, and the time is taken. To count every look would
 * cost a line of memory each time. */
#ifndef IDS_MATCH_TALLY_H
#define IDS_MATCH_TALLY_H
#include <time.h>
#include "plugins/ids/match/scope.h"

#define TALLY_LEAST 128u            /* looks from one sample to the next; at most 255 more, at random, so that no
                                     * pattern in the traffic hides from it */

static inline void tally_add(uint64_t *to, uint64_t n)
{
    __atomic_store_n(to, *to + n, __ATOMIC_RELAXED);
}

static inline uint64_t tally_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* A sample: how many looks does it stand for? The next gap is drawn (Numerical Recipes' generator). */
static inline uint32_t tally_draw(struct sampling *p)
{
    uint32_t gap = p->gap ? p->gap : 1;

    p->seed = p->seed * 1664525u + 1013904223u;
    p->gap = TALLY_LEAST + (p->seed >> 24);
    p->countdown = p->gap - 1;
    return gap;
}

/* [wrk] Before a rule is looked at. 0: it is no sample. */
static inline uint64_t tally_begin(const struct scope *s, const struct rule *r)
{
    struct sampling *p = &s->hand->sampling;

    if (__builtin_expect(p->countdown != 0, 1)) {
        p->countdown--;
        return 0;
    }
    tally_add(&s->hand->tally[r->index].checks, tally_draw(p));
    return tally_clock();
}

static inline void tally_end(const struct scope *s, const struct rule *r, uint64_t begin)
{
    struct tally *t = &s->hand->tally[r->index];

    if (__builtin_expect(begin == 0, 1))
        return;
    tally_add(&t->timed, 1);
    tally_add(&t->ns, tally_clock() - begin);
}

static inline void tally_match(const struct scope *s, const struct rule *r)
{
    tally_add(&s->hand->tally[r->index].matches, 1);
}

#endif
