/* events.h: routes that are answered from the store: a page of events, one event, the most frequent values of
 * a field. */
#ifndef HTTP_EVENTS_H
#define HTTP_EVENTS_H
#include "plugins/http/request.h"

void events_answer(struct ec_req *r);
/* [loop] What a page's query string asks for, into r->search, for a route that answers by itself. false: it was
 * answered. */
bool events_read(struct ec_req *r);           /* [loop] goes on on the pool */

#endif
