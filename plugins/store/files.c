#include "plugins/store/files.h"

#include "plugins/store/lite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHY 4600

static void files_rest(struct backend *b)
{
    struct files *f = (struct files *)b;

    if (!f->writer)
        return;
    readers_purge(b->readers, f->id); /* the last connection carries the journal over: let it be the writer's */
    segment_writer_close(f->writer);
    f->writer = NULL;
}

static void set_aside(struct backend *b, struct segment_id id, const char *why)
{
    char path[SEGMENT_PATH], to[SEGMENT_PATH + 100];

    segments_path(b->segments, id, path);
    segments_forget(b->segments, id);
    readers_purge(b->readers, id);
    if (db_set_aside(path, to, sizeof to) && errno != ENOENT)
        backend_sayf(b, STREAM_ERROR, "%s; it cannot be set aside either: %s; it is not read any more in this run", why,
                     strerror(errno));
    else
        backend_sayf(b, STREAM_ERROR,
                     "%s; the file is set aside as %s: look at it with sqlite3's .recover, then delete it", why, to);
    b->set_aside++;
}

void files_damaged(struct backend *b, struct segment_id id, const char *why)
{
    struct files *f = (struct files *)b;

    pthread_mutex_lock(&b->writing);
    if (f->writer && !segment_compare(f->id, id))
        files_rest(b);
    set_aside(b, id, why);
    pthread_mutex_unlock(&b->writing);
}

static enum db_fault try_segment(struct files *f, uint32_t day, bool fresh, char *why)
{
    enum db_fault fault;
    char path[SEGMENT_PATH];

    if (!segments_current(f->backend.segments, day, fresh, &f->id))
        return DB_MEMORY;
    segments_path(f->backend.segments, f->id, path);
    f->writer = segment_writer_open(f->backend.schema, path, f->backend.json, f->backend.json_arg, &fault, why, WHY);
    if (f->writer)
        return DB_OK;
    if (fault == DB_DAMAGED)
        set_aside(&f->backend, f->id, why);
    return fault;
}

/* A writer for this day: of the last segment, or, where that cannot be used, of a new one. */
static enum db_fault writer_open(struct files *f, uint32_t day, bool fresh, char *why)
{
    enum db_fault fault = try_segment(f, day, fresh, why);
    char path[SEGMENT_PATH], first[WHY];

    if (!fault || fault == DB_MEMORY || fresh)
        return fault;
    snprintf(first, sizeof first, "%s", why);
    fault = try_segment(f, day, true, why);
    if (!fault) {
        segments_path(f->backend.segments, f->id, path);
        backend_sayf(&f->backend, STREAM_WARNING, "%s; events go on in %s", first, path);
    } else { /* the new one helps no more than the old one */
        segments_path(f->backend.segments, f->id, path);
        segments_forget(f->backend.segments, f->id);
        db_unlink(path);
        snprintf(why, WHY, "%s", first);
    }
    return fault;
}

/* Is the segment that is written still the one to write? */
static bool writer_fits(struct files *f, uint32_t day, bool *fresh)
{
    char path[SEGMENT_PATH];

    *fresh = false;
    if (!f->writer)
        return false;
    if (segment_writer_lost(f->writer)) {
        segments_path(f->backend.segments, f->id, path);
        backend_sayf(&f->backend, STREAM_WARNING, "%s was taken away while it was written; events go on in a new file",
                     path);
        segments_forget(f->backend.segments, f->id);
        readers_purge(f->backend.readers, f->id);
        return false;
    }
    segments_path(f->backend.segments, f->id, path);
    *fresh = (uint64_t)segment_writer_rows(f->writer) >= f->backend.rows_max || db_bytes(path) >= f->backend.bytes_max;
    return !*fresh && f->id.day >= day;
}

