/* rdata.h: the data of a DNS record in text form. */
#ifndef TRAFFIC_DNS_RDATA_H
#define TRAFFIC_DNS_RDATA_H

#include <stdbool.h>
#include <stdint.h>

struct dns_message;
struct dns_rr;

#define RDATA_MAX 4096              /* text of one record; longer is cut */

struct dns_soa_data { uint32_t mname, rname, number[5]; };      /* names: offsets in the message */

/* Is there a text form for this type? (Of SRV and SSHFP only for data that is not what the type says.) */
bool rdata_has_text(uint16_t type);
/* Write it to out, at most n bytes, and return its length. Data that is not what its type says is written as it is. */
uint32_t rdata_text(const struct dns_message *m, const struct dns_rr *r, uint8_t *out, uint32_t n);
bool rdata_soa(const struct dns_message *m, const struct dns_rr *r, struct dns_soa_data *soa);

#endif
