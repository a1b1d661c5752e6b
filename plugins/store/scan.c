#include "plugins/store/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE_FIRST 4096            /* rows; each piece of a segment is twice as long as the one before */

static bool in_time(const struct filter *f, const struct segment *g)
{
    return !g->known || (g->ts_max >= f->since && g->ts_min < f->until);
}

enum db_fault scan_last_row(struct reader *r, int64_t *row, char *why, size_t n)
{
    static const char sql[] = "SELECT b.last FROM batch b WHERE b.row BETWEEN ?1 AND ?2 ORDER BY b.row DESC LIMIT 1";
    struct stmt *st;
    enum db_fault fault = reader_prepare(r, sql, &st, why, n);
    bool there;

    if (fault)
        return fault;
    stmt_bind_integer(st, 1, r->first);
    stmt_bind_integer(st, 2, r->last);
    fault = stmt_step(st, &there, why, n);
    if (!fault && there)
        *row = stmt_integer(st, 0);
    reader_done(r, st);
    return fault;
}

/* Range of rows and time. A finished segment does not change: remembered. */
static enum db_fault learn(struct scan *s, struct reader *r, struct segment *g)
{
    enum db_fault fault;

    if (g->known)
        return DB_OK;
    g->ts_min = INT64_MIN;
    g->ts_max = INT64_MAX;
    fault = scan_last_row(r, &g->rows, s->why, s->n_why);
    if (!r->finished || fault)
        return fault;
    fault = conn_number(r->conn, "SELECT min(b.ts_min) FROM batch b WHERE b.row BETWEEN ?1 AND ?2", r->first, r->last,
                        &g->ts_min, s->why, s->n_why);
    if (!fault)
        fault = conn_number(r->conn, "SELECT max(b.ts_max) FROM batch b WHERE b.row BETWEEN ?1 AND ?2", r->first,
                            r->last, &g->ts_max, s->why, s->n_why);
    if (!fault)
        segments_learn(s->host->segments, g);
    return fault;
}

/* The next row in the order of the scan that stands in a batch with events of the wanted time; 0: there is none. */
static enum db_fault skip(struct scan *s, struct reader *r, struct stmt *st, int64_t *row)
{
    enum db_fault fault;
    int64_t found;
    bool there;

    stmt_bind_integer(st, 1, s->oldest_first ? *row - SEGMENT_BATCH : r->first);
    stmt_bind_integer(st, 2, s->oldest_first ? r->last : *row);
    stmt_bind_integer(st, 3, s->filter->since);
    stmt_bind_integer(st, 4, s->filter->until);
    stmt_bind_integer(st, 5, *row);
    fault = stmt_step(st, &there, s->why, s->n_why);
    found = there ? stmt_integer(st, 0) : 0;
    if (!there || (s->oldest_first ? found > *row : found < *row))
        *row = found;
    stmt_reset(st);
    return fault;
}

static enum db_fault skip_prepare(struct scan *s, struct reader *r, struct stmt **st)
{
    *st = NULL;
    if (!s->filter->since && s->filter->until == INT64_MAX)
        return DB_OK;
    return reader_prepare(
        r,
        s->oldest_first
            ? "SELECT b.row FROM batch b WHERE b.row>?1 AND b.row<=?2 AND b.ts_max>=?3 AND b.ts_min<?4 AND b.last>=?5"
              " ORDER BY b.row LIMIT 1"
            : "SELECT b.last FROM batch b WHERE b.row>=?1 AND b.row<=?2 AND b.ts_max>=?3 AND b.ts_min<?4 AND b.row<=?5"
              " ORDER BY b.row DESC LIMIT 1",
        st, s->why, s->n_why);
}

/* The rows of one segment from `row` on. */
static enum db_fault pieces(struct scan *s, struct reader *r, int64_t row, int64_t rows, bool *done)
{
    enum db_fault fault;
    struct stmt *st;
    int64_t size = PIECE_FIRST;

