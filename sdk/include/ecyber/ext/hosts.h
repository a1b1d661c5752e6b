/* hosts.h: ec.hosts/1, state across flows. STATUS: draft 1.
 * A service of the traffic engine: thresholds, xbits, windows. Sharded by key; these are the only locks on the packet
 * lane, and their waits are counted. */
#ifndef EC_EXT_HOSTS_H
#define EC_EXT_HOSTS_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_HOSTS_ID "ec.hosts/1-draft.1"
#define EC_HOSTS_KEY_MAX 64

struct ec_hosts {
    uint32_t size, reserved;
    /* [ctl] in setup(): a space of entries of `bytes` (at most 256), at most `cap` of them, the oldest reused when full
     * (counted); an entry that was not locked for idle_ns starts anew, zeroed. */
    int32_t (*space)(void *self, const char *name, uint32_t bytes, uint32_t cap, uint64_t idle_ns, uint32_t *id);
    /* [wrk] Find or make the entry and lock its shard; hold it for nanoseconds, never nest, then unlock. NULL: no
     * memory. key: 1…EC_HOSTS_KEY_MAX bytes. */
    void *(*lock)(void *self, uint32_t space, const void *key, uint32_t len, uint64_t now_ns);
    void (*unlock)(void *self, void *entry);
};

#ifdef __cplusplus
}
#endif
#endif
