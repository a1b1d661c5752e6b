/* mdns.h: multicast DNS (RFC 6762), as Suricata 8 records it: a protocol of its own, not dns. */
#ifndef TRAFFIC_MDNS_H
#define TRAFFIC_MDNS_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Declare the record's topic and register the protocol, behind dns, which has the same form: only the port tells
 * the two apart. t_self: traffic's own. EC_OK or EC_E*. */
int32_t mdns_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
