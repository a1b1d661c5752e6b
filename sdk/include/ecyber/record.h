/* record.h: declare a record once.
 *
 * One row type describes event fields, options, request bodies, query parameters and table columns. From a
 * topic's rows come its EVE JSON, its columns, its OpenAPI schema and its filters: there is no second list.
 *
 * A published event is a BLOCK: a head (struct ec_event, EVE's common keys) and then parts. Part 0 is the event
 * itself; further parts are records attached by the publisher (the transaction, the flow, the evidence) or by
 * enrichers. A part is the author's struct, whose first member is struct ec_part, followed by its tail: the bytes
 * and arrays that its spans and lists point to, counted from the start of the part. Blocks are read-only once
 * published, hold no pointers and may be copied with memcpy.
 *
 * Included by plugin.h; the rules, owners, threads and change log that stand there hold here as well. */
#ifndef EC_RECORD_H
#define EC_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ec_span { uint32_t off, len; };              /* bytes, from the start of the part; off 0: absent */
struct ec_list { uint32_t off, n, stride, reserved; }; /* n elements; spans inside them count from the part too */
struct ec_pair { struct ec_span key, value; };      /* one element of an EC_T_MAP */

/* Types of a row, and the C type at its offset. */
enum {
    EC_T_U8 = 1, EC_T_U16 = 2, EC_T_U32 = 3, EC_T_U64 = 4, EC_T_I64 = 5, EC_T_F64 = 6,
    EC_T_BOOL = 7,          /* uint8_t, 0 or 1 */
    EC_T_IP = 8,            /* uint8_t[16], IPv4 mapped (::ffff:a.b.c.d); printed in the shortest form (RFC 5952) */
    EC_T_MAC = 9,           /* uint8_t[6] */
    EC_T_TIME = 10,         /* uint64_t, ns since 1970 UTC */
    EC_T_DURATION = 11,     /* uint64_t, ns; as an option: "90s" "5m" "1.5h" "250ms", a bare number is seconds */
    EC_T_SIZE = 12,         /* uint64_t, bytes; as an option: "64MiB" "10k" (1024), a bare number is bytes */
    EC_T_TEXT = 13,         /* struct ec_span: valid UTF-8 without NUL */
    EC_T_WIRE = 14,         /* struct ec_span: raw bytes from the wire; printed with \xHH for NUL and bad UTF-8 */
    EC_T_BYTES = 15,        /* struct ec_span: raw bytes; printed as base64 (RFC 4648) */
    EC_T_HEX = 16,          /* struct ec_span: raw bytes; printed as lower-case hexadecimal */
    EC_T_ENUM = 17,         /* uint32_t: index into the comma-separated words of `allow` */
    EC_T_NAME = 18,         /* uint32_t: interned name of the space in `allow`; 0: absent */
    EC_T_RECORD = 19,       /* struct ec_list of `sub` with EC_R_LIST; the member itself with EC_R_INLINE */
    EC_T_MAP = 20           /* struct ec_list of struct ec_pair; as an option: name: text. With EC_R_LIST each value is
                             * an array, of all pairs of that name; without it no name may stand twice */
};

/* Flags of a row. */
enum {
    EC_R_OPT = 1,           /* absent unless bit `has` is set in the record's bit word */
    EC_R_LIST = 2,          /* struct ec_list of the type (of struct ec_span for TEXT, WIRE, BYTES, HEX) */
    EC_R_INLINE = 4,        /* RECORD: the sub-struct is a member; its offsets count from its own start */
    EC_R_COLUMN = 8,        /* a column of its own in a database */
    EC_R_INDEX = 16,        /* and an index */
    EC_R_FTS = 32,          /* full-text search */
    EC_R_SECRET = 64,       /* masked in every output */
    EC_R_LIVE = 128,        /* option: takes effect at a reload; without it the change waits for a restart */
    EC_R_DOC = 256,         /* JSON only, never a column */
    EC_R_PATH = 512,        /* option: a file name, relative to the configuration file's folder */
    EC_R_LOCAL = 1024       /* option: for the configuration file alone; the API does not change it, as it does no EC_R_PATH */
};