    fault = skip_prepare(s, r, &st);
    while (!fault && !*done) {
        int64_t first = row, last = row;

        if (st && row >= r->first && row <= rows && (fault = skip(s, r, st, &row)))
            break;
        if (row < r->first || row > rows)
            break;
        if (s->oldest_first)
            first = row, last = rows - row < size ? rows : row + size - 1;
        else
            first = row - r->first < size ? r->first : row - size + 1, last = row;
        if (s->begun && readers_clock() > s->deadline)
            fault = DB_STOPPED;
        r->conn->deadline = s->begun ? s->deadline : 0;
        if (fault || (fault = s->piece(s, r, first, last, done)))
            break;
        s->begun = true;
        row = s->oldest_first ? last + 1 : first - 1;
        if (!*done)
            s->at = (struct cursor){ r->id, s->oldest_first ? last : first };
        size = s->most && size * 2 > s->most ? s->most : size * 2;
    }
    reader_done(r, st);
    return fault;
}

static enum db_fault segment(struct scan *s, struct segment *g, struct reader *r, bool *done)
{
    bool here = s->from.id.day && !segment_compare(g->id, s->from.id);
    enum db_fault fault = learn(s, r, g);
    int64_t row;

    if (fault || !g->rows || !in_time(s->filter, g))
        return fault;
    row = s->oldest_first ? r->first : g->rows;
    if (here && s->oldest_first)
        row = s->from.row + 1;
    else if (here && s->from.row <= g->rows)
        row = s->from.row - 1;
    if (!s->oldest_first && row > g->rows)
        row = g->rows;
    fault = s->open(s, r);
    if (!fault)
        fault = pieces(s, r, row, g->rows, done);
    r->conn->deadline = 0;
    s->close(s);
    return fault;
}

static int32_t code(enum db_fault fault)
{
    return fault == DB_OK ? EC_OK : fault == DB_MEMORY ? EC_ENOMEM : EC_EIO;
}

/* One segment, from opening to closing. */
static enum db_fault visit(struct scan *s, struct segment *g, bool *read, bool *done)
{
    enum db_fault fault;
    struct reader *r = readers_take(s->host->readers, g->id, &fault, s->why, s->n_why);

    if (r) {
        fault = segment(s, g, r, done);
        readers_give(s->host->readers, r);
    }
    if (fault == DB_DAMAGED) {
        s->host->damaged(s->host->arg, g->id, s->why);
        fault = DB_OK;
    } else if (!r && (fault == DB_TROUBLE || fault == DB_NEWER)) {
        s->host->unreadable(s->host->arg, s->why);
        s->hole = true;
        return DB_OK;
    }
    *read |= r != NULL;
    return fault;
}

/* Is the segment behind where the scan begins? */
static bool wanted(const struct scan *s, const struct segment *g)
{
    int c = s->from.id.day ? segment_compare(g->id, s->from.id) : 0;

    return s->oldest_first ? c >= 0 : c <= 0;
}

int32_t scan_run(struct scan *s)
{
    enum db_fault fault = readers_ready(s->host->readers, s->why, s->n_why);
    uint32_t n;
    struct segment *list = segments_list(s->host->segments, &n);
    bool done = false, read = false;

    if (!fault && n && !list)
        fault = DB_MEMORY;

    s->at = s->from;
    s->begun = s->late = s->hole = false;
    s->deadline = readers_clock() + s->host->bound;
    for (uint32_t i = 0; list && i < n && !fault && !done; i++) {
        struct segment *g = &list[s->oldest_first ? i : n - 1 - i];

        if (!wanted(s, g) || !in_time(s->filter, g))
            continue;
        fault = s->begun && readers_clock() > s->deadline ? DB_STOPPED : visit(s, g, &read, &done);
    }
    free(list);
    if (fault == DB_STOPPED) {
        s->late = true;
        fault = DB_OK;
    }
    return s->hole && !read ? EC_EIO : code(fault);    /* why is of the last one */
}
