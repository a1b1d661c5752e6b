/* engine.h: requests of Engine.IO: which session and transport they are for, who may send them, and what is wrong. */
#ifndef SOCKETIO_ENGINE_H
#define SOCKETIO_ENGINE_H
#include "plugins/socketio/server.h"

/* [ctl] setup(): serve a path. EC_OK, EC_EEXIST, EC_ELIMIT or what ec.http/1 says. */
int32_t engine_add(struct server *s, const struct ec_host *h, const struct ec_eio_engine *x, void *self);

#endif
