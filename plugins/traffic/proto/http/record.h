/* record.h: the record of an HTTP transaction, with the names that EVE gives its fields. */
#ifndef TRAFFIC_HTTP_RECORD_H
#define TRAFFIC_HTTP_RECORD_H

#include <stdint.h>

struct ec_build;
struct ec_topic;
struct http_tx;

extern const struct ec_topic http_topic;

/* Append what is known of the transaction as one part. EC_OK or EC_ELIMIT. */
int32_t http_record(const struct http_tx *t, uint32_t topic, struct ec_build *b);

#endif
