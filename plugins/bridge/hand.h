/* hand.h: what one worker holds of a pair: its ring on each side, and the batch that is out. [wrk] */
#ifndef BRIDGE_HAND_H
#define BRIDGE_HAND_H
#include <stdint.h>

#define EC_API_LEVEL 1
#include <ecyber/ext/source.h>

#include "plugins/bridge/pair.h"

/* What became of the frames that were handed out, over both sides. */
enum hand_count {
    HAND_SENT,
    HAND_HELD,                      /* by their verdict */
    HAND_TAGS,                      /* VLAN tags put back */
    HAND_ANSWERS,                   /* to who sent what was rejected, or was to receive it */
    HAND_SILENT,                    /* answers that were one too many in their second */
    HAND_LOST,                      /* RING_LOSSES of them */
    HAND_COUNTS = HAND_LOST + RING_LOSSES
};

struct hand;

/* The pair is entered already, and is left by hand_close(). iface: interned names. NULL: out of memory. */
struct hand *hand_open(struct pair *p, uint32_t share, const uint32_t iface[2]);
uint32_t hand_fetch(struct hand *h, struct ec_frame *const *f, uint32_t max, int32_t wake_fd, uint32_t timeout_ms,
                    uint32_t *why);
void hand_finish(struct hand *h, const uint32_t *verdict, uint32_t n);
void hand_stats(struct hand *h, uint64_t *c, uint32_t n);
void hand_counts(const struct hand *h, uint64_t c[HAND_COUNTS]);
void hand_close(struct hand *h);

#endif
