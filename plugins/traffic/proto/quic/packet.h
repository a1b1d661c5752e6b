/* packet.h: the headers of QUIC packets (RFC 9000 §17, RFC 8999). Reads only inside the datagram. */
#ifndef TRAFFIC_QUIC_PACKET_H
#define TRAFFIC_QUIC_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define QUIC_ID_MAX 20              /* bytes of a connection's id in the versions that are known */
#define QUIC_V1 1u
#define QUIC_V2 0x6b3343cfu         /* RFC 9369 */

enum quic_type { QUIC_SHORT, QUIC_NEGOTIATION, QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY };

struct quic_packet {
    enum quic_type type;
    uint32_t version;
    uint32_t dcid, n_dcid;          /* destination's connection id: offset in the packet, length */
    uint32_t number;                /* offset of the packet number, where header protection begins */
    uint32_t len;                   /* of the packet, header included: the next one follows */
};

/* Is this a version whose Initial packets we can read? */
bool quic_version_known(uint32_t version);
/* The version of a packet that is not read here, but is told by its version: those of Google before the IETF's (Q0xx), of
 * Facebook's mvfst. 0: none of these. */
uint32_t quic_foreign_version(const uint8_t *d, uint32_t n);
/* "1", "Q043", or the number in hexadecimal in scratch (16 bytes): draft 29 is "ff00001d", as EVE has it. */
const char *quic_version_name(uint32_t version, char *scratch);
/* The packet at d; n: what is left of the datagram. False: malformed, or of an unknown version. */
bool quic_packet_read(struct quic_packet *p, const uint8_t *d, uint32_t n);
/* A number of variable length (RFC 9000 §16) at *at, which moves behind it. False: it does not fit. */
bool quic_number(const uint8_t *d, uint32_t n, uint32_t *at, uint64_t *out);

#endif
