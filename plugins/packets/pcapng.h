/* pcapng.h: write packets as pcapng (draft-ietf-opsawg-pcapng), little-endian, times in ns. */
#ifndef PACKETS_PCAPNG_H
#define PACKETS_PCAPNG_H
#include "plugins/packets/ring.h"

#include <stdio.h>

#define PCAPNG_LINKS 32u            /* interfaces with their link types in one file */

struct pcapng {
    FILE *out;                      /* of the caller */
    uint64_t bytes;                 /* written */
    uint32_t n_link;
    struct { uint32_t linktype, iface; } link[PCAPNG_LINKS];
};

/* Each: false, and errno says why, where it cannot be written. program: its name and version. */
bool pcapng_begin(struct pcapng *g, FILE *out, const char *program);
/* iface: name of p->iface, NULL: none. More interfaces than fit are written as one of those that there are with that
 * link type, or not at all. */
bool pcapng_packet(struct pcapng *g, const struct ring_packet *p, const char *iface, const uint8_t *data);
/* How many packets were lost on the way into the file. */
bool pcapng_end(struct pcapng *g, uint64_t lost);

#endif
