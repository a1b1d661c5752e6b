#include "plugins/store/query.h"

#include "plugins/store/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cursor_read(struct cursor *c, const char *s, uint64_t hash)
{
    unsigned long long row, h;
    int end = -1;

    if (strlen(s) >= EC_CURSOR_MAX || s[strspn(s, "0123456789abcdef.")])
        return false;
    if (sscanf(s, "%8u.%6u.%15llu.%16llx%n", &c->id.day, &c->id.number, &row, &h, &end) != 4 || end < 0 || s[end])
        return false;
    c->row = (int64_t)row;
    return c->id.day && h == hash;
}

void cursor_write(const struct cursor *c, uint64_t hash, char to[EC_CURSOR_MAX])
{
    snprintf(to, EC_CURSOR_MAX, "%u.%u.%lld.%llx", c->id.day, c->id.number, (long long)c->row,
             (unsigned long long)hash);
}

struct page {                       /* one page in the making */
    struct filter filter;
    sqlite3_stmt *st;
    struct text object;
    ec_store_event_fn *fn;
    void *arg;
    uint32_t left;                  /* rows that still fit */
    bool more;                      /* there is one behind the last */
};

/* The event as it is handed out: {"id":"…", and then what eve.json has. As text, for 63 bits are more than the numbers
 * of most JSON readers hold. */
static int32_t hand_out(struct text *t, int64_t id, const char *json, size_t len, ec_store_event_fn *fn, void *arg)
{
    text_clear(t);
    text_printf(t, "{\"id\":\"%lld\"%s", (long long)id, len > 2 ? "," : "");
    text_add(t, json + 1, len - 1);
    return t->failed ? EC_ENOMEM : fn(arg, (uint64_t)id, t->base, (uint32_t)t->len);
}

static enum db_fault page_open(struct scan *s, struct reader *r)
{
    struct page *p = s->arg;
    struct sql sql = { .n_bind = 0 };
    enum db_fault fault;

    text_put(&sql.text,
             "SELECT e.row,e.id,j.text FROM event e CROSS JOIN json j ON j.row=e.row WHERE e.row BETWEEN ?1 AND ?2");
    filter_sql(s->filter, &r->reach, &sql);
    text_put(&sql.text, s->oldest_first ? " ORDER BY e.row" : " ORDER BY e.row DESC");
    fault = sql.text.failed ? DB_MEMORY : db_prepare(r->db, sql.text.base, &p->st, s->why, s->n_why);
    if (!fault)
        fault = db_say(r->db, sql_bind(&sql, p->st), s->why, s->n_why);
    sql_free(&sql);
    return fault;
}

static void page_close(struct scan *s)
{
    struct page *p = s->arg;

    sqlite3_finalize(p->st);
    p->st = NULL;
}

static enum db_fault page_piece(struct scan *s, struct reader *r, int64_t first, int64_t last, bool *done)
{
    struct page *p = s->arg;
    enum db_fault fault;
    int rc;

    sqlite3_bind_int64(p->st, 1, first);
    sqlite3_bind_int64(p->st, 2, last);
    while ((rc = sqlite3_step(p->st)) == SQLITE_ROW) {
        const char *json = (const char *)sqlite3_column_text(p->st, 2);
        size_t len = (size_t)sqlite3_column_bytes(p->st, 2);

        if (!p->left) {
            p->more = *done = true;
            break;
        }
        if (!json || len < 2)
            continue;
        s->at = (struct cursor){ r->id, sqlite3_column_int64(p->st, 0) };
        p->left--;
        if (hand_out(&p->object, sqlite3_column_int64(p->st, 1), json, len, p->fn, p->arg)) {
            p->more = *done = true;
            break;
        }
    }
    fault = db_say(r->db, rc == SQLITE_ROW ? SQLITE_OK : rc, s->why, s->n_why);
    sqlite3_reset(p->st);
    return fault;
}

