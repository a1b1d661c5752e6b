/* routes.h: flows and transactions over HTTP, by declaration alone: the server answers these routes from the store. */
#ifndef TRAFFIC_ROUTES_H
#define TRAFFIC_ROUTES_H
#include "plugins/traffic/sdk.h"

/* [ctl] setup(). Nothing where there is no HTTP server; a route that is not taken is said and left out. */
void routes_declare(const struct ec_host *h);

#endif
