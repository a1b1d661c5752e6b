/* record.h: the record of QUIC's first packets, with the names that EVE gives its fields. */
#ifndef TRAFFIC_QUIC_RECORD_H
#define TRAFFIC_QUIC_RECORD_H

#include <stdint.h>

struct ec_build;
struct ec_topic;
struct quic_tx;

extern const struct ec_topic quic_topic;

/* Append the record as one part. EC_OK or EC_ELIMIT. */
int32_t quic_record_put(const struct quic_tx *t, uint32_t topic, struct ec_build *b);

#endif
