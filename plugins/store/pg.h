/* pg.h: PostgreSQL as a struct conn, by libpq. */
#ifndef STORE_PG_H
#define STORE_PG_H
#include "plugins/store/conn.h"
#include "plugins/store/text.h"

#include <libpq-fe.h>

extern const struct dialect pg_dialect;

#define PG_ANSWER_MS 10000          /* how long an answer is waited for: of what writes and makes tables */
#define PG_BRIEF_MS  3000           /* of a question, beyond its own deadline */
#define PG_INDEX_MS  600000         /* of an index */

/* Connects, to a database with UTF-8 only, and runs `sql` (NULL: nothing); 3 s for each host at most, and at once where
 * somebody has just failed. NULL: *fault (DB_REFUSED: the server answers, and does not take us) and why (n bytes),
 * without the password. */
PGconn *pg_connect(const char *url, const char *sql, enum db_fault *fault, char *why, size_t n);
/* Each of these has an end: where nothing comes, the connection is closed, and the fault is DB_TROUBLE. */
enum db_fault pg_run(PGconn *c, const char *sql, char *why, size_t n);
/* *result is of the last statement, to be cleared; NULL: a fault. */
enum db_fault pg_query(PGconn *c, const char *sql, uint32_t ms, PGresult **result, char *why, size_t n);
/* The same of what was sent (PQsendX() says whether it was). */
enum db_fault pg_answer(PGconn *c, int sent, uint32_t ms, PGresult **result, char *why, size_t n);
void pg_undo(PGconn *c);             /* ROLLBACK, where there is still a connection */
/* sql: COPY … FROM STDIN */
enum db_fault pg_copy(PGconn *c, const char *sql, const char *lines, size_t len, char *why, size_t n);
/* The first column of the first row; no row: *v stays. */
enum db_fault pg_number(PGconn *c, const char *sql, int64_t *v, char *why, size_t n);

/* A connection that comes by itself: the first step connects, and where it was lost, the next one connects anew. first:
 * what is done at the first connection, until it works once. `sql` and arg stay the caller's. NULL: out of memory. */
typedef enum db_fault pg_first_fn(void *arg, PGconn *c, char *why, size_t n);
struct conn *pg_conn(const char *url, const char *sql, pg_first_fn *first, void *arg);
enum db_fault pg_conn_ready(struct conn *c, char *why, size_t n);     /* connects now */

#endif
