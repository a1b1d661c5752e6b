/* ask.h: what a client of the daemon's namespace may ask for: subscribe, unsubscribe, and what the predecessor's
 * clients ask. */
#ifndef SOCKETIO_ASK_H
#define SOCKETIO_ASK_H
#include "plugins/socketio/sdk.h"

struct server;
struct viewer;

void ask_event(struct viewer *v, const struct ec_sio_event *e);
void ask_beat(struct server *s);        /* once a second: replays that were waiting for the store to catch up */
void ask_stop(struct server *s);

#endif
