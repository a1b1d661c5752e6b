/* recognise.h: protocols that have a name here and no parser. Their first bytes tell them: a magic number, lengths that add
 * up, words of a grammar; where that is little, a port has to agree. */
#ifndef TRAFFIC_RECOGNISE_H
#define TRAFFIC_RECOGNISE_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Register those of them that nobody else has registered: a parser of its own comes first. t_self: traffic's own.
 * EC_OK or EC_E*. */
int32_t recognise_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
