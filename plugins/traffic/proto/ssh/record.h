/* record.h: the record of an SSH connection, with the names that EVE gives its fields. */
#ifndef TRAFFIC_SSH_RECORD_H
#define TRAFFIC_SSH_RECORD_H

#include <stdint.h>

struct ec_build;
struct ec_topic;
struct ssh_tx;

extern const struct ec_topic ssh_topic;

/* Append the record as one part. EC_OK or EC_ELIMIT. */
int32_t ssh_record_put(const struct ssh_tx *t, uint32_t topic, struct ec_build *b);

#endif
