/* visible.h: who may read events of which type. Where plugins declare pages of one type (EC_RT_EVENTS with a topic),
 * its events are for the roles of those pages, also where all types are mixed: /api/events, the stream, an event by its
 * id. A type that has no page of its own is for whoever may read the mixed ones. */
#ifndef HTTP_VISIBLE_H
#define HTTP_VISIBLE_H
#include <stdbool.h>

#include "plugins/http/route.h"

/* [any] after setup(). type: "alert"; roles: of who asks, "analyst,viewer". */
bool visible_type(const struct routes *all, const char *type, const char *roles);
/* The types that are not for these roles, "audit,secret", to be freed; *list NULL: there are none. false: no memory. */
bool visible_not(const struct routes *all, const char *roles, char **list);
/* Is the event, as the store gave it, of this type? type NULL: is its own visible to these roles? */
bool visible_event(const struct routes *all, const char *type, const char *roles, const char *json, uint32_t len);

#define VISIBLE_TYPE_MAX 64u        /* bytes of an event's type, with its NUL */
/* The type of a stored event. false: it has none. */
bool visible_type_of(const char *json, uint32_t len, char own[VISIBLE_TYPE_MAX]);

#endif
