/* proxy.h: networks whose word about their clients is taken (http.trusted_proxies), and the client that they name. */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXIES 32u
#define PEER_TEXT 48u

struct net { uint8_t at[16]; unsigned bits; };      /* IPv4 as ::ffff:a.b.c.d */
struct proxies { uint32_t n; struct net net[PROXIES]; bool forwarded; };    /* they write Forwarded (RFC 7239) */

/* "10.0.0.7", "10.0.0.0/8", "fd00::/8". false: it is neither an address nor a network. */
bool net_read(const char *text, struct net *to);
/* An address as text, IPv4 where it is one. */
void net_print(const uint8_t at[16], char to[PEER_TEXT]);
bool proxies_have(const struct proxies *p, const uint8_t at[16]);
/* Who asked? at: the peer's address; list: what the header says, all its lines joined by commas, n bytes. From the
 * right each proxy that is trusted has named whom it heard from; the first that is not trusted is the client. What is no
 * address ends the search: then it is the last one that was named. */
void proxies_client(const struct proxies *p, uint8_t at[16], const char *list, size_t n);

#endif
