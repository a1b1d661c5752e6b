#include "plugins/store/migrate.h"

#include "plugins/store/format.h"
#include "plugins/store/text.h"

#define HISTORY \
    "CREATE TABLE IF NOT EXISTS migration(version INTEGER PRIMARY KEY, what TEXT NOT NULL, at TEXT NOT NULL)"

/* Format 1 is what the tables were made as in the first release. */
const struct migration migrate_documents[] = {
    {2, "a list of the migrations", HISTORY},
    {0, NULL, NULL},
};
const struct migration migrate_segment[] = {
    {2, "a list of the migrations", HISTORY},
    {0, NULL, NULL},
};
const struct migration migrate_postgresql[] = {
    {2, "a list of the migrations", HISTORY},
    {0, NULL, NULL},
};

enum db_fault migrate(const struct migration *step, int found, migrate_run_fn *run, void *arg, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    for (; !fault && step->to; step++) {
        struct text sql = {0};

        if (step->to <= found)
            continue;
        text_printf(&sql, "%s; INSERT INTO migration VALUES(%d,", step->sql, step->to);
        text_sql_string(&sql, step->what);
        text_put(&sql, ",CAST(CURRENT_TIMESTAMP AS TEXT))");
        fault = sql.failed ? DB_MEMORY : run(arg, sql.base, why, n);
        text_free(&sql);
    }
    return fault;
}
