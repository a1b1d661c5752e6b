/* connection.h: one connection: bytes go to libhtp, and its callbacks become steps of transactions. */
#ifndef TRAFFIC_HTTP_CONNECTION_H
#define TRAFFIC_HTTP_CONNECTION_H

#include "transaction.h"

/* [ctl] Once: libhtp's configuration. traffic: what the callbacks call. EC_OK or EC_ENOMEM. */
int32_t connection_setup(const struct ec_traffic *traffic);
/* [wrk] As struct ec_proto's parse(). */
int64_t connection_data(struct http_state *s, struct ec_pctx *c, const struct ec_chunk *k);
void connection_drop(struct http_state *s);

#endif
