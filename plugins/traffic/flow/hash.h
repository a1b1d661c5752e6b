/* hash.h: SipHash-1-3 over whole words (https://www.aumasson.jp/siphash): keyed, so that nobody
 * outside can choose tuples that fall into one bucket. */
#ifndef TRAFFIC_HASH_H
#define TRAFFIC_HASH_H
#include <stdint.h>

struct sip { uint64_t v0, v1, v2, v3; };

static inline uint64_t sip_rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = sip_rotl(s->v1, 13) ^ s->v0;
    s->v0 = sip_rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = sip_rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = sip_rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = sip_rotl(s->v1, 17) ^ s->v2;
    s->v2 = sip_rotl(s->v2, 32);
}

static inline uint64_t sip_words(uint64_t k0, uint64_t k1, const uint64_t *m, uint32_t n)
{
    struct sip s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    uint64_t last = (uint64_t)n * 8 << 56;

    for (uint32_t i = 0; i < n; i++) {
        s.v3 ^= m[i];
        sip_round(&s);
        s.v0 ^= m[i];
    }
    s.v3 ^= last;
    sip_round(&s);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
