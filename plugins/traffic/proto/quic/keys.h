/* keys.h: keys of Initial packets, and taking their protection off (RFC 9001 §5, RFC 9369 §3.3). */
#ifndef TRAFFIC_QUIC_KEYS_H
#define TRAFFIC_QUIC_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct quic_packet;
struct quic_key { uint8_t key[16], iv[12], hp[16]; };
struct quic_keys { struct quic_key side[2]; };  /* by direction of what is sent: client, server */

bool keys_setup(void);              /* before any other call; false: OpenSSL lacks AES-128 or SHA-256 */
/* From the destination's connection id of the client's first Initial packet. False: version unknown, OpenSSL failed. */
bool keys_initial(struct quic_keys *k, uint32_t version, const uint8_t *dcid, uint32_t n);
/* Decrypt packet p, which starts at d. out has p->len bytes. Returns the payload's length, −1: not with these keys. */
int32_t keys_open(const struct quic_key *k, const struct quic_packet *p, const uint8_t *d, uint8_t *out);

#endif
