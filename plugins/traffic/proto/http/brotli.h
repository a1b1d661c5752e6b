/* brotli.h: undo the coding "br" (RFC 7932) of a body, piece by piece and within bounds. */
#ifndef TRAFFIC_HTTP_BROTLI_H
#define TRAFFIC_HTTP_BROTLI_H

#include <stddef.h>
#include <stdint.h>

#define BROTLI_EACH (6u << 20)      /* bytes of memory for one body: a window of 4 MiB, as encoders have by default */
#define BROTLI_ALL (64u << 20)      /* and for all that are open, in all workers */
#define BROTLI_BOMB_BYTES (1u << 20)/* more than so much, and */
#define BROTLI_BOMB_RATIO 2048u     /* so many times what came, is a bomb; libhtp has the same for its codings */

struct brotli;
enum brotli_result { BROTLI_FINE, BROTLI_BROKEN /* or no memory for it */, BROTLI_BOMB };

/* NULL: no memory. */
struct brotli *brotli_open(void);
/* Give n more bytes; out() gets what they mean, in pieces. After the coded end, bytes are dropped. */
enum brotli_result brotli_feed(struct brotli *b, const uint8_t *d, size_t n,
                               void (*out)(void *arg, const uint8_t *p, size_t n), void *arg);
void brotli_close(struct brotli *b);                    /* NULL: nothing happens */

#endif
