/* geoip.h: ec.geoip/1, where an address is. STATUS: draft 1. */
#ifndef EC_EXT_GEOIP_H
#define EC_EXT_GEOIP_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_GEOIP_ID "ec.geoip/1-draft.1"

struct ec_place {
    uint32_t size, asn;             /* size: set by who asks; asn 0: unknown */
    char country[4];                /* ISO 3166-1 alpha-2, NUL-terminated; "": unknown */
    char org[128];                  /* of the autonomous system, UTF-8; "": unknown */
};
struct ec_geoip {
    uint32_t size, reserved;
    /* [any] No I/O, no lock; at most 200 ns. addr16: IPv4 mapped. EC_ENOENT: nothing known. */
    int32_t (*lookup)(void *self, const uint8_t *addr16, struct ec_place *place);
};

#ifdef __cplusplus
}
#endif
#endif
