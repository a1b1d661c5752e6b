/* devices.h: the hosts that were seen in flows, in a table of fixed size; the one that was not seen for longest makes
 * room, which is counted. One thread at a time. */
#ifndef NETWORK_DEVICES_H
#define NETWORK_DEVICES_H
#include <stdbool.h>
#include <stdint.h>

enum { DEVICE_SENT, DEVICE_RECEIVED };
struct device {
    uint8_t ip[16];                 /* IPv4 mapped */
    uint64_t first_ns, last_ns;
    uint64_t bytes[2], packets[2], flows, alerts;       /* since the start or the last devices_zero() */
    uint32_t next, older, newer;    /* index + 1: of the same slot; in the order of the last sight */
};
struct devices {
    uint32_t max, n, mask, oldest, newest;
    uint64_t evicted;
    uint32_t *slot;
    struct device *d;
};

/* max: 1 to 2^24. false: out of memory. */
bool devices_open(struct devices *t, uint32_t max);
void devices_close(struct devices *t);
/* Find or make it; it is now the newest. at_ns: when it was seen. */
struct device *devices_see(struct devices *t, const uint8_t ip[16], uint64_t at_ns);
/* All counters begin anew; who was seen and when stays. */
void devices_zero(struct devices *t);

#endif
