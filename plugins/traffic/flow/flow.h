/* flow.h: one connection or conversation, and the table of them. One worker, one thread.
 *
 * Nothing that can be seen depends on the table's key: the order of a walk is the time wheel's or
 * the flows' place in the store. */
#ifndef TRAFFIC_FLOW_H
#define TRAFFIC_FLOW_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/traffic/decode/decode.h"
#include "plugins/traffic/sdk.h"

struct app;
struct held;
struct segment;
struct worker;

enum tcp_state {                    /* RFC 9293 §3.3.2, as seen from outside */
    TCPS_NONE, TCPS_SYN_SENT, TCPS_SYN_RECV, TCPS_ESTABLISHED, TCPS_FIN_WAIT1, TCPS_FIN_WAIT2,
    TCPS_TIME_WAIT, TCPS_LAST_ACK, TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_CLOSED
};
enum {                              /* flow.flags */
    FL_HELD = 1 /* records of it wait: held.h */, FL_ALERTED = 2, FL_MIDSTREAM = 4, FL_APP_OFF = 8, FL_RST = 16,
    FL_REPLAY = 32, FL_WHEEL = 64,
    FL_SESSION = 128 /* TCP: the start was seen, or midstream pick-up is on */
};
enum {                              /* flow.sflags, by direction of the data */
    SD_BASE = 1,                    /* next is valid */
    SD_FIN = 2,                     /* fin is valid */
    SD_FIN_ACKED = 4, SD_ENDED = 8 /* the last chunk went out */, SD_DEPTH = 16,
    SD_MID = 32 /* base was guessed */,
    SD_ACK = 64,                    /* ack is valid */
    /* to the server: a SYN came again, amid the connection with another number, or after a refusal; to the client: a
     * SYN-ACK with another number came before the client had chosen */
    SD_SYN_AGAIN = 128
};

struct sdir {                       /* bytes in one direction */
    uint64_t offset;                /* of the byte at next */
    struct segment *wait;           /* sorted, beyond next */
    /* sequence numbers: next wanted; acknowledged by the other side; of the FIN */
    uint32_t next, ack, fin;
    uint32_t wait_bytes;
};

struct outer {                      /* of a flow in a tunnel, as its first packet had it */
    uint64_t flow_id;               /* of the packet around it; 0: none */
    uint8_t src[16], dst[16];       /* of the outermost packet; IPv4 mapped */
    uint16_t sport, dport;
    uint8_t ip_proto, kind;         /* TUNNEL_*: of the innermost tunnel; TUNNEL_NONE: there is none */
    uint16_t depth;
};

struct about {                      /* of a flow of ICMP errors, which found no other: what they are about */
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint8_t ip_proto;               /* 0: it is about nothing that has ports */
};

struct icmp_error {                 /* of the first ICMP error about a flow */
    uint8_t src[16];                /* who sent it */
    uint32_t n;                     /* how many there were */
    uint8_t type, code;
};

enum { BYPASS_NONE, BYPASS_BYTES, BYPASS_ENCRYPTED, BYPASS_OVERLOAD };   /* why nobody looks at a flow any more */
struct bypass {
    uint64_t pkts[2], bytes[2];     /* the flow's before it was bypassed */
    uint64_t counted_pkts, counted_bytes;           /* the flow's up to which the metrics count */
    uint32_t mute, why;             /* the flow's before; BYPASS_* */
};

#define LEDGER_LINES 8u
struct ledger {                     /* of one direction: what was delivered last */
    struct ledger_line { uint32_t seq, len, sum; } line[LEDGER_LINES];
    uint32_t next;                  /* the line to be written */
};

struct tcp_more {                   /* of a connection whose beginning was answered, or that carries data */
    uint64_t syn_ack_ns;            /* when the SYN was answered; 0: not seen */
    uint64_t missing[2];            /* bytes in holes */
    uint32_t rtt_us[2];             /* of the handshake: from the sensor to that end and back; RTT_NONE: not known */
    uint32_t retrans[2], early[2];  /* segments without a new byte; before their turn */
    uint32_t urgent[2];             /* sequence number of the last urgent octet */
    uint32_t beside[2];             /* urgent octets that were taken out of the stream */
    struct ledger ledger[2];
    struct icmp_error error;
    struct held *held;              /* records that wait, the oldest first: held.h */
};
#define RTT_NONE UINT32_MAX

struct flow_more {                  /* of the worker's pool */
    uint64_t events[EVENT_WORDS];   /* bit: this event was published */
    struct outer outer;
    union {
        struct about about;         /* ICMP */
        struct icmp_error error;    /* neither ICMP nor TCP */
        struct tcp_more tcp;
    };
};

struct flow {                       /* 192 bytes: three lines; the leases follow */
    struct ec_flow pub;
    uint32_t hash, self;            /* self: its own index; FLOW_FREE: nobody's */
    uint32_t wheel_next, wheel_prev;/* index + 1 */
    uint64_t count;                 /* of the first packet */
    uint32_t iface;
    uint16_t bucket;
    uint8_t flags, tcp_state;
    struct app *app;
    struct flow_more *more;         /* what few flows need; NULL: nothing yet */
    struct sdir *dir;               /* TCP: both directions, of the worker's pool; else NULL */
    uint8_t tcp_flags[2], sflags[2], hole_age[2];
    uint16_t shed;                  /* bit i: inspector i was left out under overload */
    /* what each direction was taken for, and what it was before it changed: index of the protocol + 1, or
     * APP_SIDE_FAILED; 0: not known */
    uint8_t app_side[2], app_orig;
    uint8_t depth;                  /* of tunnels that it is in */
    uint8_t urgent;                 /* bit: that direction has an urgent octet that did not come yet: tcp_more.urgent */
    bool opaque;                    /* its parser said that what follows is encrypted */
    uint16_t vlan_third;            /* the third tag; two stand in pub */
    struct bypass *bypass;          /* of the worker's pool; NULL: it is looked at */
};
_Static_assert(sizeof(struct flow) == 192 && sizeof(struct sdir) == 32, "whole lines");

