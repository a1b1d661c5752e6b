/* frames.h: the frames of Initial packets (RFC 9000 §19), and the handshake message that CRYPTO frames carry. */
#ifndef TRAFFIC_QUIC_FRAMES_H
#define TRAFFIC_QUIC_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define CRYPTO_MAX 16384            /* bytes of a hello that is put together */
#define CRYPTO_PIECES 64            /* that may wait for others */

struct piece { uint32_t from, to; };
struct crypto {                     /* one direction */
    uint8_t *data;                  /* owned */
    uint32_t room, pieces;
    bool too_long;                  /* frames_read() failed because a piece went beyond CRYPTO_MAX */
    struct piece piece[CRYPTO_PIECES];  /* sorted, apart from each other */
};

/* Read the frames of one packet. False: malformed, not allowed there, or beyond the bounds. */
bool frames_read(struct crypto *c, const uint8_t *d, uint32_t n);
/* The first handshake message with its 4-byte header, once it is whole; NULL: not yet. */
const uint8_t *crypto_message(const struct crypto *c, uint32_t *n);
void crypto_drop(struct crypto *c);

#endif
