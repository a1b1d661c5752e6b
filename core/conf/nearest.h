/* nearest.h: what was probably meant: the valid name that is the fewest edits away. All [any]. */
#ifndef CORE_NEAREST_H
#define CORE_NEAREST_H
#include <stdint.h>

/* Insertions, deletions, replacements and swaps of neighbours between a and b, without regard to
 * case, and with '-' and
 * '_' alike. Of each name only the first 64 bytes count. */
uint32_t nearest_distance(const char *a, const char *b);

/* Offer names one by one; start with { word, NULL, 0 }. The first of equally near ones stays. */
struct nearest {
    const char *word, *best;
    uint32_t distance;
};
void nearest_try(struct nearest *n, const char *name);

#endif
