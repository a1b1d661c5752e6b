/* traffic.h: ec.traffic/1, the service of the traffic engine. STATUS: draft 7.
 *
 * Flows, in-order stream bytes, transactions and inspection buffers by name. Inspectors (ids, ml, yours) register
 * hooks; parsers register protocols.
 *
 * LIFE    [hook] until the hook returns   [tx] until its tx hook returned with EC_TX_END   [flow] until flow_end
 *         returned   [run] for the whole run. All functions are [wrk] but those marked [ctl] or [cfg].
 * SIZES   of traffic's structs do not change within a run: test EC_HAS once in start(), never per packet. */
#ifndef EC_EXT_TRAFFIC_H
#define EC_EXT_TRAFFIC_H
#include "source.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_TRAFFIC_ID "ec.traffic/1-draft.7"

/* Directions as array indexes: 0 to the server, 1 to the client. */
enum { EC_TO_SERVER = 0, EC_TO_CLIENT = 1 };

enum {                              /* ec_flow.state */
    EC_FLOW_NEW = 0, EC_FLOW_ESTABLISHED = 1, EC_FLOW_CLOSED = 2
};
enum {                              /* why a flow ended */
    EC_END_TIMEOUT = 1, EC_END_SHUTDOWN = 2, EC_END_MEMORY = 3 /* evicted */, EC_END_REUSED = 4 /* same tuple anew */
};

struct ec_flow {                    /* public head; traffic's private rest and the leases follow */
    uint32_t size, proto;           /* proto: interned in "app_proto"; 0: none detected yet */
    uint64_t id;                    /* < 2^51, of tuple and first packet: the same for any number of workers */
    uint8_t src[16], dst[16];       /* initiator, responder; IPv4 mapped */
    uint16_t sport, dport, vlan[2];
    uint8_t ip_proto, state, vlans, pad;
    uint32_t mute;                  /* bit i: inspector i asked not to be called for this flow */
    uint64_t first_ns, last_ns;
    uint64_t pkts[2], bytes[2];     /* by direction; whole frames */
};

enum {                              /* ec_packet.flags */
    EC_PK_INNER = 1,                /* inside a tunnel */
    EC_PK_DEFRAG = 2,               /* a reassembled datagram: data is not the frame's */
    EC_PK_BADSUM = 4,               /* a checksum is wrong */
    EC_PK_ESTABLISHED = 8,          /* both directions were seen (TCP: the handshake, whose own last ACK is not meant) */
    EC_PK_STREAM = 16,              /* its payload went into the stream: chunk hooks have seen or will see it */
    EC_PK_ABOUT = 32                /* an ICMP error about its flow: protocol, addresses, ports are not the flow's */
};
#define EC_NOOFF UINT16_MAX

/* Anomalies that were raised so far while one packet was worked on. */
#define EC_RAISED_WORDS 4
struct ec_raised {
    uint32_t size, proto;           /* proto: whose anomalies `app` are; 0: none */
    uint64_t bit[EC_RAISED_WORDS];  /* the engine's own, by ec_anomaly.bit */
    uint64_t app;                   /* of proto, those that belong to no transaction */
};
enum { EC_ANOMALY_DECODE = 0, EC_ANOMALY_STREAM = 1, EC_ANOMALY_DETECT = 2 /* of protocols */,
       EC_ANOMALY_PROTO = 3 /* of one protocol: its own ec_proto.anomaly */ };
struct ec_anomaly {                 /* one that can be raised */
    uint32_t size, kind, bit, proto;/* EC_ANOMALY_*; in ec_raised.bit, or in ec_raised.app and ec_tx.raised; of proto */
    const char *name;               /* [run] as EVE has it: "decoder.ipv4.trunc_pkt", "stream.…", "INVALID_TLS_HEADER" */
};

struct ec_packet {                  /* one for each frame, inner packet and reassembled datagram */
    uint32_t size, flags;
    const struct ec_frame *frame;
    struct ec_flow *flow;           /* NULL: none */
    const uint8_t *data;            /* the frame's bytes, or traffic's own with EC_PK_DEFRAG */
    uint32_t len, payload_len;
    uint32_t verdict, cause;        /* raise only, by ec_raise() */
    uint16_t l3, l4, payload, depth;/* offsets into data, EC_NOOFF: absent; depth of tunnels */
    uint8_t ip_version, ip_proto, dir, pad;     /* dir: EC_TO_* */
    uint32_t worker;
    uint8_t src[16], dst[16];       /* of this packet; IPv4 mapped */
    uint16_t sport, dport;          /* ICMP: type and code */
    const struct ec_raised *raised; /* [hook] NULL: nothing was */
};

