/* name.h: domain names in a DNS message (RFC 1035 §3.1, §4.1.4). */
#ifndef TRAFFIC_DNS_NAME_H
#define TRAFFIC_DNS_NAME_H

#include <stdint.h>

struct dns_message;

/* The offset behind the name at `at`, 0: malformed. Does not follow the pointer. */
uint32_t dns_name_skip(const struct dns_message *m, uint32_t at);
/* The name's labels joined by dots, without the last one, into out (at most n bytes, no NUL at the end). Follows at most
 * 32 pointers, and only backwards. Returns its length; *whole: 0 where it was malformed or cut, and what was readable is
 * there. */
uint32_t dns_name_text(const struct dns_message *m, uint32_t at, uint8_t *out, uint32_t n, int *whole);

#endif
