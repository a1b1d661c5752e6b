/* own.h: the server's own routes: health, metrics, the daemon's account of itself, events of any type, the document. */
#ifndef HTTP_OWN_H
#define HTTP_OWN_H
#include "plugins/http/server.h"

int32_t own_routes(struct server *s, char *why, uint32_t n);        /* [ctl] setup(); EC_OK, or EC_E* and a sentence */

#endif
