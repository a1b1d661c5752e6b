#include "plugins/store/query.h"

#include "plugins/store/scan.h"
#include "plugins/store/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE_MOST 16384             /* rows: what is cut short by time counts for nothing */

struct counting {
    struct filter filter;
    const struct field *field;
    const char *key;
    struct stmt *st[2];             /* both sides of "ip" and "port" */
    struct sql sql[2];              /* and their values */
    struct tally tally;
    struct text text;
};

/* Does any of it look into the JSON? Else its rows need not be read. */
static bool needs_json(const struct text *t)
{
    return t->base && strstr(t->base, "j.text");
}

static enum db_fault side_open(struct scan *s, struct reader *r, int side)
{
    struct counting *c = s->arg;
    struct sql *sql = &c->sql[side], value = { .n_bind = 0 };
    struct text join = { 0 }, where = { 0 };
    enum db_fault fault;

    sql->n_bind = 0;
    filter_expression(c->field, c->key, &r->reach, side, &value, &join);
    filter_sql(s->filter, &r->reach, sql);
    where = sql->text;
    sql->text = (struct text){ 0 };
    text_printf(&sql->text, "SELECT %s,count(*) FROM event e", value.text.base ? value.text.base : "NULL");
    if (needs_json(&value.text) || needs_json(&join) || needs_json(&where))
        text_printf(&sql->text, "%s%s", r->reach.dialect->join, r->reach.dialect->json_on);
    text_printf(&sql->text, "%s WHERE e.row BETWEEN ?1 AND ?2%s GROUP BY 1", join.base ? join.base : "",
                where.base ? where.base : "");
    sql->text.failed |= value.text.failed || where.failed;
    text_free(&where);
    sql_free(&value);
    fault = sql->text.failed || join.failed ? DB_MEMORY
                                            : conn_prepare(r->conn, sql->text.base, &c->st[side], s->why, s->n_why);
    if (!fault)
        sql_bind(sql, c->st[side]);
    text_free(&join);
    return fault;
}

static enum db_fault count_open(struct scan *s, struct reader *r)
{
    struct counting *c = s->arg;
    enum db_fault fault = side_open(s, r, 0);

    if (!fault && c->field->place == FIELD_EITHER)
        fault = side_open(s, r, 1);
    return fault;
}

static void count_close(struct scan *s)
{
    struct counting *c = s->arg;

    for (int i = 0; i < 2; i++) {
        stmt_finalize(c->st[i]);
        c->st[i] = NULL;
        sql_free(&c->sql[i]);
    }
}

/* As the JSON has it: "2026-11-22T14:30:00.123456+0000". */
static void put_time(struct text *t, int64_t ns)
{
    time_t s = (time_t)(ns / 1000000000);
    char day[32];
    struct tm tm;

    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
    text_printf(t, "%s.%06d+0000", day, (int)(ns % 1000000000 / 1000));
}

static const char *value_text(struct counting *c, struct stmt *st)
{
    uint16_t type = c->field->type;
    size_t n;
    const void *v = stmt_bytes(st, 0, &n);

    if (!v)
        return NULL;
    text_clear(&c->text);
    if (type == EC_T_IP && n == 16)
        text_ip(&c->text, v);
    else if (type == EC_T_TIME)
        put_time(&c->text, stmt_integer(st, 0));
    else if (type == EC_T_BOOL)
        text_put(&c->text, stmt_integer(st, 0) ? "true" : "false");
    else
        text_add(&c->text, v, strnlen(v, n));
    return c->text.base;
}

static enum db_fault count_piece(struct scan *s, struct reader *r, int64_t first, int64_t last, bool *done)
{
    struct counting *c = s->arg;
    enum db_fault fault = DB_OK;
    bool row;

    (void)r;
    (void)done;
    for (int i = 0; i < 2 && c->st[i] && !fault; i++) {
        stmt_bind_integer(c->st[i], 1, first);
        stmt_bind_integer(c->st[i], 2, last);
        while (!(fault = stmt_step(c->st[i], &row, s->why, s->n_why)) && row) {
            const char *text = value_text(c, c->st[i]);

            if (text && !tally_add(&c->tally, text, (uint64_t)stmt_integer(c->st[i], 1))) {
                fault = DB_MEMORY;
                break;
            }
        }
        stmt_reset(c->st[i]);
    }
    return fault;
}

static int32_t count_field(struct counting *c, const struct schema *schema, const char *field, char **key, char *why,
                           uint32_t n)
{
    struct ec_filter has = { sizeof has, EC_F_HAS, field, NULL };
    struct filter one;
    int32_t err = filter_terms(&one, &schema->fields, &has, 1, sizeof has, why, n);

    if (err)
        return err;
    c->field = one.term[0].field;
    *key = one.term[0].key;
    one.term[0].key = NULL;
    if (c->field->type == EC_T_MAP && !*key) {
        snprintf(why, n, "%s holds names and values: ask for %s.NAME", c->field->path, c->field->path);
        err = EC_EINVAL;
    }
    filter_free(&one);
    return err;
}

int32_t query_count(const struct query_host *h, const struct ec_query *q, const char *field, uint32_t top,
                    ec_store_count_fn *fn, void *arg, struct ec_page *page, char *why, uint32_t n)
{
    struct counting c = { .field = NULL };
    struct scan s = { .host = h, .filter = &c.filter, .open = count_open, .piece = count_piece, .close = count_close,
                      .most = PIECE_MOST, .arg = &c, .why = why, .n_why = n };
    char *key = NULL;
    int32_t err = count_field(&c, h->schema, field, &key, why, n);

    page->flags = 0;
    *page->next = '\0';
    c.key = key;
    if (!err)
        err = query_filter(h, q, &c.filter, why, n);
    if (!err)
        err = scan_run(&s);
    if (!err) {
        tally_sort(&c.tally);
        page->flags |= s.late || s.hole || c.tally.full ? EC_PAGE_PARTIAL : 0;
        for (uint32_t i = 0; i < top && i < c.tally.n; i++)
            if (fn(arg, c.tally.entry[i].text, c.tally.entry[i].n))
                break;
    }
    text_free(&c.text);
    tally_free(&c.tally);
    filter_free(&c.filter);
    free(key);
    return err;
}
