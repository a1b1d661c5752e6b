/* sio_packet.h: packets of Socket.IO 5 (https://socket.io/docs/v4/socket-io-protocol/). Pure. */
#ifndef SOCKETIO_SIO_PACKET_H
#define SOCKETIO_SIO_PACKET_H
#include "lib/text.h"

#include <stdint.h>

#define SIO_BLOBS_MAX 16u           /* attachments of one packet */
#define SIO_DEPTH 32                /* of the JSON */
#define SIO_NAME_MAX 128u           /* bytes of a namespace, and of an event's name */

enum sio_type { SIO_CONNECT, SIO_DISCONNECT, SIO_EVENT, SIO_ACK, SIO_CONNECT_ERROR, SIO_BINARY_EVENT, SIO_BINARY_ACK };
struct sio_packet {
    enum sio_type type;
    uint32_t blobs;                 /* attachments that follow */
    bool has_id;
    uint64_t id;
    char space[SIO_NAME_MAX + 1];   /* "/" where none stands */
    char name[SIO_NAME_MAX + 1];    /* of an event */
    struct text args;               /* JSON: of CONNECT an object ("{}"), else an array, of an event without its name;
                                     * a NUL follows */
};

/* Read a text packet of n bytes, as a client may send it. 0, or -1 with *why; the packet is to be freed either way. */
int sio_read(struct sio_packet *k, const char *p, size_t n, const char **why);
void sio_free(struct sio_packet *k);
/* Append a packet without its data: `452-/custom,12`. */
void sio_head(struct text *t, enum sio_type type, const char *space, uint32_t blobs, bool has_id, uint64_t id);
/* Is this a JSON array of n bytes, nothing after it? Its placeholders are not checked. */
bool sio_is_array(const char *json, size_t n);

#endif
