/* reply.h: what goes out. A handler may answer on any thread; the answer crosses to the loop by a list. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H
#include "plugins/http/request.h"

struct asset;

void reply_on_loop(void);                       /* [loop] this thread is the loop's: answers need not cross */
bool reply_is_on_loop(void);
void reply_asset(struct ec_req *r, const struct asset *a);      /* [loop] counts as the one reply */
/* [loop] Answer in the handler's place; r stays until the handler has answered too. */
void reply_instead(struct ec_req *r, uint32_t status, const char *detail);
void request_free(struct ec_req *r);

#endif
