/* grown.h: bytes of a reply in the making. Running out of memory is remembered, not reported each time. */
#ifndef IDS_STATES_GROWN_H
#define IDS_STATES_GROWN_H
#include <stdbool.h>
#include <stddef.h>

struct grown { char *s; size_t n, cap; bool failed; };  /* zeroed: empty; s: of malloc() */

void grown_add(struct grown *g, const void *p, size_t n);
void grown_put(struct grown *g, const char *s);

#endif
