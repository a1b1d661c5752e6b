/* engine.h: what the parts of the engine share: the plugin, its configuration of one generation, a
 * worker. */
#ifndef TRAFFIC_ENGINE_H
#define TRAFFIC_ENGINE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/traffic/decode/decode.h"
#include "plugins/traffic/defrag/defrag.h"
#include "plugins/traffic/flow/flow.h"
#include "plugins/traffic/flow/snapshot.h"
#include "plugins/traffic/metrics.h"
#include "plugins/traffic/pool.h"
#include "plugins/traffic/sdk.h"
#include "plugins/traffic/shed.h"
#include "plugins/traffic/target.h"

#define INSPECTORS_MAX 16           /* flow.shed has a bit for each, ec_flow.mute, too */
#define PROTOS_MAX 192
#define LEASES_MAX 32
#define BATCH_MAX 64

enum { CLASS_TCP, CLASS_UDP, CLASS_ICMP, CLASS_OTHER, CLASSES };
enum { ANOMALY_DECODE, ANOMALY_STREAM, ANOMALY_APP };

struct tconf {                      /* immutable; limits are those of one worker */
    uint64_t memcap, stream_memcap, reorder, defrag_memcap, defrag_timeout;
    uint64_t depth[PROTOS_MAX + 1]; /* of streams, by index of the protocol + 1; [0]: it is not known; 0: none */
    uint64_t timeout[CLASSES][3];   /* by EC_FLOW_* */
    uint64_t bypass_bytes;          /* 0: never */
    uint64_t shed_bytes;            /* under overload: bypass_bytes */
    struct shed_conf shed;
    uint32_t shed_inspectors;       /* bit i: inspector i is left out then */
    uint32_t max_flows, tx_max, defrag_policy, stream_policy;
    bool midstream, anomalies, vlans, urgent_inline, bypass_encrypted;
    struct decode_conf decode;
    uint64_t key[2];
    uint16_t seed;
    uint32_t order[INSPECTORS_MAX]; /* inspectors as they are called */
    struct targets targets;
};

struct inspector {
    const struct ec_inspector *hooks;
    const struct ec_host *host;
    void *self;
    char name[64];                  /* of the row, where its plugin has several inspectors */
    struct ec_metric row;           /* flows that it was not shown under overload */
    uint32_t metric;                /* its index in the metrics of host */
};
/* an inspector for this batch */
struct bound { void *w; const void *state; uint32_t gen, index; };

#define HINTS_MAX 16
#define PORTS_MAX 512               /* places for hinted ports of one transport; a power of two */

struct proto_set { uint64_t word[PROTOS_MAX / 64]; };   /* bit i: protocol i */
/* Who is asked: by transport (0: TCP, 1: UDP). */
struct probes {
    struct proto_set first[2][256]; /* by the first byte */
    struct proto_set at_port;       /* those that are asked on their ports only */
    struct proto_set named;         /* those that have no parser */
    uint16_t place[2][PORTS_MAX];   /* hash of a port: its entry + 1; 0: free */
    uint32_t ports[2];
    struct { uint16_t port; struct proto_set set; } entry[2][PORTS_MAX / 2];
};
struct proto {
    const struct ec_proto *def;
    const struct ec_host *host;
    void *self;
    /* id: of its name in "app_proto"; topic: of its record, 0: none */
    uint32_t index, id, topic;
    bool tcp, udp;                  /* spoken over */
    uint32_t hints;                 /* how many */
    struct ec_metric *rows;         /* of its anomalies, with their names */
    uint32_t *metric;               /* their indexes in the metrics of host */
};
struct lease { uint32_t off; void (*drop)(void *self, void *m); void *self; };

/* How a reader asks a worker for its flows; lines of their own, for the worker looks at it with every idle(). */
struct ask {
    _Alignas(64) snapshot_slot slot;
    atomic_bool runs;               /* the worker will answer */
    pthread_t thread;
    const struct flow_table *table;
};
struct ec_http;

