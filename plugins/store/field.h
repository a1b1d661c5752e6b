/* field.h: the names that filters know, from the tables of the records. */
#ifndef STORE_FIELD_H
#define STORE_FIELD_H
#include <stdbool.h>
#include <stdint.h>

struct ec_record;
struct ec_row;

enum field_place {
    FIELD_HEAD,                     /* a column of the table "event" */
    FIELD_EITHER,                   /* "ip", "port": either side of the head */
    FIELD_COLUMN,                   /* a column of a table of its record's root */
    FIELD_JSON                      /* only in the JSON text */
};
#define FIELD_HOPS 4

struct field {
    char *path;                     /* "dns.rrname" */
    uint16_t type;                  /* EC_T_* */
    uint8_t place, n_hop;
    uint32_t table, column;         /* COLUMN: indices in the schema */
    const char *sql[2];             /* HEAD: its column; EITHER: both */
    /* Where it stands in the JSON: hop[0] from the top. Each hop but the last leads to an array, and the next one
     * starts at its elements. SQLite's path syntax. */
    char *hop[FIELD_HOPS];
};
struct fields { struct field *field; uint32_t n, cap; };

/* One condition on a part: this bit of the word at off is set. */
struct has { uint32_t off, bit; };
#define FIELD_CONDITIONS 4
/* A row that was found while walking a record: where its value stands in the part. */
struct found {
    const struct ec_row *row;
    const char *path;               /* without the prefix */
    uint32_t off, n_has;
    struct has has[FIELD_CONDITIONS];
    struct field *field;            /* to be moved to a column */
};
/* Called for each single value of the record itself, not of its lists. False: give up. */
typedef bool fields_found_fn(void *arg, struct found *f);

enum { FIELDS_SECRET = 1 /* also rows that are masked in events */ };
/* Adds the rows of r, with "prefix." before their names. False: out of memory. */
bool fields_add_record(struct fields *s, const struct ec_record *r, const char *prefix, uint32_t flags,
                       fields_found_fn *fn, void *arg);
/* The head's keys, and "ip", "port". */
bool fields_add_head(struct fields *s);
void fields_free(struct fields *s);

/* The field of this name; of a map also "map.key": *key is then its key, else NULL. NULL: there is none. */
const struct field *field_find(const struct fields *s, const char *path, const char **key);
/* The name that looks most like it, NULL: nothing does. */
const char *field_nearest(const struct fields *s, const char *path);

#endif
