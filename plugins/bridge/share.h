/* share.h: how the packets of one interface are dealt out among several workers. [any] */
#ifndef BRIDGE_SHARE_H
#define BRIDGE_SHARE_H
#include <stdint.h>

#include "plugins/bridge/ring.h"

/* Makes one PACKET_FANOUT group of n rings of one interface: ring i gets the packets of those pairs of hosts that ring
 * i of any other interface gets, so that both directions, all fragments and all tunnels between two hosts meet. By the
 * outermost IP addresses, behind up to two VLAN tags; what is not IP goes by its MAC addresses. 0, or −1 and a
 * sentence. */
int share_join(struct ring *const *r, uint32_t n, char *why, uint32_t size);

#endif
