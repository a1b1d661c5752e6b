/* offload.h: what puts packets together before they are looked at (GRO, LRO, TSO, GSO), turned off and put back. Needs
 * CAP_NET_ADMIN to change anything. What was on is written to a file first, so that it can be put back after a crash.
 * [any] one at a time. */
#ifndef BRIDGE_OFFLOAD_H
#define BRIDGE_OFFLOAD_H
#include <stdint.h>

/* Turns them off on these n interfaces. folder: where they are remembered, with those of before. 0, or −1 and a
 * sentence: then some may still be on. */
int offload_off(const char *folder, const char *const *interface, uint32_t n, char *why, uint32_t size);
/* Puts back all that is remembered in folder, but on interfaces that `busy` knows (NULL: none), and forgets it. How
 * many interfaces; names: them, "eth1, eth2". −1 and a sentence. names and why have `size` bytes. */
int offload_back(const char *folder, int (*busy)(const char *interface), char *names, char *why, uint32_t size);

#endif
