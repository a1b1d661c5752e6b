/* change.h: what routes have that change something: versions of what is edited (RFC 9110 §13.1), the audit log. */
#ifndef HTTP_CHANGE_H
#define HTTP_CHANGE_H
#include "plugins/http/request.h"

#define VERSION_ETAG 32u

const char *version_etag(uint64_t version, char to[VERSION_ETAG]);      /* "v7" with its quotes */
/* Does an If-Match header allow a change of what has this ETag? A weak one never does. NULL: no header. */
bool if_match(const char *header, const char *etag);
/* [loop] r is about to be answered: where it enforced something and its plugin wrote nothing, an entry of our own. */
void audit_reply(struct ec_req *r);

#endif
