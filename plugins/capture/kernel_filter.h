/* kernel_filter.h: a filter expression at a live handle's socket: another one from one packet to the next. */
#ifndef CAPTURE_KERNEL_FILTER_H
#define CAPTURE_KERNEL_FILTER_H
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

/* p: activated. text: NULL or "": none, but the second copies on loopback. *libpcap: false at first, then kept with p:
 * libpcap filters, since the kernel refused a program; a change then loses what comes in between, for some microseconds.
 * 0; or −1 and a sentence that names the interface: what stood before still does. */
int kernel_filter(pcap_t *p, const char *text, bool *libpcap, const char *interface, char *why, uint32_t n);

#endif
