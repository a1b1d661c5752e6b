/* rangeset.h: sets of addresses or ports as sorted, disjoint ranges of 16-byte big-endian keys. IPv4 addresses are
 * mapped (::ffff:a.b.c.d), a port stands in the last two bytes. */
#ifndef IDS_RULE_RANGESET_H
#define IDS_RULE_RANGESET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct range { uint8_t lo[16], hi[16]; };
struct rangeset { struct range *r; size_t n, cap; };

bool rangeset_add(struct arena *a, struct rangeset *s, const struct range *r);
void rangeset_sort(struct rangeset *s);                         /* sort and merge */
/* out = `from` without `minus`, both sorted. false: out of memory. */
bool rangeset_minus(struct arena *a, const struct rangeset *from, const struct rangeset *minus,
                    struct rangeset *out);
bool rangeset_has(const struct rangeset *s, const uint8_t key[16]);

#endif
