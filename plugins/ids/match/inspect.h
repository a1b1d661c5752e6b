/* inspect.h: the three inspections, and what happens when a rule matches. */
#ifndef IDS_MATCH_INSPECT_H
#define IDS_MATCH_INSPECT_H
#include "plugins/ids/match/engine.h"
#include "plugins/ids/match/hit.h"

void packet_inspect(struct scope *s);
void stream_inspect(struct scope *s, const struct ec_chunk *k);
/* Rules of a protocol that waited until it was known. */
void stream_decided(struct scope *s);
void tx_inspect(struct scope *s);

/* Is this inspection over: did a pass rule match? Asks the pass rules on headers first, once a packet. */
bool inspect_passed(struct scope *s);
bool inspect_header(const struct scope *s, const struct rule *r);       /* addresses and ports */
/* Addresses, ports, protocol and every condition of the rule. */
bool inspect_rule(const struct scope *s, const struct rule *r);
/* One chain in one buffer; v: data, len, base and fresh are set. Appends to h where it holds. */
bool inspect_chain(const struct scope *s, const struct chain *c, struct verify *v, const struct hit_source *src,
                   struct hit *h);
/* The rule has matched: its effects, thresholds, verdict and alert. */
void inspect_fire(struct scope *s, struct hit *h);
/* Has this rule alerted on this packet already? */
bool inspect_fired(const struct scope *s, const struct rule *r);

#endif
