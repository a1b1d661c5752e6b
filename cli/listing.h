/* listing.h: a list of JSON objects as a table: which columns there are, and from where in an object they come. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H
#include <stddef.h>

#include "cli/print.h"

/* head: of the column, as table_open() has it. path: dotted; "<" and ">": source and destination of an event with their
 * ports; a list comes out with commas between. Ends with a head NULL. */
struct listing {
    const char *head, *path;
};

void listing_print(const struct cli *c, const struct listing *columns, struct json_object *items);
/* One line of a table that goes on: for `tail`. first: print the heading before it. */
void listing_line(const struct cli *c, const struct listing *columns, struct json_object *item, bool first);

/* Stored events by the options of events_options, or other items by those of items_options, and FIELD=VALUE words:
 * the exit code. */
int events_list(const struct cli *c, const char *path, const struct listing *columns, char *const *args);
/* One object of the API as "path.of.keys<TAB>value", or JSON: the exit code. */
int object_show(const struct cli *c, const char *path);
/* What stands in "items", taken out of o; an empty list where there is none. To be put. */
struct json_object *items_of(struct json_object *o);

extern const struct listing alert_columns[];

#endif
