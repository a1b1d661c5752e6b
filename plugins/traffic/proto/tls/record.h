/* record.h: the record of a TLS session, with the names that EVE gives its fields. */
#ifndef TRAFFIC_TLS_RECORD_H
#define TRAFFIC_TLS_RECORD_H

#include <stdint.h>

struct ec_build;
struct ec_topic;
struct tls_tx;

extern const struct ec_topic tls_topic;

/* Append the record as one part. EC_OK or EC_ELIMIT. */
int32_t tls_record_put(const struct tls_tx *t, uint32_t topic, struct ec_build *b);

#endif
