/* routes.h: alerts over HTTP: pages of them and single ones with their states, and changes of those. */
#ifndef IDS_ROUTES_H
#define IDS_ROUTES_H
#include "plugins/ids/host.h"

struct alerts;

/* [ctl] setup(). NULL where there is no HTTP server, or no memory; a route that is not taken is said and left out. */
struct alerts *routes_declare(const struct ec_host *h);
void routes_start(struct alerts *a);            /* [ctl] start(); a: NULL is taken */
void routes_free(struct alerts *a);

#endif
