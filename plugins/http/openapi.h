/* openapi.h: the OpenAPI 3.1 document, from the routes' declarations and the records' tables. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H
#include <stdbool.h>
struct server;

bool openapi_build(struct server *s);       /* [ctl] into s->openapi and s->etag; false: out of memory */

#endif
