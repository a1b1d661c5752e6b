/* socket.h: Socket.IO 5 over an Engine.IO session: namespaces, acknowledgements, attachments, rooms. */
#ifndef SOCKETIO_SOCKET_H
#define SOCKETIO_SOCKET_H
#include "plugins/socketio/server.h"
#include "plugins/socketio/session.h"
#include "plugins/socketio/sio_packet.h"

struct client;
struct ec_sio {                     /* a client in a namespace */
    struct ec_sio *next, *grave;    /* of the namespace; of those to be freed */
    struct client *client;          /* NULL: it leaves */
    struct space *space;
    char id[24];
    char (*room)[64];
    uint32_t rooms;
    bool entered;                   /* its namespace has let it in */
    void *data;                     /* the namespace's */
};

extern const struct ec_eio_engine socket_engine;    /* self: the server */
int32_t space_add(struct server *s, const struct ec_host *h, const struct ec_sio_space *x, void *self);
struct space *space_find(struct server *s, const char *name);
bool socket_in(const struct ec_sio *x, const char *room);
struct ec_eio *socket_session(const struct ec_sio *x);              /* NULL: it leaves */
/* A frame of `42…["name",args…]`, for many; args: an array of n bytes. NULL: no memory. */
struct frame *socket_frame(const char *space, const char *name, const char *args, size_t n);
/* Each member; what is done may make it leave. */
void space_each(struct space *sp, const char *room, void (*fn)(void *arg, struct ec_sio *x), void *arg);
void socket_beat(struct server *s);     /* once a second: who has not joined any namespace in time */

/* The functions of ec.socketio/1. */
int32_t socket_emit(struct ec_sio *x, const char *name, const char *args, uint32_t n, const struct ec_blob *blob,
                    uint32_t n_blob, uint32_t flags);
int32_t socket_ack(struct ec_sio *x, uint64_t id, const char *args, uint32_t n, const struct ec_blob *blob,
                   uint32_t n_blob);
void socket_disconnect(struct ec_sio *x);
int32_t socket_join(struct ec_sio *x, const char *room);
int32_t socket_leave(struct ec_sio *x, const char *room);

#endif
