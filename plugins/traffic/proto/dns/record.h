/* record.h: the record of a DNS message, with the names that EVE gives its fields. */
#ifndef TRAFFIC_DNS_RECORD_H
#define TRAFFIC_DNS_RECORD_H

#include <stdint.h>

struct dns_message;
struct ec_build;
struct ec_topic;

extern const struct ec_topic dns_topic;

/* Append the record of m as one part. tx_id: the transaction's. EC_OK or EC_ELIMIT. */
int32_t dns_record(const struct dns_message *m, uint64_t tx_id, uint32_t topic, struct ec_build *b);

#endif
