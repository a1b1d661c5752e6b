/* guard.h: whom nobody may ban: the allow-list, loopback, this machine's own addresses, and networks that are too wide.
 */
#ifndef FIREWALL_GUARD_H
#define FIREWALL_GUARD_H
#include "plugins/firewall/address.h"

struct guard {                      /* from the configuration; immutable */
    uint64_t serial;                /* which configuration */
    uint32_t n_allow;
    uint32_t widest4, widest6;      /* shortest prefix that may be banned, as written */
    struct net allow[];
};
struct own { uint32_t n; struct net net[]; };           /* this machine's addresses */

/* The addresses of all interfaces. NULL: out of memory, or they cannot be read. free() it. */
struct own *own_read(void);
/* The networks that nobody may ban anywhere, and what they are. NULL behind the last. */
const struct net *guard_never(uint32_t i, const char **what);
/* Is it, or is a part of it, not to be banned? false, or true and a sentence in why. own may be NULL. */
bool guard_refuses(const struct guard *g, const struct own *own, const struct net *n, char *why, size_t bytes);
/* The entry of the allow-list that holds it, NULL: none. */
const struct net *guard_allows(const struct guard *g, const struct net *n);

#endif
