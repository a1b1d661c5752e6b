/* websocket.h: the server's side of RFC 6455 over a connection of ec.http/1; libwslay does the frames. */
#ifndef SOCKETIO_WEBSOCKET_H
#define SOCKETIO_WEBSOCKET_H
#include "plugins/socketio/sdk.h"

#include <stdbool.h>
#include <stddef.h>

struct websocket;
struct websocket_ops {
    void (*message)(void *arg, bool binary, const char *p, size_t n);
    void (*drained)(void *arg);
    void (*closed)(void *arg);      /* by the other side or an error; not after websocket_close() */
};

/* Does the request ask for a WebSocket of version 13? */
bool websocket_wanted(const struct ec_http *http, struct ec_req *r);
/* Answer it with 101. NULL: it could not be, and the request still wants a reply. max: bytes of a message. */
struct websocket *websocket_open(const struct ec_http *http, struct ec_req *r, size_t max,
                                 const struct websocket_ops *ops, void *arg);
void websocket_max(struct websocket *w, size_t max);     /* bytes of the messages to come */
bool websocket_send(struct websocket *w, bool binary, const char *p, size_t n);
size_t websocket_waiting(const struct websocket *w);
/* Say goodbye (RFC 6455 §7.4) and close it: no callback comes any more. It is freed by websocket_reap(), because it
 * may stand on the stack. */
void websocket_close(struct websocket *w, unsigned code);
void websocket_reap(struct websocket *w);

#endif
