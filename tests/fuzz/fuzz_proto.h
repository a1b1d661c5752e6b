/* fuzz_proto.h: a conversation out of fuzz input: each piece is a control byte (bit 0: direction, bit 1: a gap before it,
 * bit 2: a datagram), a length of two bytes, and its bytes. */
#ifndef TESTS_FUZZ_PROTO_H
#define TESTS_FUZZ_PROTO_H

#include "tests/support/fake_traffic.h"

static inline void fuzz_conversation(struct fake_traffic *f, const uint8_t *d, size_t n)
{
    fake_begin(f);
    while (n >= 3) {
        uint32_t len = (uint32_t)d[1] << 8 | d[2], dir = d[0] & 1;
        uint32_t flags = (d[0] & 4) ? EC_CH_DATAGRAM : 0;
        bool gap = (d[0] & 2) != 0;
        d += 3;
        n -= 3;
        if (len > n)
            len = (uint32_t)n;
        if (gap)
            fake_gap(f, dir, len);
        fake_feed(f, dir, d, len, flags);
        (void)f->proto->probe(d, len, flags ? dir | EC_PROBE_DATAGRAM : dir);
        d += len;
        n -= len;
    }
    fake_end(f);
    testhost_forget(f->host);
}

#endif
