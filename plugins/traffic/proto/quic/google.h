/* google.h: the client's hello in Google's versions of QUIC (Q043 to Q046), which is not encrypted: tags with values.
 * Google's "QUIC Crypto" (A. Langley, W. Chang). Reads only inside the packet. */
#ifndef TRAFFIC_QUIC_GOOGLE_H
#define TRAFFIC_QUIC_GOOGLE_H

#include <stdbool.h>
#include <stdint.h>

#define GOOGLE_TAGS_MAX 128         /* more than that are no hello */
#define GOOGLE_CYU_MAX (4 + 5 * GOOGLE_TAGS_MAX)

struct google_hello {
    const uint8_t *d;               /* in the packet: its tags, each with the end of its value, and the values */
    uint32_t n, tags;
};

/* False: the packet has none. */
bool google_hello_find(struct google_hello *h, const uint8_t *d, uint32_t n);
/* The value of a tag of four bytes ("SNI", with a zero behind it). NULL: there is none, or it is not whole. */
const uint8_t *google_value(const struct google_hello *h, const char tag[4], uint32_t *n);
/* CYU, which tells programs by it: the version's number and the tags in their order, "46,PAD-SNI-VER". Its length. */
uint32_t google_cyu(const struct google_hello *h, uint32_t version, char out[GOOGLE_CYU_MAX]);

#endif