enum {                              /* ec_chunk.flags */
    EC_CH_GAP = 1,                  /* `missing` bytes before data were lost for good */
    EC_CH_END = 2,                  /* nothing more comes in this direction; data may be empty */
    EC_CH_MIDSTREAM = 4,            /* the flow's beginning was not seen: offset counts from the first byte seen */
    EC_CH_DATAGRAM = 8,             /* one UDP payload, whole */
    EC_CH_CUT = 16                  /* with EC_CH_END: more may come, but nobody looks at it (depth, bypass) */
};
struct ec_chunk {                   /* in-order bytes, each exactly once, at their arrival */
    uint32_t size, flags;
    const uint8_t *data;            /* [hook] zero copy where it came in order */
    uint32_t len, dir;              /* EC_TO_* */
    uint64_t offset, missing;       /* of data[0] in the stream (TCP: sequence − initial sequence − 1); bytes */
    const struct ec_packet *packet; /* the one that brought it, or whose arrival ended the wait; NULL: the flow ended */
};

/* ONE BUFFER. Frozen for major 1 (32 bytes on LP64): inspectors index arrays of it. */
struct ec_buf {
    union { const uint8_t *data; const struct ec_buf *item; } u;  /* item[len] with EC_BUF_LIST */
    uint32_t len;
    uint16_t state;                 /* 0: absent */
    uint16_t pad;
    uint64_t base;                  /* where data[0] stands in the buffer (bodies slide) */
    uint64_t wire;                  /* VERBATIM: where data[0] stands in the stream or datagram: for evidence */
};
enum { EC_BUF_LAZY = 1 /* call fill() */, EC_BUF_PART = 2 /* more will come */, EC_BUF_WHOLE = 4, EC_BUF_GAP = 8,
       EC_BUF_LIST = 16, EC_BUF_VERBATIM = 32 /* bytes are as on the wire, at `wire` */, EC_BUF_SECRET = 64 };
#define EC_SLOTS_MAX 64

enum { EC_TX_END = 1, EC_TX_CUT = 2 };
struct ec_tx {
    uint32_t size, proto;           /* proto: interned in "app_proto" */
    uint64_t id;                    /* from 0 in each flow, and anew after upgrade() */
    struct ec_buf *buf;             /* [tx] one for each slot; only its parser writes */
    uint64_t fresh;                 /* bit s: slot s changed since the last tx hook */
    uint32_t flags;                 /* EC_TX_* */
    uint8_t progress[2], dir, pad;  /* by direction, the protocol's own steps, rising; dir: of the last step */
    void *mem;                      /* the parser's tx_bytes */
    uint64_t raised;                /* bit i: ec_proto.anomaly[i] was raised in it */
};

struct ec_slot { uint32_t size, proto, slot, dir, kind, min_progress; };
enum { EC_BUF_KIND_TX = 1, EC_BUF_KIND_PACKET = 2 };
struct ec_bufdef {                  /* slot = index in ec_proto.buf */
    const char *name, *help;        /* "http.uri" */
    uint32_t dir;                   /* EC_TO_* */
    uint32_t kind, flags;           /* EC_BUF_KIND_*; 0 */
    uint32_t min_progress;          /* of its direction, from which on it can be there */
};

struct ec_pctx;                     /* a parser's context, valid within parse() */
enum { EC_NO = 0, EC_YES = 1, EC_MORE = 2 };
#define EC_PROBE_DATAGRAM 2u        /* added to dir: d is a whole datagram */
/* ec_proto.flags */
#define EC_PROTO_CLIENT_FIRST 1u    /* the client speaks first; another beginning is an anomaly */
#define EC_PROTO_NAME_ONLY 2u       /* no parser (parse is NULL): the flow has its name, and no state, until somebody
                                     * registers a parser by the same name, which takes its place */
