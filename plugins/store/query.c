#include "plugins/store/query.h"

#include "plugins/store/lite.h"
#include "plugins/store/pages.h"
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
    if (sscanf(s, "%8u.%6u.%18llu.%16llx%n", &c->id.day, &c->id.number, &row, &h, &end) != 4 || end < 0 || s[end])
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
    struct reader *reader;          /* whose statement it is */
    struct stmt *st;
    struct sql sql;                 /* its values */
    struct text object;
    struct kept *kept;              /* it is read into this, too; NULL: into nothing */
    ec_store_event_fn *fn;
    void *arg;
    uint32_t left;                  /* rows that still fit */
    bool more;                      /* there is one behind the last */
    bool stopped;                   /* fn has enough */
};

/* The event as it is handed out: {"id":"…", and then what eve.json has. As text, for 63 bits are more than the numbers
 * of most JSON readers hold. */
static void put_object(struct text *t, int64_t id, const char *json, size_t len)
{
    char head[40] = "{\"id\":\"", *at = head + sizeof head;
    uint64_t v = (uint64_t)id;

    if (len > 2)
        *--at = ',';
    *--at = '"';
    do
        *--at = (char)('0' + v % 10);
    while (v /= 10);
    text_add(t, head, 7);
    text_add(t, at, (size_t)(head + sizeof head - at));
    text_add(t, json + 1, len - 1);
}

/* Not 0: it is enough. */
static int32_t hand_out(struct page *p, int64_t id, struct cursor at, const char *json, size_t len)
{
    bool keep = p->kept && !p->kept->failed;
    struct text *t = keep ? &p->kept->json : &p->object;
    size_t begin = keep ? t->len : 0, end;

    if (!keep)
        text_clear(t);
    put_object(t, id, json, len);
    if (t->failed)
        return EC_ENOMEM;
    end = t->len;
    if (keep)
        kept_add(p->kept, (uint64_t)id, at, begin);
    return p->fn(p->arg, (uint64_t)id, t->base + begin, (uint32_t)(end - begin));
}

static enum db_fault page_open(struct scan *s, struct reader *r)
{
    struct page *p = s->arg;
    enum db_fault fault;

    p->reader = r;
    p->sql.n_bind = 0;
    text_printf(&p->sql.text, "SELECT e.row,e.id,j.text FROM event e%s%s WHERE e.row BETWEEN ?1 AND ?2",
                r->reach.dialect->join, r->reach.dialect->json_on);
    filter_sql(s->filter, &r->reach, &p->sql);
    text_printf(&p->sql.text, s->oldest_first ? " ORDER BY e.row LIMIT %u" : " ORDER BY e.row DESC LIMIT %u",
                p->left + 1);
    fault = p->sql.text.failed ? DB_MEMORY : reader_prepare(r, p->sql.text.base, &p->st, s->why, s->n_why);
    if (!fault)
        sql_bind(&p->sql, p->st);
    return fault;
}

static void page_close(struct scan *s)
{
    struct page *p = s->arg;

    reader_done(p->reader, p->st);
    p->st = NULL;
    sql_free(&p->sql);
}

static enum db_fault page_piece(struct scan *s, struct reader *r, int64_t first, int64_t last, bool *done)
{
    struct page *p = s->arg;
    enum db_fault fault;
    bool row;

    stmt_bind_integer(p->st, 1, first);
    stmt_bind_integer(p->st, 2, last);
    while (!(fault = stmt_step(p->st, &row, s->why, s->n_why)) && row) {
        size_t len;
        const char *json = stmt_bytes(p->st, 2, &len);

        if (!p->left) {
            p->more = *done = true;
            break;
        }
        if (!json || len < 2)
            continue;
        s->at = (struct cursor){ r->id, stmt_integer(p->st, 0) };
        p->left--;
        if (hand_out(p, stmt_integer(p->st, 1), s->at, json, len)) {
            p->stopped = p->more = *done = true;
            break;
        }
    }
    stmt_reset(p->st);
    return fault;
}

