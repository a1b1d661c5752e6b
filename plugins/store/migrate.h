/* migrate.h: how a database of an earlier eCyber becomes one of this: numbered steps, each done once, in the transaction
 * that opens the database. A step is never changed once it was released; a new one is added behind, and its number
 * becomes the format (format.h). */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H
#include "plugins/store/conn.h"

struct migration {
    int to;                         /* the format that it leads to; 0: the end of the table */
    const char *what, *sql;
};
extern const struct migration migrate_documents[], migrate_segment[], migrate_postgresql[];

typedef enum db_fault migrate_run_fn(void *arg, const char *sql, char *why, size_t n);
/* The steps beyond the format `found`, within the caller's transaction. He writes the format. */
enum db_fault migrate(const struct migration *step, int found, migrate_run_fn *run, void *arg, char *why, size_t n);

#endif
