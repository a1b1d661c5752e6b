/* orders.h: what other threads want done on the HTTP server's lane. */
#ifndef SOCKETIO_ORDERS_H
#define SOCKETIO_ORDERS_H
#include "plugins/socketio/server.h"

#define ORDERS_BYTES_MAX (64u << 20)

struct order {                      /* first member of what is to be done; from malloc(), freed after done() */
    struct order *next;
    size_t bytes;
    void (*done)(struct server *s, struct order *o);    /* s: NULL when the plugin ends: only let go of what it holds */
};

bool orders_start(struct server *s);                    /* [ctl] false: out of memory */
/* [any] false: too much waits already, and o is still the caller's. forced: what must not be lost. */
bool orders_post(struct server *s, struct order *o, bool forced);
void orders_stop(struct server *s);                     /* [ctl] the loop has ended */

#endif