/* Too many values for one statement is found here, once, and not in each segment. */
static int32_t check_size(const struct query_host *h, const struct filter *f, char *why, uint32_t n)
{
    struct reach r = { h->schema, NULL, false, &lite_dialect };
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

/* kept: where the page is kept, too, if it is whole. */
static int32_t read_page(const struct query_host *h, const struct ec_query *q, ec_store_event_fn *fn, void *arg,
                         struct kept *kept, struct ec_page *page, char *why, uint32_t n)
{
    struct page p = { .kept = kept, .fn = fn, .arg = arg,
                      .left = q->limit < 1 ? 1 : q->limit > 1000 ? 1000 : q->limit };
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
    if (kept) {
        kept->failed |= err || page->flags || p.stopped;
        kept->filter = p.filter.hash;
        memcpy(kept->next, page->next, sizeof kept->next);
    }
    text_free(&p.object);
    filter_free(&p.filter);
    return err;
}

int32_t query_events(const struct query_host *h, const struct ec_query *q, ec_store_event_fn *fn, void *arg,
                     struct ec_page *page, char *why, uint32_t n)
{
    struct kept *k = h->pages ? pages_ask(h->pages, h, q) : NULL;
    int32_t err = EC_OK;

    if (k && k->whole)
        kept_hand_out(k, fn, arg, page);
    else
        err = read_page(h, q, fn, arg, k, page, why, n);
    pages_done(h->pages, k);
    return err;
}

/* One event of one segment. EC_ENOENT: it is not there. */
static int32_t event_of(struct reader *r, uint64_t id, ec_store_event_fn *fn, void *arg, enum db_fault *fault,
                        char *why, uint32_t n)
{
    struct text object = { 0 };
    const char *json = NULL;
    struct stmt *st;
    size_t len = 0;
    bool row;

    *fault = conn_prepare(r->conn,
                          "SELECT j.text FROM event e JOIN json j ON j.row=e.row WHERE e.id=?1 AND"
                          " e.row BETWEEN ?2 AND ?3 ORDER BY e.row DESC LIMIT 1", &st, why, n);
    if (*fault)
        return EC_EIO;
    stmt_bind_integer(st, 1, (int64_t)id);
    stmt_bind_integer(st, 2, r->first);
    stmt_bind_integer(st, 3, r->last);
    *fault = stmt_step(st, &row, why, n);
    if (!*fault && row && (json = stmt_bytes(st, 0, &len)) && len >= 2) {
        put_object(&object, (int64_t)id, json, len);
        if (!object.failed)
            fn(arg, id, object.base, (uint32_t)object.len);
    }
    text_free(&object);
    stmt_finalize(st);
    return *fault ? EC_EIO : json && len >= 2 ? EC_OK : EC_ENOENT;
}

int32_t query_event(const struct query_host *h, uint64_t id, ec_store_event_fn *fn, void *arg, char *why, uint32_t n)
{
    uint32_t n_segment;
    struct segment *list = segments_list(h->segments, &n_segment);
    int32_t err = EC_ENOENT, failed = readers_ready(h->readers, why, n) ? EC_EIO : EC_ENOENT;

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

static enum db_fault known_here(struct reader *r, const uint64_t *id, uint32_t n_id, uint8_t *there, char *why,
                                uint32_t n)
{
    struct stmt *st;
    enum db_fault fault = conn_prepare(
        r->conn, "SELECT 1 FROM event e WHERE e.id=?1 AND e.row BETWEEN ?2 AND ?3 LIMIT 1", &st, why, n);
    bool row;

    for (uint32_t i = 0; !fault && i < n_id; i++) {
        if (there[i])
            continue;
        stmt_bind_integer(st, 1, (int64_t)id[i]);
        stmt_bind_integer(st, 2, r->first);
        stmt_bind_integer(st, 3, r->last);
        fault = stmt_step(st, &row, why, n);
        there[i] = !fault && row;
        stmt_reset(st);
    }
    stmt_finalize(st);
    return fault;
}

int32_t query_known(const struct query_host *h, const uint64_t *id, uint32_t n_id, uint32_t day, uint8_t *there,
                    char *why, uint32_t n)
{
    enum db_fault fault = readers_ready(h->readers, why, n);
    uint32_t n_segment;
    struct segment *list = segments_list(h->segments, &n_segment);

    for (uint32_t i = n_segment; list && !fault && i-- && list[i].id.day >= day;) {
        struct reader *r = readers_take(h->readers, list[i].id, &fault, why, n);

        if (!r)
            continue;
        fault = known_here(r, id, n_id, there, why, n);
        readers_give(h->readers, r);
    }
    free(list);
    return fault ? EC_EIO : EC_OK;
}
