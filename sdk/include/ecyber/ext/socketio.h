/* socketio.h: ec.socketio/1, namespaces of Socket.IO 5 and protocols over Engine.IO 4. STATUS: draft 2.
 * One plugin implements it, over ec.http/1; any plugin adds namespaces of its own. All on [sub] of the HTTP server's lane,
 * except where [any] stands; nothing blocks. */
#ifndef EC_EXT_SOCKETIO_H
#define EC_EXT_SOCKETIO_H
#include "../plugin.h"
#include "auth.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_SOCKETIO_ID "ec.socketio/1-draft.2"

struct ec_sio;                      /* one client in one namespace; valid from connect() until left() returns */
struct ec_eio;                      /* one client of Engine.IO; from open() until closed() returns */
struct ec_blob { uint32_t size, len; const void *p; };          /* one binary attachment */

enum { EC_SIO_ACK = 1 /* the client waits for ack() */ };
struct ec_sio_event {
    uint32_t size, flags;           /* EC_SIO_* */
    const char *name, *args;        /* args: a JSON array of what follows the name, with its placeholders;
                                     * a NUL follows */
    uint32_t args_len, n_blob, blob_stride, reserved;
    const struct ec_blob *blob;
    uint64_t ack;
};

struct ec_sio_space {               /* static */
    uint32_t size, reserved;
    const char *name;               /* "/custom" */
    /* May it come in? auth: the JSON object of CONNECT ("{}" where there is none). Not EC_OK: refused, and why (cap bytes)
     * is the message of CONNECT_ERROR. who()/bearer() have what the connection itself shows. NULL: everybody. */
    int32_t (*connect)(void *self, struct ec_sio *s, const char *auth, uint32_t n, char *why, uint32_t cap);
    void (*joined)(void *self, struct ec_sio *s, const char *auth, uint32_t n);    /* it has been told. May be NULL */
    void (*event)(void *self, struct ec_sio *s, const struct ec_sio_event *e);
    void (*left)(void *self, struct ec_sio *s);                                     /* May be NULL */
};

struct ec_eio_engine {              /* static */
    uint32_t size, reserved;
    const char *path;               /* "/engine.io/" */
    int32_t (*open)(void *self, struct ec_eio *e);      /* not EC_OK: closed at once, without closed() */
    void (*message)(void *self, struct ec_eio *e, uint32_t binary, const void *p, uint32_t n);
    void (*closed)(void *self, struct ec_eio *e);
};

enum { EC_SIO_MAY_DROP = 1 /* not where the client reads too slowly: EC_EAGAIN, and nothing was sent */ };

struct ec_socketio {
    uint32_t size, reserved;
    /* [ctl] setup(). x: [keep]. EC_EEXIST: the name or path is taken. */
    int32_t (*space)(void *self, const struct ec_host *h, const struct ec_sio_space *x, void *space_self);
    int32_t (*engine)(void *self, const struct ec_host *h, const struct ec_eio_engine *x, void *engine_self);

    /* args: a JSON array, n bytes. flags: EC_SIO_MAY_DROP. EC_EINVAL: no array; EC_ENOENT: it is leaving. */
    int32_t (*emit)(struct ec_sio *s, const char *name, const char *args, uint32_t n, const struct ec_blob *blob,
                    uint32_t n_blob, uint32_t flags);
    int32_t (*ack)(struct ec_sio *s, uint64_t id, const char *args, uint32_t n, const struct ec_blob *blob,
                   uint32_t n_blob);
    void (*disconnect)(struct ec_sio *s);               /* left() is called before it returns */
    const char *(*id)(const struct ec_sio *s);          /* the socket's sid */
    const char *(*peer)(const struct ec_sio *s);        /* address, or "local" */
    const struct ec_who *(*who)(const struct ec_sio *s);        /* by the local socket; NULL: see bearer() */
    const char *(*bearer)(const struct ec_sio *s);      /* token of the Authorization header, NULL: none. Not checked */
    void (*set)(struct ec_sio *s, void *data);          /* what the namespace keeps of this client */
    void *(*get)(const struct ec_sio *s);
    /* Rooms: names of at most 63 bytes, at most 64 of a client (EC_ELIMIT). */
    int32_t (*join)(struct ec_sio *s, const char *room);
    int32_t (*leave)(struct ec_sio *s, const char *room);
    /* [any] To everybody in the room (NULL: in the namespace), from a bounded queue. EC_EAGAIN: it was full. space NULL:
     * the daemon's own namespace, where who follows events of a type is in the room of that name. */
    int32_t (*to)(void *self, const char *space, const char *room, const char *name, const char *args, uint32_t n);

    int32_t (*send)(struct ec_eio *e, uint32_t binary, const void *p, uint32_t n);     /* EC_EAGAIN: too much waits */
    void (*close)(struct ec_eio *e);                    /* closed() is called before it returns */
    void (*eio_set)(struct ec_eio *e, void *data);
    void *(*eio_get)(const struct ec_eio *e);
};

#ifdef __cplusplus
}
#endif
#endif
