/* share.h: which worker a packet of a file belongs to: by the addresses of its outermost IP header
 * alone, the same for both directions, so that all fragments of a datagram and everything inside a
 * tunnel stay on one worker. An ICMP error goes by those of the packet that it quotes, to its flow. */
#ifndef CAPTURE_SHARE_H
#define CAPTURE_SHARE_H
#include <stdint.h>

/* 0 … shares − 1; 0 for what is not IP or is too short. The same in every run. [any] */
uint32_t share_of(uint32_t linktype, const uint8_t *p, uint32_t n, uint32_t shares);

#endif