/* Too many values for one statement is found here, once, and not in each segment. */
static int32_t check_size(const struct query_host *h, const struct filter *f, char *why, uint32_t n)
{
    struct reach r = { h->schema, NULL, false, "j.text" };
    struct sql sql = { .n_bind = 0 };
    uint8_t **has = calloc(h->schema->n_table + 1u, sizeof *has);
    uint8_t none[SCHEMA_COLUMNS] = { 0 };
    bool full;

    if (!has)
        return EC_ENOMEM;
    for (uint32_t i = 0; i < h->schema->n_table; i++)
        has[i] = none;
    r.has = (const uint8_t *const *)has;
    filter_sql(f, &r, &sql);
    full = sql.full;
    sql_free(&sql);
    free(has);
    if (full)
        snprintf(why, n, "the conditions have too many values");
    return full ? EC_EINVAL : EC_OK;
}

int32_t query_filter(const struct query_host *h, const struct ec_query *q, struct filter *f, char *why, uint32_t n)
{
    int32_t err = filter_query(f, &h->schema->fields, q, why, n);

    if (!err && (err = check_size(h, f, why, n)))
        filter_free(f);
    return err;
}

int32_t query_events(const struct query_host *h, const struct ec_query *q, ec_store_event_fn *fn, void *arg,
                     struct ec_page *page, char *why, uint32_t n)
{
    struct page p = { .fn = fn, .arg = arg, .left = q->limit < 1 ? 1 : q->limit > 1000 ? 1000 : q->limit };
    struct scan s = { .host = h, .filter = &p.filter, .oldest_first = (q->flags & EC_QUERY_OLDEST_FIRST) != 0,
                      .open = page_open, .piece = page_piece, .close = page_close, .arg = &p, .why = why, .n_why = n };
    int32_t err = query_filter(h, q, &p.filter, why, n);

    if (!err && q->cursor && *q->cursor && !cursor_read(&s.from, q->cursor, p.filter.hash)) {
        snprintf(why, n, "cursor: it is none of this query; begin without one");
        err = EC_EINVAL;
    }
    page->flags = 0;
    *page->next = '\0';             /* the cursor may have stood here */
    if (!err)
        err = scan_run(&s);
    if (!err && (s.late || s.hole))
        page->flags |= EC_PAGE_PARTIAL;
    if (!err && (s.late || p.more) && s.at.id.day)
        cursor_write(&s.at, p.filter.hash, page->next);
    text_free(&p.object);
    filter_free(&p.filter);
    return err;
}

/* One event of one segment. EC_ENOENT: it is not there. */
static int32_t event_of(struct reader *r, uint64_t id, ec_store_event_fn *fn, void *arg, enum db_fault *fault,
                        char *why, uint32_t n)
{
    struct text object = { 0 };
    int32_t err = EC_ENOENT;
    sqlite3_stmt *st;
    int rc;

    *fault = db_prepare(
        r->db, "SELECT j.text FROM event e JOIN json j ON j.row=e.row WHERE e.id=?1 ORDER BY e.row DESC LIMIT 1", &st,
        why, n);
    if (*fault)
        return EC_EIO;
    sqlite3_bind_int64(st, 1, (int64_t)id);
    rc = sqlite3_step(st);
    *fault = db_say(r->db, rc, why, n);
    if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) >= 2) {
        const char *json = (const char *)sqlite3_column_text(st, 0);

        err = EC_OK;
        hand_out(&object, (int64_t)id, json, (size_t)sqlite3_column_bytes(st, 0), fn, arg);
    }
    text_free(&object);
    sqlite3_finalize(st);
    return *fault ? EC_EIO : err;
}

int32_t query_event(const struct query_host *h, uint64_t id, ec_store_event_fn *fn, void *arg, char *why, uint32_t n)
{
    uint32_t n_segment;
    struct segment *list = segments_list(h->segments, &n_segment);
    int32_t err = EC_ENOENT, failed = EC_ENOENT;

    for (uint32_t i = n_segment; list && err == EC_ENOENT && i--;) {
        enum db_fault fault;
        struct reader *r = readers_take(h->readers, list[i].id, &fault, why, n);

        if (r) {
            err = event_of(r, id, fn, arg, &fault, why, n);
            readers_give(h->readers, r);
        }
        if (fault == DB_DAMAGED)
            h->damaged(h->arg, list[i].id, why);
        else if (fault)
            failed = EC_EIO;        /* it may stand in that one */
        if (fault)
            err = EC_ENOENT;
    }
    free(list);
    return err == EC_ENOENT ? failed : err;
}
