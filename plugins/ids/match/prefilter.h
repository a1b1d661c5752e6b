/* prefilter.h: which rules of a group could match a buffer: their fast patterns, searched at once (Hyperscan, block
 * mode), and those that have none. Immutable once built. */
#ifndef IDS_MATCH_PREFILTER_H
#define IDS_MATCH_PREFILTER_H
#include <hs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugins/ids/rule/rule.h"

struct prefilter;
struct prefilter_input;

/* What looking at a rule has cost one worker; see tally.h. Written by that worker with plain stores, read by
 * anybody. */
struct tally { uint64_t checks, timed, ns, matches; };
/* Until the next look that is sampled. */
struct sampling { uint32_t countdown, gap, seed; };

/* The candidates of one inspection, each once. */
struct candidates {
    uint32_t *stamp, serial;        /* by rule */
    uint32_t *list, n, room;
};
void candidates_begin(struct candidates *c);
void candidates_add(struct candidates *c, uint32_t rule);
void candidates_sort(struct candidates *c);     /* in the order of inspection */

struct prefilter_input *prefilter_input_new(void);
bool prefilter_input_add(struct prefilter_input *in, const struct rule *r);     /* false: out of memory */
size_t prefilter_input_count(const struct prefilter_input *in);
/* Compile; in is freed. NULL and a sentence on error. *scratch grows as needed. */
struct prefilter *prefilter_build(struct prefilter_input *in, hs_scratch_t **scratch, char *why, size_t n);
void prefilter_input_free(struct prefilter_input *in);
void prefilter_free(struct prefilter *p);
size_t prefilter_bytes(const struct prefilter *p);
size_t prefilter_patterns(const struct prefilter *p);

/* Add what could match d. false: the search failed. */
bool prefilter_scan(const struct prefilter *p, hs_scratch_t *scratch, const uint8_t *d, uint32_t n,
                    struct candidates *c);

#endif
