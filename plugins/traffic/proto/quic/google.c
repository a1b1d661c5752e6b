/* google.c: the client's hello in Google's versions of QUIC. */
#include "google.h"

#include <string.h>

#define NEAR 96u                    /* bytes of headers in front of a hello, at most */
#define HEAD 8u                     /* "CHLO", number of tags, padding */
#define ENTRY 8u                    /* a tag, and where its value ends */

static uint32_t number(const uint8_t *d)
{
    return d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24;
}

bool google_hello_find(struct google_hello *h, const uint8_t *d, uint32_t n)
{
    const uint8_t *at = memmem(d, n < NEAR ? n : NEAR, "CHLO", 4);
    uint32_t left = at ? n - (uint32_t)(at - d) : 0;

    if (left < HEAD)
        return false;
    h->d = at + HEAD;
    h->n = left - HEAD;
    h->tags = at[4] | (uint32_t)at[5] << 8;
    return h->tags && h->tags <= GOOGLE_TAGS_MAX && h->tags * ENTRY <= h->n;
}

const uint8_t *google_value(const struct google_hello *h, const char tag[4], uint32_t *n)
{
    const uint8_t *values = h->d + h->tags * ENTRY;
    uint32_t room = h->n - h->tags * ENTRY, from = 0;

    for (uint32_t i = 0; i < h->tags; i++) {
        const uint8_t *e = h->d + i * ENTRY;
        uint32_t to = number(e + 4);

        if (to < from || to > room)
            return NULL;
        *n = to - from;
        if (!memcmp(e, tag, 4))
            return *n ? values + from : NULL;
        from = to;
    }
    return NULL;
}

uint32_t google_cyu(const struct google_hello *h, uint32_t version, char out[GOOGLE_CYU_MAX])
{
    uint32_t n = 0;

    out[n++] = (char)(version >> 8);
    out[n++] = (char)version;
    for (uint32_t i = 0; i < h->tags; i++) {
        out[n++] = i ? '-' : ',';
        for (uint32_t k = 0; k < 4 && h->d[i * ENTRY + k]; k++)
            out[n++] = (char)h->d[i * ENTRY + k];
    }
    return n;
}
