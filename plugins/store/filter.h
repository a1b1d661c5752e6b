/* filter.h: conditions as SQL with bound values, in the dialect of a database. Names of columns and paths come from the
 * declared tables only. */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H
#include "plugins/store/conn.h"
#include "plugins/store/schema.h"
#include "plugins/store/text.h"

#include <ecyber/ext/store.h>

#define FILTER_TERMS  64            /* conditions of one query */
#define FILTER_VALUES 64            /* of one condition, separated by commas */

struct value { int kind; bool range; int64_t integer; double real; char *text; uint8_t first[16], last[16]; };
struct term {
    const struct field *field;
    char *key;                      /* of a map: its JSON path, bound; NULL: no map */
    uint32_t op, n_value;           /* EC_F_* */
    struct value *value;
};
struct filter {
    struct term *term;
    uint32_t n_term;
    char *type;                     /* event_type, NULL: any */
    char *words, *lexemes;          /* as FTS5's expression, and as a tsquery; NULL: any */
    int64_t since, until;           /* ns; until INT64_MAX: no bound */
    uint64_t hash;                  /* of all of the query but its limit and cursor */
};

/* What a database says in words of its own. */
struct dialect {
    /* The value at a path of `source` (an expression with JSON), as its field's type is compared. */
    void (*value)(struct text *to, const struct field *f, const char *source, const char *path);
    void (*indexed)(struct text *to, const struct field *f);    /* the same of a document, for an index */
    const char *json, *document;    /* expressions with the JSON: of an event, of a document */
    const char *join;               /* " JOIN " where ON follows */
    const char *json_on;            /* how an event's JSON is joined */
    const char *each, *member;      /* "json_each(" SOURCE, PATH: rows; the text of one, named a */
    const char *id;                 /* type of a column that numbers its rows */
    const char *words[2];           /* the condition that words stand in it, around its parameter */
    bool lexemes;                   /* filter.lexemes is that, else filter.words */
    bool fold;                      /* names of protocols are folded by lower(), not by the column */
    bool by_key;                    /* parts are found by their keys, whether they have an index or not */
};

/* A statement in the making. Parameters ?1 and ?2 are the first and last row that it looks at. */
struct sql {
    struct text text;
    struct { const struct value *value; const char *text; int64_t integer; bool last; } bind[FILTER_TERMS * 8 + 16];
    uint32_t n_bind;
    bool full;                      /* too many values */
};

/* How a statement reaches what a filter names: in a segment (columns that its file has), or in a table of documents. */
struct reach {
    const struct schema *schema;    /* NULL: documents, everything stands in the JSON */
    const uint8_t *const *has;      /* by table and column: bit 1: it is there, bit 2: it has an index */
    bool words;                     /* there is full text */
    const struct dialect *dialect;
};

/* f: n_f conditions, `stride` apart. 0, or EC_EINVAL (EC_ENOMEM) and why (n bytes). */
int32_t filter_terms(struct filter *to, const struct fields *fields, const struct ec_filter *f, uint32_t n_f,
                     uint32_t stride, char *why, size_t n);
int32_t filter_query(struct filter *to, const struct fields *fields, const struct ec_query *q, char *why, size_t n);
void filter_free(struct filter *f);

/* Appends " AND …" for each condition. */
void filter_sql(const struct filter *f, const struct reach *r, struct sql *to);
/* The value of a field as an expression, and what it has to be joined with, for counting. side: of EITHER, 0 or 1. */
void filter_expression(const struct field *f, const char *key, const struct reach *r, int side, struct sql *to,
                       struct text *join);
void sql_bind(const struct sql *s, struct stmt *st);    /* it stays as long as st is used */
void sql_free(struct sql *s);
/* The JSON path of a map's key, NULL: none can be, or out of memory. */
char *filter_key_path(const struct field *f, const char *key);

#endif
