/* schema.h: records as JSON Schema (the dialect of OpenAPI 3.1). */
#ifndef HTTP_SCHEMA_H
#define HTTP_SCHEMA_H
#include "plugins/http/sdk.h"
#include "lib/text.h"

enum {
    SCHEMA_REQUIRED = 1,            /* what has neither a default nor EC_R_OPT is required */
    SCHEMA_INPUT = 2                /* of a document that comes in: no other keys */
};

/* An object schema of a record's rows; dots in names open objects. */
void schema_record(struct text *t, const struct ec_record *r, unsigned flags);
/* The schema of one value of the row; in a list, of its elements as well. */
void schema_row(struct text *t, const struct ec_row *row, unsigned flags);
/* Is the row's value to be given? */
bool schema_required(const struct ec_row *row);
/* "name":{…} of every topic in the list, where a root "a.b" opens an object "a". */
void schema_topics(struct text *t, const struct ec_topic *const *topic, uint32_t n);

#endif