static enum db_fault files_write(struct backend *b, const struct ec_event *const *ev, uint32_t n, uint64_t now,
                                 uint32_t *stored, char *why, size_t n_why)
{
    struct files *f = (struct files *)b;
    uint8_t bad[SEGMENT_BATCH] = {0};
    enum db_fault fault = DB_OK;
    bool fresh;

    if (!writer_fits(f, segment_day(now), &fresh)) {
        files_rest(b);
        fault = writer_open(f, segment_day(now), fresh, why);
    }
    if (!fault)
        fault = segment_writer_add(f->writer, ev, n, bad, stored, why, n_why);
    if (fault == DB_DAMAGED && f->writer) {
        files_rest(b);
        set_aside(b, f->id, why);
    }
    return fault;
}

/* Which of a table's columns the file has, and which have an index. */
static enum db_fault learn_table(sqlite3 *db, const struct table *t, uint8_t *has, char *why, size_t n)
{
    static const char sql[] =
        "SELECT name,EXISTS(SELECT 1 FROM sqlite_master WHERE type='index' AND name=?1||'.'||c.name)"
        " FROM pragma_table_info(?1) c";
    sqlite3_stmt *st;
    enum db_fault fault = db_prepare(db, sql, &st, why, n);
    int rc;

    if (fault)
        return fault;
    sqlite3_bind_text(st, 1, t->name, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        for (uint32_t i = 0; i < t->n_column; i++)
            if (!strcmp(t->column[i].name, (const char *)sqlite3_column_text(st, 0)))
                has[i] = (uint8_t)(1 | sqlite3_column_int(st, 1) << 1);
    fault = db_say(db, rc, why, n);
    sqlite3_finalize(st);
    return fault;
}

static enum db_fault learn(struct reader *x, sqlite3 *db, const struct schema *s, char *why, size_t n)
{
    enum db_fault fault = DB_OK;
    int64_t words = 0, finished = 0;

    if (!(x->has = calloc(s->n_table + 1u, sizeof *x->has)))
        return DB_MEMORY;
    x->n_table = s->n_table;
    for (uint32_t i = 0; !fault && i < s->n_table; i++) {
        if (!(x->has[i] = calloc(s->table[i].n_column + 1u, 1)))
            return DB_MEMORY;
        if (s->table[i].n_column)
            fault = learn_table(db, &s->table[i], x->has[i], why, n);
    }
    if (!fault)
        fault = db_number(db, "SELECT 1 FROM sqlite_master WHERE name='words'", &words, why, n);
    if (!fault)
        fault = db_number(db, "SELECT 1 FROM meta WHERE key='finished'", &finished, why, n);
    x->finished = finished != 0;
    x->reach = (struct reach){s, (const uint8_t *const *)x->has, words != 0, &lite_dialect};
    return fault;
}

static enum db_fault files_reader(struct backend *b, struct reader *x, char *why, size_t n)
{
    char path[SEGMENT_PATH];
    enum db_fault fault;
    sqlite3 *db;
    int found;

    segments_path(b->segments, x->id, path);
    fault = db_open(&db, path, DB_READ, 0, SEGMENT_VERSION, &found, why, n);
    if (fault == DB_TROUBLE && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS))
        return DB_OK; /* retention was quicker */
    if (fault == DB_TROUBLE) {      /* a full disk? then for this question only, so that the writer comes in again */
        fault = db_open(&db, path, DB_READ | DB_ALONE, 0, SEGMENT_VERSION, &found, why, n);
        x->stale = true;
    }
    if (!fault && !found)
        sqlite3_close(db); /* it is being made */
    if (fault || !found)
        return fault;
    if (!(x->conn = lite_conn(db)))
        return DB_MEMORY;
    x->first = 1;
    x->last = INT64_MAX;
    return learn(x, db, b->schema, why, n);
}

const struct backend_ops files_ops = {false,         files_write,   files_rest,    files_reader,
                                      files_damaged, NULL,          keeper_finish, keeper_expire, keeper_bytes};
