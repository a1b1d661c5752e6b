/* types.h: names of DNS types and response codes (IANA's registry of DNS parameters). */
#ifndef TRAFFIC_DNS_TYPES_H
#define TRAFFIC_DNS_TYPES_H

#include <stdint.h>

enum { DNS_T_A = 1, DNS_T_NS = 2, DNS_T_CNAME = 5, DNS_T_SOA = 6, DNS_T_NULL = 10, DNS_T_PTR = 12, DNS_T_HINFO = 13,
       DNS_T_MX = 15, DNS_T_TXT = 16, DNS_T_AAAA = 28, DNS_T_SRV = 33, DNS_T_OPT = 41, DNS_T_SSHFP = 44,
       DNS_T_NSEC = 47, DNS_T_CAA = 257 };

/* "AAAA"; unknown ones as the number in scratch (16 bytes), as EVE has them. */
const char *dns_type_name(uint16_t type, char *scratch);
/* "NXDOMAIN"; unknown ones as the number. */
const char *dns_rcode_name(uint8_t rcode, char *scratch);

#endif
