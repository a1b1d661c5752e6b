#include "plugins/store/lite.h"

#include "plugins/store/db.h"
#include "plugins/store/filter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRESS_STEPS 1000 /* of SQLite's machine between two looks at the clock */

struct lite {
    struct conn conn;
    sqlite3 *db;
};
struct lite_stmt {
    struct stmt stmt;
    sqlite3_stmt *st;
};

static sqlite3_stmt *of(struct stmt *st)
{
    return ((struct lite_stmt *)st)->st;
}

sqlite3 *lite_db(struct conn *c)
{
    return ((struct lite *)c)->db;
}

static enum db_fault lite_prepare(struct conn *c, const char *sql, struct stmt **st, char *why, size_t n)
{
    struct lite_stmt *x = calloc(1, sizeof *x);
    enum db_fault fault;

    if (!x)
        return DB_MEMORY;
    x->stmt.conn = c;
    fault = db_prepare(lite_db(c), sql, &x->st, why, n);
    if (fault)
        free(x);
    else
        *st = &x->stmt;
    return fault;
}

static void lite_bind(struct stmt *st, uint32_t at, const struct cell *v)
{
    switch (v->kind) {
    case SCHEMA_INTEGER:
        sqlite3_bind_int64(of(st), (int)at, v->integer);
        break;
    case SCHEMA_REAL:
        sqlite3_bind_double(of(st), (int)at, v->real);
        break;
    case SCHEMA_TEXT:
        sqlite3_bind_text(of(st), (int)at, v->bytes, (int)v->len, SQLITE_STATIC);
        break;
    case SCHEMA_BLOB:
        sqlite3_bind_blob(of(st), (int)at, v->bytes, (int)v->len, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(of(st), (int)at);
    }
}

static enum db_fault lite_step(struct stmt *st, bool *row, char *why, size_t n)
{
    int rc = sqlite3_step(of(st));

    *row = rc == SQLITE_ROW;
    return db_say(lite_db(st->conn), rc, why, n);
}

static int64_t lite_integer(struct stmt *st, uint32_t column)
{
    return sqlite3_column_int64(of(st), (int)column);
}

/* A text is taken as SQLite has it in its page: sqlite3_column_text() would copy it to put a NUL behind it. */
static const void *lite_bytes(struct stmt *st, uint32_t column, size_t *n)
{
    int type = sqlite3_column_type(of(st), (int)column);
    const void *s = type == SQLITE_BLOB || type == SQLITE_TEXT ? sqlite3_column_blob(of(st), (int)column)
                                                               : sqlite3_column_text(of(st), (int)column);

    *n = (size_t)sqlite3_column_bytes(of(st), (int)column);
    return type == SQLITE_NULL ? NULL : s ? s : "";
}

static int64_t lite_changed(struct stmt *st)
{
    return sqlite3_changes64(lite_db(st->conn));
}

static void lite_reset(struct stmt *st)
{
    sqlite3_reset(of(st));
}

static void lite_finalize(struct stmt *st)
{
    sqlite3_finalize(of(st));
    free(st);
}

static enum db_fault lite_run(struct conn *c, const char *sql, char *why, size_t n)
{
    return db_run(lite_db(c), sql, why, n);
}

static void lite_close(struct conn *c)
{
    sqlite3_close(lite_db(c));
    free(c);
}

static int late(void *arg)
{
    const struct conn *c = arg;
    struct timespec t;

    if (!c->deadline)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec > c->deadline;
}

static const struct conn_ops ops = {.dialect = &lite_dialect,
                                    .prepare = lite_prepare,
                                    .bind = lite_bind,
                                    .step = lite_step,
                                    .integer = lite_integer,
                                    .bytes = lite_bytes,
                                    .changed = lite_changed,
                                    .reset = lite_reset,
                                    .finalize = lite_finalize,
                                    .run = lite_run,
                                    .close = lite_close};

struct conn *lite_conn(sqlite3 *db)
{
    struct lite *x = calloc(1, sizeof *x);

    if (!x) {
        sqlite3_close(db);
        return NULL;
    }
    x->conn.ops = &ops;
    x->db = db;
    sqlite3_progress_handler(db, PROGRESS_STEPS, late, x);
    return &x->conn;
}

/* A value of the JSON in the form that is compared: `source` is an expression with the JSON, "$" of an array's element
 * is its value. */
static void value(struct text *to, const struct field *f, const char *source, const char *path)
{
    const char *convert = f->type == EC_T_IP ? "ec_ip(" : f->type == EC_T_TIME ? "ec_time(" : "";

    text_put(to, convert);
    if (strcmp(path, "$")) {
        text_printf(to, "json_extract(%s,", source);
        text_sql_string(to, path);
        text_put(to, ")");
    } else {
        text_put(to, source);
    }
    text_put(to, *convert ? ")" : "");
}

/* Functions of our own may not stand in an index, so what is converted has none that helps. */
static void indexed(struct text *to, const struct field *f)
{
    struct field plain = {.type = EC_T_TEXT};

    value(to, &plain, "json", f->hop[0]);
}

const struct dialect lite_dialect = {
    .value = value,
    .indexed = indexed,
    .json = "j.text",
    .document = "json",
    .join = " CROSS JOIN ", /* the tables are gone through as they stand */
    .json_on = "json j ON j.row=e.row",
    .each = "json_each(",
    .member = "a.value",
    .id = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .words = {" AND e.row IN(SELECT rowid FROM words WHERE words MATCH ", " AND rowid BETWEEN ?1 AND ?2)"},
};
