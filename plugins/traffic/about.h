/* about.h: ICMP errors in flows' events: "ecyber.about", what a flow of errors is about, and "ecyber.icmp", the errors
 * about any other flow. */
#ifndef TRAFFIC_ABOUT_H
#define TRAFFIC_ABOUT_H
#include "plugins/traffic/engine.h"

extern const struct ec_topic about_topic, error_topic;
/* Append the part, whose topic has the id `topic`. seed: of Community ID. Where the block is full, nothing is added.
 * [wrk] */
void about_part(struct ec_build *b, uint32_t topic, uint16_t seed, const struct about *a);
void error_part(struct ec_build *b, uint32_t topic, const struct icmp_error *e);

#endif
