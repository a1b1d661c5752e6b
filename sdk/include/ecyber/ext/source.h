/* source.h: ec.source/1, the interface of packet sources. STATUS: draft 6.
 * Implemented by capture plugins, called by the host's worker loop. */
#ifndef EC_EXT_SOURCE_H
#define EC_EXT_SOURCE_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_SOURCE_ID "ec.source/1-draft.6"

/* Flags of a frame. */
enum { EC_FR_INLINE = 1, EC_FR_CSUM_OK = 2, EC_FR_CUT = 4 /* by the snap length */, EC_FR_OUTGOING = 8,
       EC_FR_REPLAY = 16 /* from a file */ };

struct ec_frame {                   /* its memory is the HOST's, filled by the source: so it may grow */
    uint32_t size, flags;
    const uint8_t *data;            /* until finish(): may point into the source's ring */
    uint64_t ts_ns;                 /* the packet's own clock, ns since 1970 UTC */
    uint64_t count;                 /* position in the capture, from 1, over all shares (EVE's pcap_cnt) */
    uint32_t caplen, wirelen;       /* bytes */
    uint32_t linktype;              /* LINKTYPE_* (https://www.tcpdump.org/linktypes.html), not DLT_* */
    uint32_t iface;                 /* interned in "iface", 0: none */
    uint64_t cookie;                /* the source's */
    /* How full the source's own buffer was lately: 0 to EC_FILL_MAX, and that where it has just lost frames. Zeroed by
     * the host: a source that never writes it, such as a file, is never pressed. */
    uint32_t fill, pad;
};
#define EC_FILL_MAX 1000u

/* Verdicts, rising; a packet's verdict is only ever raised. */
enum { EC_V_PASS = 0, EC_V_DROP = 1, EC_V_REJECT = 2 /* and tell its sender */,
       EC_V_REJECT_DST = 3 /* or its receiver */, EC_V_REJECT_BOTH = 4 };

/* Why fetch() returned what it did. */
enum {
    EC_SRC_MORE = 1,                /* call again at once */
    EC_SRC_IDLE = 2,                /* nothing came until the time-out */
    EC_SRC_INTERRUPTED = 3,         /* wake_fd became readable */
    EC_SRC_DOWN = 4,                /* the interface is away; keep calling */
    EC_SRC_END = 5,                 /* the file has ended: no frame will come */
    EC_SRC_ERROR = 6                /* broken; the source has said why with host->fail() */
};

/* Counters of a source, indexes into stats(): each only grows, and
 * SEEN = DELIVERED + KERNEL + NIC + FILTERED + BAD + what waits in the source's own buffer (of a live source: lost when
 * it is closed), as far as the source can see. Over all shares the sums are those of the whole capture. */
enum {
    EC_SRC_SEEN = 0,                /* frames that reached the source, lost ones included; of its share only */
    EC_SRC_DELIVERED = 1,           /* handed out by fetch() */
    EC_SRC_KERNEL = 2,              /* lost: no room in the capture buffer */
    EC_SRC_NIC = 3,                 /* lost: by the interface or its driver */
    EC_SRC_FILTERED = 4,            /* not wanted: BPF filter (a live source cannot count what the kernel refuses) */
    EC_SRC_BAD = 5,                 /* not readable: damaged record */
    EC_SRC_BYTES = 6,               /* bytes of delivered frames, as captured */
    EC_SRC_STATS = 7,
    EC_SRC_CLOCK = 7,               /* no counter: time of the capture, ns, other shares' frames included; 0: unknown */
    /* No counters either, for whoever waits for the end: bytes of the input read so far, and of all of it; 0: unknown. */
    EC_SRC_DONE = 8,
    EC_SRC_WHOLE = 9,
    EC_SRC_ALL = 10
};

enum { EC_SOURCE_MAY_WAIT = 1 /* replay: the worker may pause it without loss */,
       EC_SOURCE_VERDICTS = 2 /* inline: verdicts take effect */,
       EC_SOURCE_NET_RAW = 4 /* it needs CAP_NET_RAW: only the workers of such a source keep it */,
       EC_SOURCE_NET_ADMIN = 8 /* the same for CAP_NET_ADMIN: it changes settings of interfaces */ };

struct ec_source {
    uint32_t size, flags;
    const char *scheme;             /* of the URIs that it opens: "file" for "file:PATH", "live" for "live:eth0" */
    /* [wrk] One handle for each worker: it takes share `share` of `shares` so that both directions of a flow, and all
     * fragments and tunnels between two hosts, stay on one worker. Fails with EC_E* and by host->fail() with a sentence
     * that names the file; *handle is then not read and close() not called. uri and state are the host's: copy what is
     * to outlive the call. */
    int32_t (*open)(void *self, const void *state, const char *uri, uint32_t share, uint32_t shares, void **handle);
    /* [wrk] Fill at most max frames and return how many. Waits, where nothing is there, until wake_fd is readable or
     * timeout_ms has passed; the host has marked the worker offline for its grace periods meanwhile. One batch
     * is out at a time: it is called again when every frame of the last one has come back. The host reads wake_fd, and
     * handles frames that come with EC_SRC_END or EC_SRC_ERROR like any other before it closes. */
    uint32_t (*fetch)(void *handle, struct ec_frame *const *f, uint32_t max, int32_t wake_fd, uint32_t timeout_ms,
                      uint32_t *why);
    /* [wrk] Every fetched frame comes back exactly once, in order, with its verdict (EC_V_*). */
    void (*finish)(void *handle, struct ec_frame *const *f, const uint32_t *verdict, uint32_t n);
    void (*stats)(void *handle, uint64_t *c, uint32_t n);   /* [wrk] fills at most n: EC_SRC_SEEN … EC_SRC_WHOLE */
    void (*close)(void *handle);                            /* [wrk] no frame is out; after a last stats() */
    /* [ctl] after configure(): 1: where neither the configuration nor the command line names a source, "SCHEME:" is to be
     * opened, and stays open for what is asked of it later. NULL: never. */
    uint32_t (*standing)(void *self, const void *state);
    /* [wrk] between two batches, the first time after a reload: the plugin's new state. NULL: what open() saw stays. */
    void (*reload)(void *handle, const void *state);
};

#ifdef __cplusplus
}
#endif
#endif