#define EC_PROTO_AT_PORT 4u         /* its bytes tell too little: probed only where a port of the flow is in hints */
struct ec_proto {                   /* IMPLEMENTED by parsers, static [run] */
    uint32_t size, flags;
    const char *name;               /* "http": its name in rules and in EVE's app_proto */
    const char *hints;              /* "tcp/80,8080 udp/53": the first to be probed there; content decides */
    const char *topic;              /* of the transaction's record: "ec.http/1" */
    uint32_t state_bytes, tx_bytes; /* zeroed by traffic, charged to its memory cap */
    uint32_t n_buf, buf_stride;
    const struct ec_bufdef *buf;
    uint32_t n_anomaly, tx_max;     /* open transactions in one flow; 0: default */
    const char *const *anomaly;     /* event names: "http.invalid_request_line" */
    /* Is this the protocol? d: the first bytes of direction dir (EC_TO_*, with EC_PROBE_DATAGRAM over UDP). EC_YES,
     * EC_NO, EC_MORE. */
    int32_t (*probe)(const uint8_t *d, uint32_t n, uint32_t dir);
    /* Bytes eaten; the rest comes again with more behind it (at most 64 KiB are kept). Negative EC_E*: give up on this
     * flow; say why with anomaly(). With EC_CH_GAP, missing bytes come first. self: as given to proto(). */
    int64_t (*parse)(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k);
    void (*fill)(void *self, struct ec_tx *x, uint32_t slot, struct ec_buf *out);   /* a LAZY slot, on first use */
    /* Append the transaction's record, as far as it is known, as one part of topic id `topic`. EC_OK or EC_E*. */
    int32_t (*record)(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b);
    void (*tx_drop)(void *self, void *tx);
    void (*state_drop)(void *self, void *state);
    /* The first bytes that a direction or datagram can begin with, in hexadecimal: "16 30-3f"; probe() is not called for
     * others. NULL: any. */
    const char *first;
};

/* ec_inspector.flags: can be left out. Under overload it is not called again for a flow, not even at its end (leased
 * bytes are dropped as ever); the record of the flow says so. `overload.inspectors` chooses among those that have it. */
#define EC_INSPECT_OPTIONAL 1u
struct ec_inspector {               /* IMPLEMENTED by ids, ml, yours; order = configuration. NULL: not wanted */
    uint32_t size, flags;
    const char *name;
    /* w, st, gen: this plugin's worker memory, state and generation, the same for a whole batch. */
    void (*packet)(void *self, void *w, const void *st, uint32_t gen, struct ec_packet *p);
    /* TCP only: a datagram is its packet. */
    void (*chunk)(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, const struct ec_chunk *k);
    /* p: the packet that caused the step; NULL: the flow ended. */
    void (*tx)(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, struct ec_tx *x,
               struct ec_packet *p);
    void (*flow_end)(void *self, void *w, const void *st, uint32_t gen, struct ec_flow *f, uint32_t reason);
};
/* For one packet: packet decoding and flow; then, for each chunk that it completes: the chunk hooks, the parser and the
 * tx hooks that it causes; last the packet hooks. */

enum { EC_LEASE_FLOW = 1, EC_LEASE_TX = 2 };

enum { EC_FILE_WHOLE = 1, EC_FILE_GAPS = 2, EC_FILE_RANGE = 4 };    /* ec_file.flags */
struct ec_file {                    /* what a transaction carried as a file */
    uint32_t size, flags;           /* WHOLE: to its end; GAPS: bytes in it were lost; RANGE: first and last hold */
    const uint8_t *name;            /* as it was on the wire */
    uint32_t name_len, dir;         /* EC_TO_*: which way it went */
    uint64_t bytes;                 /* that went by, with those in gaps */
    uint64_t first, last;           /* place of its first and last byte in a larger one */
};

