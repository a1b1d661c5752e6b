#include "plugins/store/db.h"
#include "plugins/store/documents.h"
#include "plugins/store/lite.h"
#include "plugins/store/migrate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Damage that the first pages do not show. */
static enum db_fault check(sqlite3 *db, char *why, size_t n)
{
    sqlite3_stmt *st;
    enum db_fault fault = db_prepare(db, "PRAGMA quick_check(1)", &st, why, n);
    int rc;

    if (fault)
        return fault;
    rc = sqlite3_step(st);
    fault = db_say(db, rc, why, n);
    if (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "ok")) {
        snprintf(why, n, "%s: %s", sqlite3_db_filename(db, "main"), (const char *)sqlite3_column_text(st, 0));
        fault = DB_DAMAGED;
    }
    sqlite3_finalize(st);
    return fault;
}

static struct conn *file_open(char *at, const char *sql, enum db_fault *fault, char *why, size_t n)
{
    struct conn *c = NULL;
    char version[64];
    sqlite3 *db;
    int found;

    bool alone = false;

    *fault = db_open(&db, at, DB_FULL_SYNC, 0600, DOCUMENTS_VERSION, &found, why, n);
    if (*fault == DB_TROUBLE && (alone = !access(at, F_OK)))
        *fault = db_open(&db, at, DB_FULL_SYNC | DB_ALONE, 0600, DOCUMENTS_VERSION, &found, why, n);
    if (!*fault && !(c = lite_conn(db)))
        *fault = DB_MEMORY;
    if (c)
        c->makeshift = alone;
    if (!*fault)
        *fault = check(db, why, n);
    if (!*fault)
        *fault = db_run(db, "BEGIN IMMEDIATE", why, n);
    if (!*fault)
        *fault = db_run(db, sql, why, n);
    if (!*fault)
        *fault = migrate(migrate_documents, found, db_run_step, db, why, n);
    snprintf(version, sizeof version, "PRAGMA user_version=%d", DOCUMENTS_VERSION);
    if (!*fault && found != DOCUMENTS_VERSION)     /* a full disk takes no write, also not of what is there already */
        *fault = db_run(db, version, why, n);
    if (!*fault)
        *fault = db_run(db, "COMMIT", why, n);
    if (*fault) {
        conn_close(c);
        return NULL;
    }
    return c;
}

static bool file_set_aside(char *at, char *to, size_t n)
{
    return !db_set_aside(at, to, n);
}

const struct documents_ops documents_file = {&lite_dialect, file_open, file_set_aside};
