/* conn.h: a connection to a database and its statements, whichever database it is. One thread at a time. */
#ifndef STORE_CONN_H
#define STORE_CONN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_fault {
    DB_OK,
    DB_TROUBLE,                     /* may pass: full, locked, read-only, not to be opened, away */
    DB_REFUSED,                     /* the server answers, and refuses us: password, database, user */
    DB_DAMAGED,                     /* no database, or a torn one */
    DB_NEWER,                       /* written by a newer eCyber than this */
    DB_ROW,                         /* this row cannot be stored, others can */
    DB_STOPPED,                     /* interrupted */
    DB_MEMORY
};

struct cell;
struct dialect;
struct conn;
struct stmt { struct conn *conn; };

/* Parameters are ?1, ?2 … in every dialect; columns count from 0. why (n bytes): a sentence where a call fails. */
struct conn_ops {
    const struct dialect *dialect;
    enum db_fault (*prepare)(struct conn *c, const char *sql, struct stmt **st, char *why, size_t n);
    /* What the cell points to stays with the caller, until the statement is reset. */
    void (*bind)(struct stmt *st, uint32_t at, const struct cell *v);
    enum db_fault (*step)(struct stmt *st, bool *row, char *why, size_t n);
    int64_t (*integer)(struct stmt *st, uint32_t column);
    /* A text or bytes, valid until the next step, without a NUL behind them; NULL: no value. */
    const void *(*bytes)(struct stmt *st, uint32_t column, size_t *n);
    int64_t (*changed)(struct stmt *st);            /* rows, by the statement that was stepped last */
    void (*reset)(struct stmt *st);                 /* the values stay bound */
    void (*finalize)(struct stmt *st);
    enum db_fault (*run)(struct conn *c, const char *sql, char *why, size_t n);     /* several statements, no values */
    void (*close)(struct conn *c);                  /* its statements were finalized */
};
struct conn {
    const struct conn_ops *ops;
    uint64_t deadline;              /* of a step, ns of CLOCK_MONOTONIC: DB_STOPPED then; 0: none */
    bool makeshift;                 /* the disk is full: to be opened anew when something could be written */
};

enum db_fault conn_prepare(struct conn *c, const char *sql, struct stmt **st, char *why, size_t n);
enum db_fault conn_run(struct conn *c, const char *sql, char *why, size_t n);
void conn_close(struct conn *c);    /* NULL is fine */
void stmt_bind(struct stmt *st, uint32_t at, const struct cell *v);
void stmt_bind_integer(struct stmt *st, uint32_t at, int64_t v);
void stmt_bind_text(struct stmt *st, uint32_t at, const char *s, size_t n);
enum db_fault stmt_step(struct stmt *st, bool *row, char *why, size_t n);
int64_t stmt_integer(struct stmt *st, uint32_t column);
const void *stmt_bytes(struct stmt *st, uint32_t column, size_t *n);
void stmt_reset(struct stmt *st);
void stmt_finalize(struct stmt *st);    /* NULL is fine */
/* The first column of the first row, with ?1 and ?2 bound to these; no row: *v stays. */
enum db_fault conn_number(struct conn *c, const char *sql, int64_t first, int64_t last, int64_t *v, char *why,
                          size_t n);

#endif