struct ec_traffic {                 /* CALLED by everybody else; self: from host->use() */
    uint32_t size, reserved;
    /* [ctl] in setup() only. h: the caller's host, by which traffic finds its state and worker memory. */
    int32_t (*inspect)(void *self, const struct ec_host *h, const struct ec_inspector *i, void *insp_self,
                       uint32_t *index);
    int32_t (*proto)(void *self, const struct ec_host *h, const struct ec_proto *p, void *proto_self, uint32_t *id);
    /* Plugin memory inside each flow or transaction: zeroed, 8-aligned; drop() on its worker, NULL: none. *off is
     * [run]: read with EC_LEASED(f, off, type) for flows; for transactions from the struct ec_tx. */
    int32_t (*lease)(void *self, uint32_t what, uint32_t bytes, void (*drop)(void *lease_self, void *m),
                     void *lease_self, uint32_t *off);
    /* [cfg] The i-th protocol that has a buffer of this name. EC_ENOENT: there is no such buffer, or no i-th. */
    int32_t (*slot)(void *self, const char *name, uint32_t i, struct ec_slot *out);
    int32_t (*slot_at)(void *self, uint32_t i, const char **name, const char **help);   /* [cfg] list them all */
    const struct ec_buf *(*fill)(void *self, struct ec_tx *x, uint32_t slot);
    void (*mute)(void *self, struct ec_flow *f, uint32_t index);    /* do not call inspector index again */
    /* Events: fill the head's common keys (p may be NULL, f may be NULL, not both), attach records. EC_OK, EC_ELIMIT. */
    void (*head)(void *self, struct ec_build *b, struct ec_flow *f, const struct ec_packet *p);
    int32_t (*attach_flow)(void *self, struct ec_build *b, struct ec_flow *f);
    int32_t (*attach_tx)(void *self, struct ec_build *b, struct ec_flow *f, struct ec_tx *x);
    /* For parsers, within parse(). */
    struct ec_tx *(*tx_begin)(struct ec_pctx *c);                   /* NULL: too many, counted */
    void (*tx_step)(struct ec_pctx *c, struct ec_tx *x, uint32_t dir, uint32_t progress); /* runs inspectors now */
    void (*tx_end)(struct ec_pctx *c, struct ec_tx *x);             /* runs them a last time, publishes the record */
    void (*anomaly)(struct ec_pctx *c, struct ec_tx *x, uint32_t index);    /* x may be NULL */
    struct ec_flow *(*flow)(struct ec_pctx *c);
    int32_t (*upgrade)(struct ec_pctx *c, const char *proto);       /* STARTTLS, CONNECT; NULL: detect anew */
    /* [cfg] The i-th registered protocol, whether or not it has buffers; id: interned in "app_proto". EC_ENOENT: no
     * i-th. Rules for a protocol that nobody detects are refused by it. */
    int32_t (*proto_at)(void *self, uint32_t i, const char **name, uint32_t *id);
    /* For parsers, within parse(): a file ended. Publishes `fileinfo` with the transaction's record. */
    void (*file)(struct ec_pctx *c, struct ec_tx *x, const struct ec_file *file);
    /* For parsers, within parse(): what follows is encrypted, and it need not be called again for this flow, which may
     * be bypassed. Its open transactions end. */
    void (*opaque)(struct ec_pctx *c);
    /* [cfg] The i-th anomaly that can be raised; out->size is the room for it. EC_ENOENT: no i-th. */
    int32_t (*anomaly_at)(void *self, uint32_t i, struct ec_anomaly *out);
    /* For parsers, within parse(): all that the record of x tells is known, though x goes on. Publishes it; tx_end() does
     * not do so again. */
    void (*tx_record)(struct ec_pctx *c, struct ec_tx *x);
};

static inline const struct ec_buf *ec_tx_buf(const struct ec_traffic *t, void *self, struct ec_tx *x, uint32_t slot)
{
    const struct ec_buf *b = x->buf + slot;
    return (b->state & EC_BUF_LAZY) ? t->fill(self, x, slot) : b;
}

static inline void ec_buf_set(struct ec_tx *x, uint32_t slot, const uint8_t *d, uint32_t n, uint32_t state,
                              uint64_t wire)
{
    struct ec_buf *b = x->buf + slot;
    b->u.data = d;
    b->len = n;
    b->state = (uint16_t)state;
    b->base = 0;
    b->wire = wire;
    x->fresh |= UINT64_C(1) << slot;
}

static inline void ec_raise(struct ec_packet *p, uint32_t verdict, uint32_t cause)
{
    if (verdict > p->verdict) {
        p->verdict = verdict;
        p->cause = cause;
    }
}

#define EC_LEASED(obj, off, type) ((type *)(void *)((char *)(obj) + (off)))

#ifdef __cplusplus
}
#endif
#endif
