/* guard.h: which addresses requests go to that people may ask for (webhooks, rule sources). Whoever may could otherwise
 * let this host ask what only it can reach: itself, its neighbours, a cloud's metadata service. Judged is the address
 * that is connected to, after its name was resolved. */
#ifndef LIB_GUARD_H
#define LIB_GUARD_H
#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct guard_net { uint8_t address[16]; uint8_t bits; };    /* IPv4 mapped */
struct guard { struct guard_net allow[64]; uint32_t n; };   /* what may be reached though it is not public */

/* "10.0.0.5", "10.0.0.0/8", "fd00::/8". 0, or -1. */
int guard_parse(const char *text, struct guard_net *to);
bool guard_public(const uint8_t address[16]);
/* May this be connected to? */
bool guard_allows(const struct guard *g, const struct sockaddr *a);

#endif
