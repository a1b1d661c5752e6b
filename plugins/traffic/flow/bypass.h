/* bypass.h: flows that nobody looks at any more, because they have grown large, or because what they carry is
 * encrypted, or because either is so while the engine is overloaded (shed.h). Their packets are decoded and counted and TCP's state is followed, so that they end as others do; no
 * parser and no inspector is called until flow_end. [wrk] */
#ifndef TRAFFIC_BYPASS_H
#define TRAFFIC_BYPASS_H
#include "plugins/traffic/flow/flow.h"

#define BYPASS_EVERY 8u             /* packets of one direction between two looks; a power of two */

/* Is it time to bypass f? p is its packet, counted in it already; where it is time p is bypassed too. */
void bypass_look(struct worker *w, struct flow *f, const struct packet *p);
/* f ends: count the rest, let inspectors hear of the end. */
void bypass_end(struct worker *w, struct flow *f);

#endif
