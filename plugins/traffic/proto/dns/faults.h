/* faults.h: what is wrong with a DNS message, by Suricata's names. */
#ifndef TRAFFIC_DNS_FAULTS_H
#define TRAFFIC_DNS_FAULTS_H

#include <stdint.h>

struct dns_message;

/* The anomalies of DNS; mDNS has those before DNS_MDNS_FAULTS. */
enum dns_fault {
    DNS_MALFORMED, DNS_Z_FLAG, DNS_INVALID_OPCODE, DNS_INVALID_AUTHORITIES, DNS_INVALID_ADDITIONALS, DNS_INFINITE_LOOP,
    DNS_NAME_TOO_LONG, DNS_TOO_MANY_LABELS, DNS_MDNS_FAULTS, DNS_NOT_REQUEST = DNS_MDNS_FAULTS, DNS_NOT_RESPONSE,
    DNS_FAULTS
};
extern const char *const dns_faults[DNS_FAULTS];

/* Bits by enum dns_fault; neither DNS_NOT_REQUEST nor DNS_NOT_RESPONSE, which one message cannot tell. */
uint32_t dns_message_faults(const struct dns_message *m);

#endif
