/* session.h: one client of Engine.IO 4: its transport, what waits for it, its pings
 * (https://socket.io/docs/v4/engine-io-protocol/). */
#ifndef SOCKETIO_SESSION_H
#define SOCKETIO_SESSION_H
#include "plugins/socketio/eio_packet.h"
#include "plugins/socketio/server.h"
#include "plugins/socketio/websocket.h"

#define SESSION_FREE 16384u         /* bytes of a message of whom nobody knows, as http has it for bodies */

struct ec_eio {
    struct server *s;
    struct engine *engine;
    struct ec_eio *chain, *next;    /* of the index; among the dead */
    char id[24], peer[48];
    char *bearer;                   /* NULL: none */
    struct ec_who who;              /* size 0: it did not come by the local socket */
    bool closed, polling, probed, awaits_pong, known;
    uint32_t busy;                  /* its message is being handled: the engine may still need `data` */
    struct ec_req *poll;            /* a GET that waits */
    struct websocket *main, *probe, *gone[2];   /* gone: to be freed with the session, or before the next one */
    struct frames out;
    struct event *timer, *probe_timer;
    void *data;                     /* the engine's */
};

/* A request without a session begins one; it is answered. websocket: it asks for one. */
void session_begin(struct engine *e, struct ec_req *r, bool websocket);
struct ec_eio *session_find(struct server *s, const struct engine *e, const char *id);
void session_poll(struct ec_eio *e, struct ec_req *r);              /* GET */
void session_post(struct ec_eio *e, struct ec_req *r);              /* POST */
void session_upgrade(struct ec_eio *e, struct ec_req *r);           /* GET that asks for a WebSocket */
/* false: it was closed for want of memory. What it costs is counted in session_waiting(). */
bool session_send(struct ec_eio *e, struct frame *f);
size_t session_waiting(const struct ec_eio *e);                     /* bytes that have not left */
/* Too much waits for anything that may be left out; for anything at all. */
bool session_full(const struct ec_eio *e, size_t more);
bool session_stuck(const struct ec_eio *e, size_t more);
/* It has shown who it is: from now on its messages may be large. */
void session_known(struct ec_eio *e);
/* say: tell it. The engine's closed() is called; the memory stays until the lane is idle. */
void session_close(struct ec_eio *e, bool say);
void sessions_reap(struct server *s);
void sessions_beat(struct server *s);                               /* once a second */
void sessions_stop(struct server *s);                               /* the loop has ended */

#endif
