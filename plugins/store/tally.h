/* tally.h: how often texts occur. */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_MAX 65536u            /* different texts */

struct tally_entry { char *text; uint64_t n; };
struct tally { struct tally_entry *entry; uint32_t n, cap; bool full; };    /* full: some were left out */

bool tally_add(struct tally *t, const char *text, uint64_t n);      /* false: out of memory */
/* The most frequent first, the same ones by their text. The hash is void after it. */
void tally_sort(struct tally *t);
void tally_free(struct tally *t);

#endif
