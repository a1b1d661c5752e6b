/* filter.h: a BPF filter in tcpdump's language, for packets of any link type. */
#ifndef PACKETS_FILTER_H
#define PACKETS_FILTER_H
#include "plugins/packets/ring.h"

#include <stddef.h>

#define FILTER_MAX 1024             /* bytes of its text, with the NUL */
struct filter;

/* NULL: why says what is wrong, as libpcap says it for Ethernet. text "": everything. */
struct filter *filter_new(const char *text, char *why, size_t n);
void filter_free(struct filter *f);
/* One thread. Where a link type does not know what the text names, nothing of it passes. */
bool filter_takes(struct filter *f, const struct ring_packet *p, const uint8_t *data);

#endif
