/* tally.h: what each rule costs: how often it was looked at in full, how often it matched, and of about one look in
 * 256 how long it took. */
#ifndef IDS_MATCH_TALLY_H
#define IDS_MATCH_TALLY_H
#include <time.h>
#include "plugins/ids/match/scope.h"

#define TALLY_EVERY 192u            /* looks that are not timed between two that are; and up to 127 more, so that no
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

/* [wrk] Before a rule is looked at. 0: this time nobody takes the time. */
static inline uint64_t tally_begin(const struct scope *s, const struct rule *r)
{
    struct candidates *c = &s->hand->candidates;

    tally_add(&c->tally[r->index].checks, 1);
    if (__builtin_expect(c->countdown != 0, 1)) {
        c->countdown--;
        return 0;
    }
    c->countdown = TALLY_EVERY + (c->serial & 127);
    return tally_clock();
}

static inline void tally_end(const struct scope *s, const struct rule *r, uint64_t begin)
{
    struct tally *t = &s->hand->candidates.tally[r->index];

    if (__builtin_expect(begin == 0, 1))
        return;
    __atomic_store_n(&t->timed, t->timed + 1, __ATOMIC_RELAXED);
    tally_add(&t->ns, tally_clock() - begin);
}

static inline void tally_match(const struct scope *s, const struct rule *r)
{
    tally_add(&s->hand->candidates.tally[r->index].matches, 1);
}

#endif
