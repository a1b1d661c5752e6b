/* config.h: the configuration over HTTP: what holds, what may be written, changes and reloads. The daemon does the work
 * (ec.daemon/1, core/changes.h); here its answers become replies. */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H
#include "plugins/http/server.h"

int32_t config_routes(struct server *s, char *why, uint32_t n);     /* [ctl] setup(); EC_OK, or EC_E* and a sentence */

#endif
