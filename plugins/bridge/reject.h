/* reject.h: what a host hears whose packet was rejected: a TCP reset, or an ICMP error as from the other end. [any] */
#ifndef BRIDGE_REJECT_H
#define BRIDGE_REJECT_H
#include <stdbool.h>
#include <stdint.h>

#define REJECT_ROOM 1312u           /* bytes of the longest answer: an ICMPv6 packet of 1,280 (RFC 4443 §2.4), tags */

/* Writes the answer to this Ethernet frame, whole up to layer 4: to its sender, or else to its receiver, who hears of TCP
 * alone. The bytes written to `to`; 0: there is none (no IP, a later fragment, to a group, an error or a reset itself). */
uint32_t reject_answer(uint8_t to[REJECT_ROOM], const uint8_t *frame, uint32_t len, bool to_sender);

#endif
