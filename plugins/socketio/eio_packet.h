/* eio_packet.h: packets of Engine.IO 4 and the payloads of its polling transport
 * (https://socket.io/docs/v4/engine-io-protocol/). Pure. */
#ifndef SOCKETIO_EIO_PACKET_H
#define SOCKETIO_EIO_PACKET_H
#include "lib/text.h"

#define EIO_SEPARATOR '\x1e'
#define EIO_PACKETS_MAX 16u         /* in one polling reply: python's clients disconnect above that */

enum eio_type { EIO_OPEN, EIO_CLOSE, EIO_PING, EIO_PONG, EIO_MESSAGE, EIO_UPGRADE, EIO_NOOP };
struct eio_packet { enum eio_type type; bool binary; const char *p; size_t n; };    /* p: without the type's digit */

/* A text frame of a WebSocket, or one text packet of a payload. 0, or -1: it has no type, or is not UTF-8. */
int eio_text(struct eio_packet *k, const char *p, size_t n);
/* The next packet of a payload from *p on, which moves behind it. Binary ones are decoded into room, which they own
 * until the next call. 1: there was one, 0: the end, -1: malformed. */
int eio_next(struct eio_packet *k, const char **p, const char *end, struct text *room);
/* Append base64 (RFC 4648 §4), and decode it (padding may be missing): 0, or -1. */
void eio_base64(struct text *t, const void *p, size_t n);
int eio_unbase64(struct text *t, const char *p, size_t n);

struct eio_query {                  /* what stands in the query string */
    int eio;                        /* 0: none, or no number */
    enum { EIO_NO_TRANSPORT, EIO_POLLING, EIO_WEBSOCKET } transport;
    bool has_sid;
    char sid[32];                   /* "": longer than any of ours */
};
void eio_query(struct eio_query *q, const char *query);

#endif
