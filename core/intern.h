/* intern.h: names that keep their number for the whole run, by space ("iface", "app_proto", …).
 * Never freed; at most 1 M names in a space, 64 spaces. Lookup by number takes no lock. */
#ifndef CORE_INTERN_H
#define CORE_INTERN_H
#include <stdint.h>

/* [any], locks; 0: out of memory or full */
uint32_t intern_name(const char *space, const char *name);
const char *intern_get(const char *space, uint32_t id);             /* [any]; NULL: unknown */

#endif
