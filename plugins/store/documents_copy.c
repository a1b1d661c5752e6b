/* A copy of the documents beside a database that may be away: what the plugins need to start (users, bans, settings)
 * can be read from it then; it is never written to but after the database. */
#include "plugins/store/db.h"
#include "plugins/store/documents.h"
#include "plugins/store/lite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 4600

static void copy_close(struct documents *d)
{
    conn_close(d->copy.conn);
    d->copy.conn = NULL;
    d->copy.whole = d->copy.fresh = false;
}

void copy_free(struct documents *d)
{
    copy_close(d);
    free(d->copy.path);
    d->copy.path = NULL;
}

/* It is worth nothing any more; the next start makes it anew. */
static void copy_drop(struct documents *d, const char *why)
{
    copy_close(d);
    db_unlink(d->copy.path);
    EC_LOG(
        d->host, EC_LOG_WARNING,
        "the copy of the documents cannot be kept: %s; where the database is away at the next start, nobody can log in "
        "until the daemon is started again",
        why);
}

static enum db_fault tables(const struct documents *d, struct text *sql)
{
    text_put(sql, "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value);");
    for (uint32_t i = 0; i < d->n_kind; i++)
        text_printf(sql,
                    "CREATE TABLE IF NOT EXISTS %s(id INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
                    " shape INTEGER NOT NULL, json TEXT NOT NULL);",
                    d->kind[i].table);
    text_printf(sql, "PRAGMA user_version=%d; COMMIT", DOCUMENTS_VERSION);
    return sql->failed ? DB_MEMORY : DB_OK;
}

void copy_open(struct documents *d, const char *path)
{
    char why[WHY] = "out of memory";
    enum db_fault fault = DB_MEMORY;
    struct text sql = {0};
    int64_t whole = 0;
    sqlite3 *db;
    int found;

    if (!(d->copy.path = strdup(path)))
        return;
    fault = db_open(&db, path, DB_FULL_SYNC, 0600, DOCUMENTS_VERSION, &found, why, sizeof why);
    if (fault == DB_DAMAGED || fault == DB_NEWER) { /* it is a copy only */
        db_unlink(path);
        fault = db_open(&db, path, DB_FULL_SYNC, 0600, DOCUMENTS_VERSION, &found, why, sizeof why);
    }
    if (!fault && !(d->copy.conn = lite_conn(db)))
        fault = DB_MEMORY;
    if (!fault)
        fault = tables(d, &sql);
    if (!fault)
        fault = conn_run(d->copy.conn, sql.base, why, sizeof why);
    text_free(&sql);
    if (!fault)
        fault = conn_number(d->copy.conn, "SELECT value FROM meta WHERE key='whole' AND ?1=?2", 0, 0, &whole, why,
                            sizeof why);
    d->copy.whole = whole != 0;
    if (fault)
        copy_drop(d, why);
}

static enum db_fault add(struct conn *c, const char *table, struct stmt *from, char *why, size_t n)
{
    struct text sql = {0};
    struct stmt *to = NULL;
    enum db_fault fault;
    bool row, did;

    text_printf(&sql, "INSERT INTO %s VALUES(?1,?2,?3,?4)", table);
    fault = sql.failed ? DB_MEMORY : conn_prepare(c, sql.base, &to, why, n);
    while (!fault && !(fault = stmt_step(from, &row, why, n)) && row) {
        const char *json;
        size_t len = 0;

        json = stmt_bytes(from, 3, &len);
        for (uint32_t i = 0; i < 3; i++)
            stmt_bind_integer(to, i + 1, stmt_integer(from, i));
        stmt_bind_text(to, 4, json ? json : "", len);
        fault = stmt_step(to, &did, why, n);
        stmt_reset(to);
    }
    stmt_finalize(to);
    text_free(&sql);
    return fault;
}

/* All documents of one kind anew, within a transaction of the copy. *away: the database did not give them. */
static enum db_fault copy_kind(struct documents *d, const char *table, bool *away, char *why, size_t n)
{
    struct text sql = {0};
    struct stmt *from = NULL;
    enum db_fault fault;
    bool row;

    text_printf(&sql, "DELETE FROM %s", table);
    fault = sql.failed ? DB_MEMORY : conn_run(d->copy.conn, sql.base, why, n);
    text_clear(&sql);
    text_printf(&sql, "SELECT id,version,shape,json FROM %s WHERE ?1=?2", table);
    if (!fault)
        fault = sql.failed ? DB_MEMORY : conn_prepare(d->conn, sql.base, &from, why, n);
    text_clear(&sql);
    if (!fault) {
        stmt_bind_integer(from, 1, 0);
        stmt_bind_integer(from, 2, 0);
        if ((fault = stmt_step(from, &row, why, n)))
            *away = true;
        stmt_reset(from);
    }
    if (!fault)
        fault = add(d->copy.conn, table, from, why, n);
    stmt_finalize(from);
    text_free(&sql);
    return fault;
}

void copy_refresh(struct documents *d)
{
    char why[WHY] = "out of memory", undone[WHY];
    enum db_fault fault;
    bool away = false;

    if (!d->copy.conn || d->copy.fresh)
        return;
    fault = conn_run(d->copy.conn, "BEGIN IMMEDIATE", why, sizeof why);
    for (uint32_t i = 0; !fault && i < d->n_kind; i++)
        fault = copy_kind(d, d->kind[i].table, &away, why, sizeof why);
    if (!fault)
        fault = conn_run(d->copy.conn, "INSERT OR REPLACE INTO meta VALUES('whole',1); COMMIT", why, sizeof why);
    d->copy.fresh = !fault;
    d->copy.whole |= !fault;
    if (fault && d->copy.conn)
        conn_run(d->copy.conn, "ROLLBACK", undone, sizeof undone);
    if (fault && !away)
        copy_drop(d, why);
}

/* before TABLE behind: the statement. json NULL: it has none. */
static void change(struct documents *d, const char *before, const struct document_kind *k, const char *behind,
                   uint64_t id, const char *json, size_t len)
{
    char why[WHY] = "out of memory";
    struct text all = {0};
    struct stmt *st = NULL;
    enum db_fault fault;
    bool row;

    if (!d->copy.fresh)
        return;
    text_put(&all, before);
    text_put(&all, k->table);
    text_put(&all, behind);
    fault = all.failed ? DB_MEMORY : conn_prepare(d->copy.conn, all.base, &st, why, sizeof why);
    if (!fault) {
        stmt_bind_integer(st, 1, (int64_t)id);
        if (json) {
            stmt_bind_integer(st, 2, k->kind->version);
            stmt_bind_text(st, 3, json, len);
        }
        fault = stmt_step(st, &row, why, sizeof why);
    }
    stmt_finalize(st);
    text_free(&all);
    if (fault)
        copy_drop(d, why);
}

void copy_put(struct documents *d, const struct document_kind *k, uint64_t id, bool made, const char *json, size_t len)
{
    if (made)
        change(d, "INSERT INTO ", k, " VALUES(?1,1,?2,?3)", id, json, len);
    else
        change(d, "UPDATE ", k, " SET version=version+1,shape=?2,json=?3 WHERE id=?1", id, json, len);
}

void copy_del(struct documents *d, const struct document_kind *k, uint64_t id)
{
    change(d, "DELETE FROM ", k, " WHERE id=?1", id, NULL, 0);
}
