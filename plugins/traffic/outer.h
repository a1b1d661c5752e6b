/* outer.h: what is said of a packet's tunnel: the "tunnel" object of events. */
#ifndef TRAFFIC_OUTER_H
#define TRAFFIC_OUTER_H
#include "plugins/traffic/engine.h"

extern const struct ec_topic outer_topic;
/* Append the part, whose topic has the id `topic`. Where the block is full, nothing is added. [wrk] */
void outer_part(struct ec_build *b, uint32_t topic, const struct outer *o);

#endif
