/* hosts.h: state across flows, for ec.hosts/1: spaces of entries, each in 64 shards with a lock of
 * its own. */
#ifndef TRAFFIC_HOSTS_H
#define TRAFFIC_HOSTS_H
#include <stdint.h>

#include "plugins/traffic/sdk.h"
#include <ecyber/ext/hosts.h>

struct hosts;
struct hosts *hosts_new(void);                                  /* [ctl] NULL: no memory */
void hosts_key(struct hosts *h, uint64_t k0, uint64_t k1);      /* [ctl] before the first lock */
void hosts_free(struct hosts *h);
int32_t hosts_space(struct hosts *h, const char *name, uint32_t bytes, uint32_t cap,
                    uint64_t idle_ns, uint32_t *id);
void *hosts_lock(struct hosts *h, uint32_t space, const void *key, uint32_t len, uint64_t now_ns);
void hosts_unlock(void *entry);
/* [any] entries that were taken from others */
uint64_t hosts_reused(const struct hosts *h);
/* [any] locks that were not free at once */
uint64_t hosts_waits(const struct hosts *h);

#endif
