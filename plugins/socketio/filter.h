/* filter.h: which events a client wants: conditions on an event's JSON, all of them joined by AND, the same ones that
 * ec.store/1 takes. Pure. */
#ifndef SOCKETIO_FILTER_H
#define SOCKETIO_FILTER_H
#include "plugins/socketio/sdk.h"

#include <stdbool.h>

#define FILTER_MAX 16u              /* conditions */
#define FILTER_VALUE_MAX 1024u      /* bytes of one condition's values */

struct json_object;
struct filter;

/* From an object such as {"src_ip": "10.0.0.0/8", "alert.severity.le": 2, "proto": ["TCP", "UDP"]}: the keys are
 * fields, with .ne .lt .le .gt .ge .has as the API's query strings have them. NULL, and *why, where it is not one. */
struct filter *filter_new(struct json_object *o, const char **why);
struct filter *filter_hold(struct filter *f);
void filter_drop(struct filter *f);                     /* NULL: nothing */
bool filter_match(const struct filter *f, struct json_object *event);
/* The same for a query; the strings are f's. Returns their number. */
uint32_t filter_store(const struct filter *f, struct ec_filter to[FILTER_MAX]);

#endif
