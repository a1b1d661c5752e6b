/* address.h: addresses and networks, as text and as 16 bytes (IPv4 mapped). */
#ifndef FIREWALL_ADDRESS_H
#define FIREWALL_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT 52             /* the longest, "/128" and a NUL */

struct net { uint8_t addr[16]; uint32_t prefix; };          /* prefix: of the 128 bits; of IPv4 96 more than written */

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". NULL, or what is wrong as a static sentence; of bits behind the prefix
 * *to holds what would be right. */
const char *address_parse(const char *text, struct net *to);
const char *address_check(const struct net *n);             /* the same for numbers */
void address_text(const struct net *n, char to[ADDRESS_TEXT]);      /* without its prefix where it is one address */
bool address_v4(const struct net *n);
bool address_holds(const struct net *outer, const struct net *inner);
struct net address_masked(const uint8_t addr[16], uint32_t prefix);

#endif
