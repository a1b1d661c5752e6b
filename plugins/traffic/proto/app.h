/* app.h: the protocol on a flow: detection, parsing, transactions. One worker, one thread. */
#ifndef TRAFFIC_APP_H
#define TRAFFIC_APP_H
#include "plugins/traffic/engine.h"

#define DETECT_BYTES 1024u          /* of one direction: who has not said yes by then says no */
#define DETECT_KEPT 4096u           /* kept for a parser that is found late */
#define DETECT_DATAGRAMS 4u         /* of one direction */
#define KEPT_MAX (64u << 10)        /* what a parser may leave unread */
#define TX_MAX 256u
#define UPGRADES_MAX 8u             /* changes of protocol in one flow */

#define APP_SIDE_FAILED 255u        /* flow.app_side: nobody knows these bytes */

enum { APP_DETECT, APP_PARSE };
/* a transaction; leases, buffers and the parser's memory follow */
struct txi {
    struct ec_tx pub;
    struct txi *next, *prev;
    const struct proto *proto;
    struct flow *flow;
    uint32_t bytes;
    bool recorded;                  /* its record was published */
};
struct kept { uint8_t *data; uint32_t len, room; uint64_t offset; };
struct app {
    const struct proto *proto;
    void *state;
    struct txi *first, *last;
    uint64_t tx_next, anomalies;
    struct proto_set refused[2];    /* protocols that said no, by direction of the bytes */
    struct kept kept[2];
    uint32_t tx_open;
    uint8_t phase, upgrades;
    bool failed[2];
};
struct ec_pctx {
    struct worker *w;
    struct flow *f;
    struct app *a;
    bool upgrade, opaque;
    const struct proto *to;
};

/* app.c */
/* in-order bytes of a stream */
void app_chunk(struct worker *w, struct flow *f, const struct ec_chunk *k);
void app_datagram(struct worker *w, struct flow *f, struct packet *p);
void app_end(struct worker *w, struct flow *f);                                 /* the flow ends */
/* never look at this flow again */
void app_off(struct worker *w, struct flow *f);
/* A protocol was found, in the bytes of direction dir; 2: it was named by another one. */
bool app_set(struct worker *w, struct flow *f, const struct proto *p, uint32_t dir);

/* detect.c: index of the protocol, −1: none of them (for good, in this direction), −2: not yet
 * known. */
int detect(const struct worker *w, const struct flow *f, struct proto_set *refused, const uint8_t *d,
           uint32_t n, uint32_t dir);
/* [ctl] in setup(): p, whose index is known, is asked from now on. EC_OK; EC_EINVAL: its hints or first bytes make no
 * sense; EC_ELIMIT: too many ports. */
int32_t detect_add(struct probes *to, struct proto *p);
/* [ctl] in setup(): the protocol of this index is asked no more. */
void detect_remove(struct probes *from, uint32_t index);

/* kept.c */
bool kept_add(struct worker *w, struct kept *k, const uint8_t *d, uint32_t n, uint64_t offset);
void kept_eat(struct kept *k, uint32_t n);
void kept_free(struct worker *w, struct kept *k);

/* tx.c: the services for parsers, as struct ec_traffic says. */
struct ec_tx *tx_begin(struct ec_pctx *c);
void tx_step(struct ec_pctx *c, struct ec_tx *x, uint32_t dir, uint32_t progress);
void tx_record(struct ec_pctx *c, struct ec_tx *x);
void tx_end(struct ec_pctx *c, struct ec_tx *x);
void tx_end_all(struct worker *w, struct flow *f, struct app *a);   /* those still open, cut */
void tx_anomaly(struct ec_pctx *c, struct ec_tx *x, uint32_t index);
void tx_file(struct ec_pctx *c, struct ec_tx *x, const struct ec_file *file);
struct ec_flow *tx_flow(struct ec_pctx *c);
void tx_opaque(struct ec_pctx *c);
int32_t tx_upgrade(struct ec_pctx *c, const char *proto);
const struct ec_buf *tx_fill(void *self, struct ec_tx *x, uint32_t slot);

/* registry.c: protocols and their buffers by name. */
int32_t registry_proto(struct traffic *tr, const struct ec_host *h, const struct ec_proto *p,
                       void *self, uint32_t *id);
int32_t registry_lease(struct traffic *tr, uint32_t what, uint32_t bytes,
                       void (*drop)(void *, void *), void *self, uint32_t *off);
int32_t registry_slot(const struct traffic *tr, const char *name, uint32_t i, struct ec_slot *out);
int32_t registry_slot_at(const struct traffic *tr, uint32_t i, const char **name,
                         const char **help);
const struct proto *registry_find(const struct traffic *tr, const char *name);
void registry_free(struct traffic *tr);

#endif
