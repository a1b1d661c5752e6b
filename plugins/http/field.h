/* field.h: what events can be filtered by: EVE's common keys, and every row of the tables. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H
#include "plugins/http/sdk.h"

#include <stdbool.h>

/* The common keys, as properties of a JSON Schema. */
extern const char field_common_schema[];

/* row NULL: a common key */
struct field { const char *name; const struct ec_row *row; uint16_t type; const char *help; };

/* Every field that events of this topic may have; NULL: those that all events have. name: valid within fn. */
void field_each(const struct ec_host *h, const struct ec_topic *topic, void (*fn)(void *arg, const struct field *f),
                void *arg);
/* The field of that name, whose own name is NULL; type 0: there is none. */
struct field field_find(const struct ec_host *h, const struct ec_topic *topic, const char *name);
/* Does an event of this topic (NULL: of any) have something of that name: a field, an object of fields, or a common key? */
bool field_names(const struct ec_host *h, const struct ec_topic *topic, const char *name);
/* The topic of events of this event_type; NULL: none. */
const struct ec_topic *field_topic(const struct ec_host *h, const char *event_type);

#endif
