/* held.h: the record of what a TCP stream carried waits until its receiver has acknowledged the bytes: then it is known
 * that they arrived, and that packet is the one that the record names (as Suricata's do, which parses bytes only then).
 * Inspectors have seen the bytes long before. [wrk] */
#ifndef TRAFFIC_HELD_H
#define TRAFFIC_HELD_H
#include "plugins/traffic/engine.h"

#define HELD_MAX 16u                /* records of one flow that wait; the oldest goes out for one more */

/* Ends b, which has the record of what f's bytes until now carried: it is kept, or published where nothing acknowledges
 * those bytes, or has already, or where there is no memory to keep it. */
void held_publish(struct worker *w, struct flow *f, struct ec_build *b);
/* The packet that is being worked on acknowledged something: publish what waited for no more. f has FL_HELD. */
void held_acked(struct worker *w, struct flow *f);
/* Nothing more is to come: publish all that waits, with the packet that is being worked on, or else with its own. */
void held_flush(struct worker *w, struct flow *f);

#endif
