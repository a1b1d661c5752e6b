#include "plugins/store/readers.h"

#include "plugins/store/lite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t readers_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void readers_open(struct readers *r, const struct schema *s, struct segments *segments)
{
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    r->schema = s;
    r->segments = segments;
}

static void reader_free(struct reader *x)
{
    for (uint32_t i = 0; x->has && i < x->n_table; i++)
        free(x->has[i]);
    free(x->has);
    conn_close(x->conn);
    free(x);
}

void readers_close(struct readers *r)
{
    while (r->idle) {
        struct reader *x = r->idle;

        r->idle = x->next;
        reader_free(x);
    }
    pthread_mutex_destroy(&r->lock);
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
    x->reach = (struct reach){ s, (const uint8_t *const *)x->has, words != 0, &lite_dialect };
    return fault;
}

static struct reader *reader_new(struct readers *r, struct segment_id id, enum db_fault *fault, char *why, size_t n)
{
    struct reader *x = calloc(1, sizeof *x);
    char path[SEGMENT_PATH];
    sqlite3 *db = NULL;
    int found;

    segments_path(r->segments, id, path);
    *fault = DB_MEMORY;
    if (!x)
        return NULL;
    x->id = id;
    *fault = db_open(&db, path, DB_READ, 0, SEGMENT_VERSION, &found, why, n);
    if (!*fault && !(x->conn = lite_conn(db)))
        *fault = DB_MEMORY;
    if (!*fault && found)
        *fault = learn(x, db, r->schema, why, n);
    if (!*fault && found) {
        x->first = 1;
        x->last = INT64_MAX;
        return x;
    }
    if (*fault == DB_TROUBLE && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS))
        *fault = DB_OK;             /* retention was quicker */
    reader_free(x);
    return NULL;
}

struct reader *readers_take(struct readers *r, struct segment_id id, enum db_fault *fault, char *why, size_t n)
{
    struct reader *x, **at;

    *fault = DB_OK;
    pthread_mutex_lock(&r->lock);
    for (at = &r->idle; (x = *at); at = &x->next)
        if (!segment_compare(x->id, id)) {
            *at = x->next;
            r->n_idle--;
            break;
        }
    pthread_mutex_unlock(&r->lock);
    if (!x && !(x = reader_new(r, id, fault, why, n)))
        return NULL;
    x->conn->deadline = 0;
    pthread_mutex_lock(&r->lock);
    x->next = r->busy;
    r->busy = x;
    pthread_mutex_unlock(&r->lock);
    return x;
}

void readers_give(struct readers *r, struct reader *x)
{
    struct reader **at, *old = NULL;

    pthread_mutex_lock(&r->lock);
    for (at = &r->busy; *at != x; at = &(*at)->next)
        ;
    *at = x->next;
    if (!x->stale) {
        x->next = r->idle;
        r->idle = x;
        if (++r->n_idle > READERS_KEPT) {
            for (at = &r->idle; (*at)->next; at = &(*at)->next)
                ;
            old = *at;
            *at = NULL;
            r->n_idle--;
        }
    } else {
        old = x;
    }
    pthread_mutex_unlock(&r->lock);
    if (old)
        reader_free(old);
}

void readers_purge(struct readers *r, struct segment_id id)
{
    struct reader *gone = NULL, *x, **at;

    pthread_mutex_lock(&r->lock);
    for (x = r->busy; x; x = x->next)
        x->stale |= !segment_compare(x->id, id);
    for (at = &r->idle; (x = *at);) {
        if (segment_compare(x->id, id)) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        x->next = gone;
        gone = x;
        r->n_idle--;
    }
    pthread_mutex_unlock(&r->lock);
    while ((x = gone)) {
        gone = x->next;
        reader_free(x);
    }
}