struct traffic {                    /* the plugin: written in setup, read ever after */
    const struct ec_host *host;     /* NULL: no daemon around (fuzzing, unit tests) */
    uint32_t inspectors, protos, n_lease[2];
    struct inspector inspector[INSPECTORS_MAX];
    struct proto proto[PROTOS_MAX];
    struct probes probes;
    struct lease lease[2][LEASES_MAX];      /* of flows, of transactions */
    uint32_t lease_bytes[2];
    uint32_t topic_flow, topic_tcp, topic_tunnel, topic_about, topic_error, topic_anomaly, topic_file, topic_alert;
    uint32_t app_failed;
    uint16_t seed;
    struct hosts *hosts;
    _Atomic uint64_t accounted[4];  /* of hosts and order, as the metrics have it */
    struct ask *ask;                /* of each worker; NULL: no memory, or no daemon around */
    uint32_t asks;
    pthread_mutex_t ask_lock;       /* one reader at a time */
    const struct ec_http *http;
    void *http_self;
    struct order *order;            /* NULL: one worker, whose order is the capture's */
};

struct worker {
    struct traffic *tr;
    const struct tconf *conf;       /* of this batch */
    uint64_t *cells;                /* metrics */
    uint32_t index, bounds;
    struct bound bound[INSPECTORS_MAX];
    struct flow_table table;
    struct defrag defrag;
    struct pool pool, segments;     /* states and transactions; waiting stream bytes */
    struct packet *now;             /* the packet that is being worked on; NULL: none */
    struct ec_raised raised;        /* with it, where its pub.raised says so */
    uint32_t ended;                 /* finish(): place in the store of the next flow that ends */
    uint64_t idle_pkts;             /* M_PKTS at the last idle() */
    uint64_t end_ns;                /* the host's clock at the last idle() */
    uint32_t batch_n;
    bool live;                      /* the last frame was no replay */
    struct shed shed;
    uint32_t shed_mask;             /* bit i: inspector i is left out now */
    uint64_t anomaly_second[EV_DECODE_COUNT];
    uint8_t anomaly_n[EV_DECODE_COUNT];
    uint64_t own_cells[M_COUNT];    /* where there is no host */
    uint32_t inners;                /* in use of inner: those of this batch */
    uint32_t lates;                 /* in use of late: those of this packet, decoded when it came to them */
    struct packet batch[BATCH_MAX], inner[BATCH_MAX * TUNNEL_DEPTH_MAX], late[2 * DEFRAG_NESTED];
};

/* worker.c */
/* 0 or EC_ENOMEM */
int worker_open(struct worker **w, struct traffic *tr, const struct tconf *c, uint32_t index);
/* frees all; flows are not ended, only their memory is given back */
void worker_close(struct worker *w);
void worker_prepare(struct worker *w, struct ec_frame *const *f, uint32_t n);
void worker_packet(struct worker *w, uint32_t i, uint32_t *verdict);
void worker_idle(struct worker *w, uint64_t now_ns);
uint32_t worker_finish(struct worker *w, uint32_t reason);      /* flows left */
void tconf_defaults(struct tconf *c);

/* raised.c: inspectors see that an anomaly was raised with the packet that is being worked on, if it is one of f (NULL:
 * without a flow). */
void raised_note(struct worker *w, const struct flow *f, uint32_t event);
/* The same for anomaly number bit of a protocol (its name's id), which belongs to no transaction. */
void raised_note_app(struct worker *w, const struct flow *f, uint32_t proto, uint32_t bit);
/* The i-th anomaly of the engine or of a protocol, as ec_traffic.anomaly_at. */
int32_t raised_at(const struct traffic *tr, uint32_t i, struct ec_anomaly *out);

static inline void count(struct worker *w, uint32_t metric) { w->cells[metric]++; }
static inline void count_add(struct worker *w, uint32_t metric, uint64_t n)
{
    w->cells[metric] += n;
}

#endif
