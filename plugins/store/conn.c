#include "plugins/store/conn.h"

#include "plugins/store/schema.h"

enum db_fault conn_prepare(struct conn *c, const char *sql, struct stmt **st, char *why, size_t n)
{
    *st = NULL;
    return c->ops->prepare(c, sql, st, why, n);
}

enum db_fault conn_run(struct conn *c, const char *sql, char *why, size_t n)
{
    return c->ops->run(c, sql, why, n);
}

void conn_close(struct conn *c)
{
    if (c)
        c->ops->close(c);
}

void stmt_bind(struct stmt *st, uint32_t at, const struct cell *v)
{
    st->conn->ops->bind(st, at, v);
}

void stmt_bind_integer(struct stmt *st, uint32_t at, int64_t v)
{
    stmt_bind(st, at, &(struct cell){ .kind = SCHEMA_INTEGER, .integer = v });
}

void stmt_bind_text(struct stmt *st, uint32_t at, const char *s, size_t n)
{
    stmt_bind(st, at, &(struct cell){ .kind = SCHEMA_TEXT, .bytes = s, .len = (uint32_t)n });
}

enum db_fault stmt_step(struct stmt *st, bool *row, char *why, size_t n)
{
    *row = false;
    return st->conn->ops->step(st, row, why, n);
}

int64_t stmt_integer(struct stmt *st, uint32_t column)
{
    return st->conn->ops->integer(st, column);
}

const void *stmt_bytes(struct stmt *st, uint32_t column, size_t *n)
{
    return st->conn->ops->bytes(st, column, n);
}

void stmt_reset(struct stmt *st)
{
    st->conn->ops->reset(st);
}

void stmt_finalize(struct stmt *st)
{
    if (st)
        st->conn->ops->finalize(st);
}

enum db_fault conn_number(struct conn *c, const char *sql, int64_t first, int64_t last, int64_t *v, char *why,
                          size_t n)
{
    struct stmt *st;
    enum db_fault fault = conn_prepare(c, sql, &st, why, n);
    bool row;

    if (fault)
        return fault;
    stmt_bind_integer(st, 1, first);
    stmt_bind_integer(st, 2, last);
    fault = stmt_step(st, &row, why, n);
    if (!fault && row)
        *v = stmt_integer(st, 0);
    stmt_finalize(st);
    return fault;
}
