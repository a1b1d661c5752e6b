/* addrindex.h: rules found by an address that they name, for sets with thousands of lists of addresses. Addresses are
 * cut at every range's ends into spans, each with its rules. Immutable once built. */
#ifndef IDS_MATCH_ADDRINDEX_H
#define IDS_MATCH_ADDRINDEX_H
#include "plugins/ids/match/prefilter.h"

enum addr_side { ADDR_SRC, ADDR_DST };
struct addr_span { uint8_t lo[16]; uint32_t first, n; };        /* until the next one's lo; rules[first …] */
struct addr_index { struct addr_span *span; uint32_t *rules; size_t n; };

/* Can r be found by this side alone: does it name a few narrow ranges there? */
bool addr_index_takes(const struct rule *r, enum addr_side side);
/* list: indexes of the rules, each of which it takes. false: out of memory. */
bool addr_index_build(struct addr_index *x, struct rule *const *rule, const uint32_t *list, size_t n,
                      enum addr_side side);
void addr_index_free(struct addr_index *x);
/* The rules that name addr: *n of them. */
const uint32_t *addr_index_find(const struct addr_index *x, const uint8_t addr[16], size_t *n);

#endif