#define FLOW_FREE UINT32_MAX
#define STORE_CHUNK 256u            /* flows allocated at once */
#define WHEEL_BUCKETS 4096u
#define WHEEL_TICK 30               /* a tick is 2^30 ns */

struct slot { uint32_t hash, flow; };               /* flow: index + 1; 0: free */
struct flow_table {
    struct slot *slot;
    uint32_t mask, used;
    uint8_t **chunk;                /* of STORE_CHUNK flows each */
    uint32_t chunks, chunk_room, stride;
    uint32_t free;                  /* a list through flow.wheel_next; index + 1 */
    uint64_t k0, k1;                /* of the hash */
    bool vlans;                     /* VLAN tags tell flows apart */
    uint32_t head[WHEEL_BUCKETS], tail[WHEEL_BUCKETS];
    uint64_t busy[WHEEL_BUCKETS / 64];
    uint64_t clock_ns, tick;        /* the latest packet's time; the next tick to be looked at */
};

static inline struct flow *flow_at(const struct flow_table *t, uint32_t index)
{
    uint8_t *chunk = t->chunk[index / STORE_CHUNK];

    return (struct flow *)(void *)(chunk + (uint64_t)(index % STORE_CHUNK) * t->stride);
}

/* table.c */
/* 0 or EC_ENOMEM */
int table_init(struct flow_table *t, uint32_t lease_bytes, uint64_t k0, uint64_t k1, bool vlans);
void table_free(struct flow_table *t);
uint64_t table_bytes(const struct flow_table *t);
struct flow *table_new(struct flow_table *t);       /* zeroed, not entered; NULL: no memory */
void table_enter(struct flow_table *t, struct flow *f);
void table_remove(struct flow_table *t, struct flow *f);    /* and give it back */
struct flow *table_find(const struct flow_table *t, const struct packet *p, uint32_t *dir);
void table_prefetch_slot(const struct flow_table *t, uint32_t hash);
/* The flow that it most likely is, on its way into the cache; NULL: none. */
const struct flow *table_prefetch_flow(const struct flow_table *t, uint32_t hash);
/* The first flow at or behind place *at in the store, which then stands behind it; NULL: none. Places are taken in the
 * order of birth, those that became free first. */
struct flow *table_walk(const struct flow_table *t, uint32_t *at);

/* key.c: the tuple. */
void key_hash(const struct flow_table *t, struct packet *p);
/* dir: EC_TO_* of p in f */
bool key_match(const struct flow *f, const struct packet *p, bool vlans, uint32_t *dir);
/* the same for any number of workers; 1 … 2^51 − 1 */
uint64_t key_flow_id(const struct packet *p);
int icmp_counterpart(uint8_t ip_proto, uint8_t type);   /* −1: a one-way message */
/* The conversation that p, which has PK_ICMP_ABOUT, is about. */
struct about about_of(const struct packet *p);
/* A packet as p quotes it, with nothing but what the table asks for. */
struct packet about_packet(const struct packet *p);

/* wheel.c: flows by the tick in which they are due at the earliest. */
void wheel_add(struct flow_table *t, struct flow *f, uint64_t due_ns);
void wheel_remove(struct flow_table *t, struct flow *f);
void wheel_clock(struct flow_table *t, uint64_t now_ns);
/* one that may be due now; NULL: none. It stays where it is */
struct flow *wheel_next(struct flow_table *t);
/* the one with the earliest bucket; NULL: no flows */
struct flow *wheel_first(struct flow_table *t);

/* flow.c: the life of a flow. */
/* find or make p's flow and count p in it */
void flow_packet(struct worker *w, struct packet *p);
void flow_end(struct worker *w, struct flow *f, uint32_t reason);
void flow_sweep(struct worker *w, uint64_t now_ns, uint32_t budget);
/* Has its time-out passed by the table's clock? */
bool flow_is_due(const struct worker *w, const struct flow *f);
uint64_t flow_timeout(const struct worker *w, const struct flow *f);
void flow_state(struct worker *w, struct flow *f, uint32_t state);  /* EC_FLOW_*: only forward */
/* true once for each event: it may be published. False where there is no memory to remember it. */
bool flow_event_first(struct worker *w, struct flow *f, uint32_t event);
/* What p came in. p has an outer packet. */
struct outer outer_of(const struct packet *p);
/* f->more, made where it is missing; NULL: no memory */
struct flow_more *flow_more(struct worker *w, struct flow *f);
/* What ICMP errors said about f; NULL: there was none. */
const struct icmp_error *flow_error(const struct flow *f);
/* What f, a flow of ICMP errors, is about; NULL: nothing that has ports, or it is none. */
const struct about *flow_about(const struct flow *f);

/* tcp.c: what the flags say about the connection. Called before the stream sees the segment. */
void tcp_track(struct worker *w, struct flow *f, struct packet *p);
/* after the stream: FINs that are acknowledged now */
void tcp_track_end(struct worker *w, struct flow *f);
const char *tcp_state_name(uint32_t state);

/* community.c */
void community_hash(uint8_t out[20], uint16_t seed, const uint8_t src[16], const uint8_t dst[16],
                    uint8_t proto, uint16_t sport, uint16_t dport);  /* ICMP: type and code */

#endif
