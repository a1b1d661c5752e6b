/* tls.h: the TLS protocol: its handshake's first messages. */
#ifndef TRAFFIC_TLS_H
#define TRAFFIC_TLS_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Declare the record's topic and register the protocol. t_self: traffic's own. EC_OK or EC_E*. */
int32_t tls_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
