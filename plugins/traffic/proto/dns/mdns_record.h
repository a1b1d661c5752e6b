/* mdns_record.h: the record of an mDNS message, with the names that Suricata 8's EVE gives its fields. */
#ifndef TRAFFIC_MDNS_RECORD_H
#define TRAFFIC_MDNS_RECORD_H

#include <stdint.h>

#include "types.h"

struct dns_message;
struct ec_build;
struct ec_topic;

extern const struct ec_topic mdns_topic;

/* Append the record of m as one part. EC_OK or EC_ELIMIT. */
int32_t mdns_record(const struct dns_message *m, uint32_t topic, struct ec_build *b);

#endif
