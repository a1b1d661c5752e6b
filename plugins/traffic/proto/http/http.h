/* http.h: the HTTP/1 protocol (RFC 9112), parsed by libhtp. */
#ifndef TRAFFIC_HTTP_H
#define TRAFFIC_HTTP_H

#include <stdint.h>

struct ec_host;
struct ec_traffic;

/* [ctl] Declare the record's topic and register the protocol. t_self: traffic's own. EC_OK or EC_E*. */
int32_t http_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self);

#endif
