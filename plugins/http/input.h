/* input.h: who asks, and what: everything that is settled before a handler runs. In the order of FastAPI's clients:
 * a body that is no JSON is 422 even without a token, then 401, 403, then 422 for everything else. */
#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H
#include "plugins/http/request.h"

struct evbuffer;
struct guard_body;
struct server;

/* [loop] true: go on. false: it was answered (and may be freed). */
bool input_read(struct ec_req *r, struct evbuffer *body);
/* [loop] May who asked still ask? For replies without an end: tokens end, users are disabled. */
bool input_still_allowed(struct ec_req *r);
/* [loop] A body is on its way: may it come, and where does it go? As guard_events.body. */
int input_body(struct server *s, struct guard_body *b, bool local);
void input_upload_close(struct server *s, int fd);      /* [loop] */
/* Does one of `have` (a list of words with commas) stand in `want`? "*": any who is known; "": everybody. */
bool roles_allow(const char *want, const char *have);
/* The fields as a JSON object for ec.json/1: a list where the record's row is one. */
void input_object(struct text *t, const struct ec_record *record, const struct decode *d);

#endif
