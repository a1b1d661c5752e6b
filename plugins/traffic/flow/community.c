/* Community ID 1.0: https://github.com/corelight/community-id-spec */
/* What replaces these functions looks an algorithm up by name for each flow. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "plugins/traffic/flow/flow.h"

static bool mapped(const uint8_t a[16])
{
    static const uint8_t prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return !memcmp(a, prefix, sizeof prefix);
}

void community_hash(uint8_t out[20], uint16_t seed, const uint8_t src[16], const uint8_t dst[16],
                    uint8_t proto, uint16_t sport, uint16_t dport)
{
    uint32_t from = mapped(src) && mapped(dst) ? 12 : 0, len = 16 - from, n = 0;
    bool icmp = proto == PROTO_ICMP || proto == PROTO_ICMPV6, ordered = false;
    bool ports = icmp || proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
    uint8_t m[48];
    SHA_CTX sum;
    int order;

    if (icmp) {                     /* the answer's type stands for the other port */
        int other = icmp_counterpart(proto, (uint8_t)sport);
        if (other >= 0)
            dport = (uint16_t)other;
        else
            ordered = true;
    }
    order = memcmp(src + from, dst + from, len);
    if (!ordered && (order > 0 || (order == 0 && sport > dport))) {
        const uint8_t *a = src;
        uint16_t p = sport;
        src = dst, dst = a;
        sport = dport, dport = p;
    }
    m[n++] = (uint8_t)(seed >> 8), m[n++] = (uint8_t)seed;
    memcpy(m + n, src + from, len), n += len;
    memcpy(m + n, dst + from, len), n += len;
    m[n++] = proto, m[n++] = 0;
    if (ports) {
        m[n++] = (uint8_t)(sport >> 8), m[n++] = (uint8_t)sport;
        m[n++] = (uint8_t)(dport >> 8), m[n++] = (uint8_t)dport;
    }
    SHA1_Init(&sum);
    SHA1_Update(&sum, m, n);
    SHA1_Final(out, &sum);
}
