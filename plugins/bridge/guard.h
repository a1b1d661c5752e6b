/* guard.h: fail: open. Two nftables tables of the family netdev, each with a chain on both interfaces:
 *   ecyber_open_IF  stays, and sends each frame out on the other interface
 *   ecyber_hold_IF  stands before it and lets none pass; it has an owner, so the kernel removes it in the moment in
 *                   which the daemon's socket is closed, whatever ended the daemon
 * Packet sockets get their copy before both. Needs CAP_NET_ADMIN and Linux 5.12. [any] one at a time. */
#ifndef BRIDGE_GUARD_H
#define BRIDGE_GUARD_H
#include <stdint.h>

#include "plugins/bridge/link.h"

/* Makes both tables anew. *fd: −1, or that of an earlier call; as long as it is open, frames are held. 0, or −1 and
 * a sentence. */
int guard_set(int *fd, const struct link *const l[2], char *why, uint32_t n);
/* Removes what an earlier guard_set() left for interfaces of which the first has this name. 0, also where there is
 * nothing; −1 and a sentence. */
int guard_remove(const char *first, char *why, uint32_t n);

#endif
