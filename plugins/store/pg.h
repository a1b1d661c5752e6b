/* pg.h: PostgreSQL as a struct conn, by libpq. */
#ifndef STORE_PG_H
#define STORE_PG_H
#include "plugins/store/conn.h"
#include "plugins/store/text.h"

#include <libpq-fe.h>

extern const struct dialect pg_dialect;

/* Connects, to a database with UTF-8 only, and runs `sql` (NULL: nothing). NULL: *fault and why (n bytes), without the
 * password. */
PGconn *pg_connect(const char *url, const char *sql, enum db_fault *fault, char *why, size_t n);
/* The meaning of a result, described in why; it is freed. */
enum db_fault pg_said(PGconn *c, PGresult *r, char *why, size_t n);
enum db_fault pg_run(PGconn *c, const char *sql, char *why, size_t n);
/* The first column of the first row; no row: *v stays. */
enum db_fault pg_number(PGconn *c, const char *sql, int64_t *v, char *why, size_t n);

/* A connection that comes back by itself: where it was lost, the next step connects anew. `sql` stays the caller's. */
struct conn *pg_conn(const char *url, const char *sql, enum db_fault *fault, char *why, size_t n);

#endif
