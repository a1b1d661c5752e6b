/* alive.h: /api/network/connections: flows that are alive now. */
#ifndef TRAFFIC_ALIVE_H
#define TRAFFIC_ALIVE_H
#include "plugins/traffic/engine.h"

/* [ctl] setup(). Nothing where there is no HTTP server. */
void alive_declare(struct traffic *tr);

#endif
