/* conf_mem.h: memory that lives and dies with one configuration: given piece by piece, freed at
 * once. */
#ifndef CORE_CONF_MEM_H
#define CORE_CONF_MEM_H
#include <stddef.h>

struct conf_block;
struct conf_mem {
    struct conf_block *head;
}; /* zeroed at first */

void *conf_alloc(struct conf_mem *m, size_t n); /* zeroed, 16-aligned; NULL: out of memory */
char *conf_strndup(struct conf_mem *m, const char *s, size_t n);
char *conf_strdup(struct conf_mem *m, const char *s);
char *conf_printf(struct conf_mem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void conf_mem_free(struct conf_mem *m);

#endif
