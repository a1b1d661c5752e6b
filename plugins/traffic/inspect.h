/* inspect.h: calling the inspectors' hooks, in their order, with the mark set. [wrk] */
#ifndef TRAFFIC_INSPECT_H
#define TRAFFIC_INSPECT_H
#include "plugins/traffic/engine.h"

void inspect_bind(struct worker *w);        /* at the start of a batch: their states and memories */
/* Under overload: no inspector of shed_mask is called for f again. */
void inspect_shed(struct worker *w, struct flow *f);
void inspect_packet(struct worker *w, struct packet *p);
void inspect_chunk(struct worker *w, struct flow *f, const struct ec_chunk *k);
void inspect_tx(struct worker *w, struct flow *f, struct ec_tx *x);
void inspect_flow_end(struct worker *w, struct flow *f, uint32_t reason);

/* The mark around a parser's callback. */
struct ec_mark inspect_enter(struct worker *w, const char *name, const char *callback);
void inspect_leave(struct worker *w, struct ec_mark old);

#endif
