/* fail.h: what crosses while no daemon runs. What was prepared for it is remembered in the state folder, so that it can
 * be taken back. [any] one at a time. */
#ifndef BRIDGE_FAIL_H
#define BRIDGE_FAIL_H
#include <stdint.h>

#include "plugins/bridge/link.h"

/* Everything: guard_set(), and both interfaces stay promiscuous. *hold: as there. 0, or −1 and a sentence. */
int fail_open(const char *folder, const struct link *const l[2], int *hold, char *why, uint32_t n);
/* Nothing: takes back what is remembered, but not where `busy` knows its first interface (NULL: none). `but`: nor where
 * it is of this one (NULL: none). 0, or −1 and a sentence. */
int fail_closed(const char *folder, int (*busy)(const char *interface), const char *but, char *why, uint32_t n);

#endif
