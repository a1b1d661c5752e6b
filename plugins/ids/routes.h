/* routes.h: alerts over HTTP, by declaration alone: the server answers these routes from the store. */
#ifndef IDS_ROUTES_H
#define IDS_ROUTES_H
#include "plugins/ids/host.h"

/* [ctl] setup(). Nothing where there is no HTTP server; a route that is not taken is said and left out. */
void routes_declare(const struct ec_host *h);

#endif
