/* share.h: how the packets of one interface are dealt out among several workers. [any] */
#ifndef BRIDGE_SHARE_H
#define BRIDGE_SHARE_H
#include <stdint.h>

#include "plugins/bridge/ring.h"

/* Makes one PACKET_FANOUT group of n rings of one interface: ring i gets the packets of those pairs of hosts that ring
 * i of any other interface gets, so that both directions, all fragments and all tunnels between two hosts meet
 * (lib/spread.h, whose key must be the same for all). What is not IP goes to the first. 0, or −1 and a sentence. */
int share_join(struct ring *const *r, uint32_t n, uint32_t key, char *why, uint32_t size);

#endif
