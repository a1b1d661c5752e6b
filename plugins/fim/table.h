/* table.h: the files that are watched, by path: what was accepted (base), and what was seen last; and the file that
 * keeps both over a restart. One thread at a time. */
#ifndef FIM_TABLE_H
#define FIM_TABLE_H
#include <stddef.h>
#include <stdio.h>

#include "plugins/fim/meta.h"

struct entry {
    struct entry *next;
    struct meta base, last;
    uint32_t round;                 /* of the scan that saw it last */
    char path[];
};
struct table {
    uint32_t n, max, mask;
    struct entry **slot;
};

/* max: entries, 1 to 2^24. false: out of memory. */
bool table_open(struct table *t, uint32_t max);
void table_close(struct table *t);
void table_empty(struct table *t);
struct entry *table_find(const struct table *t, const char *path);
/* Find or make it, with nothing known. NULL: the table is full, or no memory. */
struct entry *table_make(struct table *t, const char *path);
/* Drop all for which there is neither a base nor a last. */
void table_prune(struct table *t);
/* Not 0 ends the call and is returned. Entries may not be made meanwhile. */
int table_each(const struct table *t, int (*fn)(void *arg, struct entry *e), void *arg);

/* As text, one entry a line, with a first and a last line; 0, or an errno of the stream. */
int table_write(const struct table *t, FILE *to);
/* Into an empty table. false: why says in a sentence what is wrong with which line; the table is then empty again.
 * Entries beyond max are left out and counted. */
bool table_read(struct table *t, const char *text, size_t len, uint32_t *over, char *why, size_t n);

#endif
