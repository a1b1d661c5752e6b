/* parsers.h: the parsers that come with the traffic engine. They use its registration interface and nothing else. */
#ifndef TRAFFIC_PARSERS_H
#define TRAFFIC_PARSERS_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] in setup(): register all of them. t_self: traffic's own. EC_OK, or the first error. */
int32_t parsers_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
