/* arena.h: memory that lives as long as a rule set: allocated piece by piece, freed at once. One thread at a time. */
#ifndef IDS_RULE_ARENA_H
#define IDS_RULE_ARENA_H
#include <stddef.h>

struct arena;

struct arena *arena_new(void);                                  /* NULL: out of memory */
void arena_free(struct arena *a);                               /* with all that came from it; NULL is fine */
/* n zeroed bytes, 16-aligned. Out of memory is remembered (arena_failed()), and the answer is NULL. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_text(struct arena *a, const char *s, size_t n);     /* a copy that ends with NUL */
/* Make room for one more element: v holds n elements of `bytes`; *cap grows by doubling. Returns v or its copy. */
void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t bytes);
int arena_failed(const struct arena *a);
size_t arena_bytes(const struct arena *a);                      /* handed out so far */

#endif
