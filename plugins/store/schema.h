/* schema.h: the tables of a segment, from the topics' records, and what stands in their columns. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H
#include "plugins/store/field.h"
#include "plugins/store/text.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#define SCHEMA_COLUMNS 500          /* of one table; more stand in the JSON only */

struct column {
    char *name;                     /* as in the database; unique in its table without regard to case */
    uint16_t type;                  /* EC_T_* */
    bool indexed, fts;
};
struct table {                      /* of one root; its rows are keyed by the event's row × 256 + the part's number */
    char *root, *name;              /* "dns", "t_dns" */
    struct column *column;
    uint32_t n_column;
};
struct source {                     /* where a column's value stands in a part */
    uint16_t type;
    uint32_t column, off, n_has;
    struct has has[FIELD_CONDITIONS];
    const char *allow;              /* ENUM's words, NAME's space */
};
struct topic_map {                  /* one topic */
    bool known;
    uint32_t table, bytes, n_source;/* bytes: of the author's struct */
    const char *type;               /* event_type */
    struct source *source;
};
struct schema {
    const struct ec_host *host;
    struct table *table;
    struct topic_map *topic;        /* by id, 1 … n_topic */
    uint32_t n_table, n_topic;
    struct fields fields;
};

/* Every topic that h knows. NULL: out of memory. */
struct schema *schema_new(const struct ec_host *h);
void schema_free(struct schema *s);

enum { SCHEMA_NULL, SCHEMA_INTEGER, SCHEMA_REAL, SCHEMA_TEXT, SCHEMA_BLOB };
struct cell { int kind; int64_t integer; double real; const void *bytes; uint32_t len; };
/* The value of a source in its part. Text is made in `room`, or points into the part. */
void schema_cell(const struct schema *s, const struct source *from, const struct ec_part *p, struct text *room,
                 struct cell *to);
/* The parts of an event that lie within it, at most `most`. */
uint32_t schema_parts(const struct ec_event *ev, const struct ec_part **part, uint32_t most);
/* The map of a part that is as long as its author's struct; NULL: none. */
const struct topic_map *schema_topic(const struct schema *s, const struct ec_part *p);

#endif
