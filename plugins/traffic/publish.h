/* publish.h: what the engine publishes, and the common keys of everybody's events. [wrk] */
#ifndef TRAFFIC_PUBLISH_H
#define TRAFFIC_PUBLISH_H
#include "plugins/traffic/engine.h"

int32_t publish_topics(struct traffic *tr);         /* [ctl] in setup() */
/* [ctl] in start(): everybody has declared his topics */
void publish_start(struct traffic *tr);
void publish_flow(struct worker *w, struct flow *f, uint32_t reason);
/* A transaction's record, with the packet that ended it, if any. */
void publish_tx(struct worker *w, struct flow *f, struct ec_tx *x, const struct proto *p);
/* A file of a transaction ended. */
void publish_file(struct worker *w, struct flow *f, struct ec_tx *x, const struct ec_file *file);
/* f or p may be NULL. kind: ANOMALY_*; layer and x may be NULL. */
void publish_anomaly(struct worker *w, struct flow *f, const struct packet *p, uint32_t kind,
                     const char *event, const char *layer, const struct ec_tx *x);

/* e, whose addresses are the flow's, is of the packet that is being worked on, if any: its place and time. */
void publish_now(struct worker *w, struct ec_event *e);

/* As struct ec_traffic says; self: struct traffic. */
void publish_head(void *self, struct ec_build *b, struct ec_flow *f, const struct ec_packet *p);
int32_t publish_attach_flow(void *self, struct ec_build *b, struct ec_flow *f);
int32_t publish_attach_tx(void *self, struct ec_build *b, struct ec_flow *f, struct ec_tx *x);

#endif
