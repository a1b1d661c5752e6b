/* print.h: replies for people (tables), for pipes (TSV) and for programs (JSON). */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H
#include <stdint.h>

#include "cli/cli.h"

#define TABLE_COLUMNS 12

struct table {
    uint32_t columns, rows, room;
    const char *head[TABLE_COLUMNS];
    bool right[TABLE_COLUMNS];      /* numbers stand to the right */
    char **cell;                    /* rows × columns, owned */
};

/* head: NULL-terminated; a leading '#' makes a column of numbers. */
void table_open(struct table *t, const char *const *head);
/* cells: columns of them, NULL: empty. What drives a terminal comes out escaped (safe.h). Copied. */
void table_row(struct table *t, const char *const *cell);
/* A table, as wide as the terminal at most, or TSV; and frees it. */
void table_print(struct table *t, const struct cli *c);
/* The last row alone, without padding what is not known yet: for lists that go on; and frees it. */
void table_line(struct table *t, const struct cli *c, bool first);

/* JSON and JSON lines: prints o and returns 1. Otherwise 0: the command prints for people. */
int print_json(const struct cli *c, struct json_object *o);
/* TSV of anything: "path.of.keys<TAB>value", a line each. */
void print_flat(struct json_object *o);
void print_heading(const struct cli *c, const char *text);
int print_end(void);                /* CLI_OK, or CLI_FAILED where writing failed */

/* Reading replies: "" and 0 where there is none. The text lives as long as o. */
const char *get_text(struct json_object *o, const char *key);
uint64_t get_number(struct json_object *o, const char *key);
struct json_object *get(struct json_object *o, const char *key);
/* By a dotted path: "alert.signature_id". */
struct json_object *get_path(struct json_object *o, const char *path);
const char *get_path_text(struct json_object *o, const char *path);

#endif
