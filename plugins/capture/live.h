/* live.h: a network interface as a source of frames, by libpcap's TPACKET_V3 ring. Never in
 * immediate mode: that makes libpcap fall back to TPACKET_V2. Needs CAP_NET_RAW. One thread for
 * each handle. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H
#include <stdint.h>

#define EC_API_LEVEL 1
#include <ecyber/ext/source.h>

#include "plugins/capture/fanout.h"
#include "plugins/capture/say.h"

struct live;
struct live_config {
    const char *interface;          /* copied */
    const char *filter;             /* NULL or "": none; copied. The kernel does not count what it refuses */
    uint32_t snaplen;               /* bytes */
    uint32_t buffer;                /* bytes of ring, for each worker */
    uint32_t timeout_ms;            /* after which the kernel hands over a block that is not full */
    uint32_t promiscuous;           /* 0, 1 */
    uint32_t share, shares;
    uint32_t by;                    /* FANOUT_*: how they share */
    uint32_t iface;                 /* interned name */
    struct fanout *fanout;          /* of the process */
    struct say say;                 /* only share 0 speaks and counts the interface's loss */
};

/* As the functions of struct ec_source; NULL and one sentence that says what is missing. */
struct live *live_open(const struct live_config *c, char *why, uint32_t n);
uint32_t live_fetch(struct live *l, struct ec_frame *const *f, uint32_t max, int32_t wake_fd,
                    uint32_t timeout_ms, uint32_t *why);
/* Another filter, from the next packet on; "": none. Where it cannot be used the old one stays, and people are told. */
void live_refilter(struct live *l, const char *text);
uint32_t live_linktype(const struct live *l);   /* UINT32_MAX: not known yet */
void live_stats(struct live *l, uint64_t *c, uint32_t n);
void live_interfaces(char *buf, uint32_t n);     /* "lo, eth0": the interfaces that there are */
/* Ends it, and gives what live_stats() would tell afterwards: what its ring still held is lost. c may be NULL. */
void live_end(struct live *l, uint64_t *c, uint32_t n);
void live_close(struct live *l);    /* NULL: nothing */

#endif
