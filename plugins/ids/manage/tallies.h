/* tallies.h: what rules have cost since the start, over reloads and workers. */
#ifndef IDS_MANAGE_TALLIES_H
#define IDS_MANAGE_TALLIES_H
#include "plugins/ids/match/engine.h"

struct tally_sum {
    uint64_t checks, matches;       /* looks, estimated; how often it held, whatever thresholds said, counted */
    uint64_t timed, ns;             /* samples; what those took */
};

struct tallies;

struct tallies *tallies_new(void);              /* NULL: out of memory */
void tallies_free(struct tallies *t);
/* [any] An engine that nobody uses any more: what it counted is kept, by gid and sid. */
void tallies_take(struct tallies *t, const struct engine *e);
/* [any] Of a rule since the start; index: in e, UINT32_MAX: it is not in use. */
struct tally_sum tallies_of(struct tallies *t, const struct engine *e, uint32_t index, uint32_t gid, uint32_t sid);

#endif
