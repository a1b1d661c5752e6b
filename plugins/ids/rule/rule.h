/* rule.h: a compiled rule: immutable, part of a rule set, never referred to by what outlives the set. */
#ifndef IDS_RULE_RULE_H
#define IDS_RULE_RULE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugins/ids/host.h"
#include "plugins/ids/rule/rangeset.h"

#define RULE_ELEMENTS_MAX 64        /* of one chain */
#define RULE_CHAINS_MAX 16
#define VIEW_SLOTS_MAX 32

struct verify;
struct attempt;
struct element;
struct scope;
struct hit;
struct cond;
struct keyword;

/* One thing to find in a buffer. Its family embeds it as the first member of its own struct. */
enum {
    ELEMENT_NEGATED = 1,            /* holds where nothing is found; gives no place */
    ELEMENT_RELATIVE = 2,           /* counts from the end of the element before */
    ELEMENT_WHOLE = 4,              /* cannot be decided before the buffer is complete */
    ELEMENT_START = 8               /* bound to a distance from the buffer's start */
};
struct element {
    const char *keyword;            /* "content": for the evidence */
    uint32_t flags, order;          /* ELEMENT_*; position in the rule */
    /* The next place at or after a->resume; fills a->off and a->len. false: none. With ELEMENT_NEGATED: is there
     * one? */
    bool (*find)(const struct element *e, struct verify *v, struct attempt *a);
    void (*release)(struct element *e);     /* what does not lie in the arena; NULL: nothing */
};

/* What a buffer's bytes go through before they are looked at (later: dotprefix, to_lowercase …). */
struct transform {
    const char *name;
    /* At most `room` bytes to `to`; returns their number. */
    uint32_t (*apply)(const uint8_t *from, uint32_t n, uint8_t *to, uint32_t room);
};

/* A buffer as rules see it. The raw one ("payload") has no slots: stream or packet payload. */
struct view {
    const char *name;
    uint32_t n_slot, n_transform;
    struct ec_slot slot[VIEW_SLOTS_MAX];    /* of each protocol that has it */
    const struct transform *transform[4];
};

struct chain {                      /* all elements of a rule in one view, in the order of the rule */
    const struct view *view;
    uint32_t n, positive;           /* positive: elements that give a place */
    uint32_t flags;                 /* of all elements together */
    struct element *element[RULE_ELEMENTS_MAX];
};

/* A condition on packet and flow; embedded like struct element. */
struct cond {
    bool (*match)(const struct cond *c, const struct scope *s);
    void (*release)(struct cond *c);
    void (*tell)(const struct cond *c, struct hit *h);      /* what held, for the evidence; NULL: nothing to tell */
    struct cond *next;
};
/* What a match does, before thresholds are asked. */
struct effect {
    void (*run)(const struct effect *e, const struct scope *s);
    struct effect *next;
};

enum { RULE_PASS = 0, RULE_DROP = 1, RULE_REJECT = 2, RULE_ALERT = 3 };     /* in the order of inspection */
enum { RULE_TO_SERVER = 1, RULE_TO_CLIENT = 2, RULE_BOTH = 3 };             /* by flow: */
enum {                              /* rule.flags */
    RULE_NOALERT = 1,
    RULE_BIDIR = 2,                 /* <> */
    RULE_PACKET = 4,                /* needs the packet itself: dsize, ttl …, or tcp-pkt */
    RULE_STREAM_ONLY = 8,           /* tcp-stream, flow:only_stream */
    RULE_IPONLY = 16,               /* asks for addresses alone: once a flow and direction */
    RULE_READS_BITS = 32, RULE_SETS_BITS = 64,
    RULE_ESTABLISHED = 128,
    RULE_EVENT = 256,               /* asks for an anomaly */
    RULE_PKTHDR = 512               /* also of packets that are not IP */
};
enum { RULE_L4_TCP = 1, RULE_L4_UDP = 2, RULE_L4_ICMP = 4, RULE_L4_SCTP = 8, RULE_L4_OTHER = 16, RULE_L4_ANY = 31,
       RULE_L4_PORTS = RULE_L4_TCP | RULE_L4_UDP | RULE_L4_SCTP };      /* those that have ports */
enum { RULE_TX = 1, RULE_STREAM = 2, RULE_PAYLOAD = 4, RULE_HEADER = 8,
       RULE_RAISED = 16 };          /* where it is inspected; RAISED: with packets of its anomaly */

enum { LIMIT_NONE, LIMIT_LIMIT, LIMIT_THRESHOLD, LIMIT_BOTH, LIMIT_FILTER, LIMIT_BACKOFF };
enum { TRACK_SRC = 1, TRACK_DST = 2, TRACK_BOTH = 3, TRACK_RULE = 4, TRACK_FLOW = 5 };
struct limit { uint32_t type, track, count, seconds, multiplier; };     /* multiplier: LIMIT_BACKOFF */

struct pattern { const uint8_t *data; uint32_t len; bool nocase; };         /* for the prefilter; len 0: none */
struct pair { const char *key, *value; };

struct rule {
    uint32_t index;                 /* in the set: the order of inspection */
    uint32_t gid, sid, rev, priority;
    uint32_t action, verdict /* EC_V_* */, flags, dirs, l4, where;
    uint32_t ip_version;            /* 4, 6; 0: both */
    uint32_t app_proto;             /* interned in "app_proto"; 0: any */
    uint32_t event_bit, event_proto;/* RULE_EVENT: the anomaly by which it is found; of a protocol, 0: the engine's */
    uint32_t target;                /* 0 none, 1 src_ip, 2 dest_ip */
    uint32_t level;                 /* depth of flowbits that it depends on */
    const struct rangeset *src, *dst, *sport, *dport;       /* NULL: any */
    const char *action_word, *msg, *category, *text, *file;
    uint32_t line, n_pair, n_chain, n_proto;
    uint32_t listed;                /* its place in the set's list, until the set is finished */
    const struct pair *metadata;
    struct chain *chain[RULE_CHAINS_MAX];
    struct chain *raw;              /* the one without buffer, or NULL; also in chain[] */
    uint32_t proto[16];             /* TX: protocols that have all its buffers */
    struct pattern fast;
    const struct view *fast_view;   /* NULL with a fast pattern: the raw one */
    struct cond *cond;
    struct effect *effect;
    struct limit limit;
    const uint32_t *bits_set, *bits_read;   /* flowbits names, for the order */
    uint32_t n_bits_set, n_bits_read;
};

void rule_release(struct rule *r);              /* what does not lie in the arena */

#endif
