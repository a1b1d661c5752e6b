/* about.h: what an ICMP error is about: the "ecyber.about" object of its flow's event. */
#ifndef TRAFFIC_ABOUT_H
#define TRAFFIC_ABOUT_H
#include "plugins/traffic/engine.h"

extern const struct ec_topic about_topic;
/* The conversation that p, which has PK_ICMP_ABOUT, is about. Its flow may be another worker's: its Community ID links
 * them. [wrk] */
struct about about_of(const struct packet *p);
/* Append the part, whose topic has the id `topic`. seed: of Community ID. Where the block is full, nothing is added.
 * [wrk] */
void about_part(struct ec_build *b, uint32_t topic, uint16_t seed, const struct about *a);

#endif
