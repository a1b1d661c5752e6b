/* quic.h: QUIC (RFC 9000): what its first packets say, which anybody can decrypt (RFC 9001 §5.2). */
#ifndef TRAFFIC_QUIC_H
#define TRAFFIC_QUIC_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Declare the record's topic and register the protocol. t_self: traffic's own. EC_OK or EC_E*. */
int32_t quic_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