struct ec_record;
struct ec_row {
    uint16_t type, flags;           /* EC_T_*, EC_R_* */
    uint16_t has, reserved;         /* EC_R_OPT: bit number, 0…63 */
    uint32_t off;                   /* offsetof in the author's struct; 0 for options */
    const char *name;               /* "rcode", "tcp.state" (a dot opens a JSON object or a YAML mapping) */
    const struct ec_record *sub;    /* RECORD: shape of the element */
    const char *allow;              /* ENUM: "request,response"; NAME: the space; TEXT: a format or NULL */
    const char *def, *unit, *help;  /* def: the default as it would be written in YAML, NULL: none */
    int64_t min, max;               /* of the value or the text's length, of each element of a list or map;
                                     * both 0: no bound */
};

struct ec_record {
    uint32_t size, bytes;           /* of this struct; of the author's struct */
    uint32_t n_row, row_stride;     /* row_stride: sizeof(struct ec_row) as the author knows it */
    uint32_t has_off, reserved;     /* offset of the uint64_t of EC_R_OPT bits, 0: none */
    const struct ec_row *row;
};

/* Positional, so that C++17 takes them. */
#define EC_FIELD(T, flags, type, member, name, unit, help) \
    { EC_T_##T, (flags), 0, 0, (uint32_t)offsetof(type, member), (name), NULL, NULL, NULL, (unit), (help), 0, 0 }
#define EC_FIELD_OPT(T, flags, bit, type, member, name, unit, help) \
    { EC_T_##T, (uint16_t)((flags) | EC_R_OPT), (bit), 0, (uint32_t)offsetof(type, member), (name), NULL, NULL, NULL, \
      (unit), (help), 0, 0 }
#define EC_FIELD_ENUM(flags, type, member, name, words, help) \
    { EC_T_ENUM, (flags), 0, 0, (uint32_t)offsetof(type, member), (name), NULL, (words), NULL, NULL, (help), 0, 0 }
#define EC_FIELD_NAME(flags, type, member, name, space, help) \
    { EC_T_NAME, (flags), 0, 0, (uint32_t)offsetof(type, member), (name), NULL, (space), NULL, NULL, (help), 0, 0 }
#define EC_FIELD_LIST(sub, type, member, name, help) \
    { EC_T_RECORD, EC_R_LIST, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, (help), 0, 0 }
#define EC_OPTION(T, flags, name, def, min, max, unit, help) \
    { EC_T_##T, (flags), 0, 0, 0, (name), NULL, NULL, (def), (unit), (help), (min), (max) }
#define EC_OPTION_ENUM(flags, name, words, def, help) \
    { EC_T_ENUM, (flags), 0, 0, 0, (name), NULL, (words), (def), NULL, (help), 0, 0 }
#define EC_ROWS(rows) (uint32_t)(sizeof(rows) / sizeof((rows)[0])), (uint32_t)sizeof((rows)[0])
/* A record of parts (its struct starts with struct ec_part), of list elements, of options. */
#define EC_RECORD_PART(type, rows) \
    { (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(type), EC_ROWS(rows), \
      (uint32_t)offsetof(struct ec_part, has), 0, (rows) }
#define EC_RECORD_ELEMENT(type, rows) \
    { (uint32_t)sizeof(struct ec_record), (uint32_t)sizeof(type), EC_ROWS(rows), 0, 0, (rows) }
#define EC_RECORD_OPTIONS(rows) { (uint32_t)sizeof(struct ec_record), 0, EC_ROWS(rows), 0, 0, (rows) }

/* Flags of a topic. */
enum {
    EC_TOPIC_EVENT = 1,      /* published on its own */
    EC_TOPIC_ATTRIBUTE = 2,  /* appended by an enricher */
    EC_TOPIC_NESTED = 4,     /* only ever attached to others */
    EC_TOPIC_RESERVED = 8,   /* may use the last quarter of an arena: alerts, bans, audit */
    EC_TOPIC_WALL = 16       /* follows the wall clock, so it is off with --workers 0 */
};

#define EC_ANY_TX "*tx"      /* in `carries`: the record of any protocol's transaction */

struct ec_topic {
    uint32_t size, flags;
    const char *name;               /* "ec.dns/1", "org.example.hello/1" */
    const char *root;               /* event_type, JSON object and table: "dns"; nested ones may say "ecyber.why" */
    const struct ec_record *record;
    const char *const *carries;     /* NULL-terminated names of topics that may be attached; NULL: none */
    const char *help;
};

struct ec_part {
    uint32_t size, total;           /* of the author's struct; with its tail, a multiple of 8 */
    uint16_t topic, flags;          /* topic: the id that host->topic() gave */
    uint32_t reserved;
    uint64_t has;                   /* EC_R_OPT bits */
};

/* Flags of an event. */
enum {
    EC_EV_CUT = 1,          /* the block was full: something at its end is missing */
    EC_EV_REPLAY = 2,       /* of a capture file: never act on it */
    EC_EV_IP = 4,           /* src, dst and ip_proto are set */
    EC_EV_PORTS = 8,        /* sport and dport are set */
    EC_EV_TX = 16,          /* tx_id is set */
    EC_EV_COMMUNITY = 32,   /* community is set */
    EC_EV_FLOW = 64,        /* flow_id is set */
    EC_EV_COUNT = 128,      /* count is set */
    EC_EV_ICMP = 256,       /* sport and dport hold the ICMP type and code */
    EC_EV_ICMP_REPLY = 512  /* reply_type and reply_code are set: it was answered */
};
/* ec_event.origin: how the packet came to be (EVE's pkt_src) */
enum { EC_ORIGIN_NONE = 0, EC_ORIGIN_WIRE = 1, EC_ORIGIN_DEFRAG = 2 };
enum { EC_DIR_NONE = 0, EC_DIR_TO_SERVER = 1, EC_DIR_TO_CLIENT = 2 };   /* ec_event.dir */

struct ec_event {                   /* the head: EVE's common keys stand here and nowhere else */
    uint32_t size, total;           /* of this struct; of the block */
    uint32_t parts, first;          /* number of parts; offset of part 0, the next one stands at + its total */
    uint64_t seq;                   /* +1 for each event of this publisher, so that any reader can count gaps */
    uint64_t ts_ns;                 /* the packet's time, else the wall clock's; UTC */
    uint64_t flow_id, tx_id;
    uint64_t count;                 /* position of the packet in its capture, from 1 (pcap_cnt) */
    uint32_t publisher;             /* worker's number, or EC_PUB_MAILBOX */
    uint32_t gen;                   /* generation of the configuration */
    uint32_t flags, iface;          /* EC_EV_*; interned in "iface", 0: none */
    uint32_t app_proto, reserved;   /* interned in "app_proto", 0: none */
    uint8_t src[16], dst[16];       /* IPv4 mapped */
    uint16_t sport, dport;
    uint16_t vlan[2];
    uint8_t ip_proto, vlans, dir, pad;
    uint8_t community[20];          /* Community ID 1.0: the SHA-1 before base64 */
    uint64_t id;                    /* unique and time-led, 63 bits */
    /* Appended: test EC_HAS(ev, struct ec_event, origin). Interned in "app_proto": what each direction was taken for
     * (to the server, to the client), and what it was before it changed; 0: nothing else than app_proto. */
    uint32_t app_side[2], app_orig, app_expected;
    uint16_t reply_type, reply_code;/* ICMP */
    uint32_t origin;                /* EC_ORIGIN_* */
    uint16_t vlan_third, pad2[3];   /* the third tag, where vlans is 3 */
};
#define EC_PUB_MAILBOX UINT32_C(0xffffffff)

/* Building an event. host->open() gives room; the block is cut, flagged and never overrun when it gets long. */
struct ec_build {
    uint8_t *base;                  /* the block; struct ec_event first */
    uint32_t used, cap;             /* bytes */
    uint32_t part, topic;           /* offset of the open part; topic of part 0 */
    void *priv[2];                  /* the host's */
};

static inline struct ec_event *ec_head(struct ec_build *b) { return (struct ec_event *)(void *)b->base; }
static inline void ec_build_cut(struct ec_build *b) { ec_head(b)->flags |= EC_EV_CUT; }

/* n zeroed bytes at the end of the block, 8-aligned; NULL: no room, and the event is flagged as cut. */
static inline void *ec_grow(struct ec_build *b, uint32_t n)
{
    uint32_t at = b->used, need;
    if (n > b->cap || at > b->cap - n || (need = (n + 7u) & ~7u) > b->cap - at) {
        ec_build_cut(b);
        return NULL;
    }
    b->used = at + need;
    memset(b->base + at, 0, need);
    return b->base + at;
}

static inline struct ec_part *ec_part_open(struct ec_build *b)
{
    return (struct ec_part *)(void *)(b->base + b->part);
}

/* Open a part: `bytes` is the author's struct, which starts with struct ec_part. NULL: no room. */
static inline void *ec_add(struct ec_build *b, uint32_t topic, uint32_t bytes)
{
    uint32_t at = b->used;
    struct ec_part *p = (struct ec_part *)ec_grow(b, bytes);
    if (!p)
        return NULL;
    b->part = at;
    p->size = bytes;
    p->total = b->used - at;
    p->topic = (uint16_t)topic;
    if (!ec_head(b)->parts++)
        ec_head(b)->first = at;
    return p;
}

/* Copy bytes into the tail of the open part; what does not fit is cut. */
static inline struct ec_span ec_put(struct ec_build *b, const void *p, uint32_t n)
{
    struct ec_span s = { 0, 0 };
    uint32_t room = b->cap - b->used;
    void *to;
    if (n > room) {
        ec_build_cut(b);
        n = room & ~7u;
    }
    if (!n) {                       /* present but empty: any offset that is not 0 */
        s.off = (uint32_t)sizeof(struct ec_part);
        return s;
    }
    s.off = b->used - b->part;
    to = ec_grow(b, n);
    memcpy(to, p, n);
    s.len = n;
    ec_part_open(b)->total = b->used - b->part;
    return s;
}

static inline struct ec_span ec_puts(struct ec_build *b, const char *s)
{
    struct ec_span none = { 0, 0 };
    return s ? ec_put(b, s, (uint32_t)strlen(s)) : none;
}

/* Room for a list of n zeroed elements in the tail of the open part; NULL (and an empty list) where none is left.
 * Fill spans of the elements with ec_put() afterwards. */
static inline void *ec_rows(struct ec_build *b, struct ec_list *l, uint32_t n, uint32_t stride)
{
    uint32_t at = b->used;
    void *p = n && stride && n > b->cap / stride ? (ec_build_cut(b), (void *)0) : ec_grow(b, n * stride);
    if (!p)
        return NULL;
    l->off = at - b->part;
    l->n = n;
    l->stride = stride;
    ec_part_open(b)->total = b->used - b->part;
    return p;
}

/* Append a finished part (of another block) as it is. Returns 0 where there was no room. */
static inline int ec_attach(struct ec_build *b, const struct ec_part *p)
{
    uint32_t at = b->used;
    void *to = ec_grow(b, p->total);
    if (!to)
        return 0;
    memcpy(to, p, p->total);
    b->part = at;
    if (!ec_head(b)->parts++)
        ec_head(b)->first = at;
    return 1;
}

/* Reading. */
static inline const struct ec_part *ec_part_first(const struct ec_event *ev)
{
    return (const struct ec_part *)(const void *)((const uint8_t *)ev + ev->first);
}
static inline const struct ec_part *ec_part_next(const struct ec_part *p)
{
    return (const struct ec_part *)(const void *)((const uint8_t *)p + p->total);
}
static inline const uint8_t *ec_bytes(const struct ec_part *p, struct ec_span s) { return (const uint8_t *)p + s.off; }

#ifdef __cplusplus
}
#endif
#endif
