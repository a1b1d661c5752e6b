#include "plugins/store/pgwriter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX   (1u << PARTS_SHIFT)
#define LEXEME_MAX  2046         /* bytes, of PostgreSQL */
#define WORDS_BYTES (512u << 10) /* of one tsvector, below PostgreSQL's bound of 1 MiB */

struct pgwriter {
    PGconn *c;
    const struct schema *schema;
    const char *url;
    segment_json_fn *json;
    void *arg;
    uint32_t day;
    int64_t row;                                      /* the last one of that day */
    struct text event, text, words, *part, room, fts; /* lines of COPY; part: by table */
    char *proto[256];
    /* Of the batch that comes again after trouble: so many of its first events are in. */
    uint32_t done, done_stored;
    int64_t unsure_row; /* its COMMIT was sent and not answered: its last row, and what it would make done */
    uint32_t unsure, unsure_stored;
};

struct pgwriter *pgwriter_new(const struct schema *s, const char *url, segment_json_fn *json, void *arg)
{
    struct pgwriter *w = calloc(1, sizeof *w);

    if (!w || !(w->part = calloc(s->n_table + 1u, sizeof *w->part))) {
        free(w);
        return NULL;
    }
    w->schema = s;
    w->url = url;
    w->json = json;
    w->arg = arg;
    return w;
}

void pgwriter_close(struct pgwriter *w)
{
    PQfinish(w->c);
    w->c = NULL;
}

void pgwriter_free(struct pgwriter *w)
{
    if (!w)
        return;
    pgwriter_close(w);
    for (uint32_t i = 0; i < w->schema->n_table; i++)
        text_free(&w->part[i]);
    for (uint32_t i = 0; i < 256; i++)
        free(w->proto[i]);
    text_free(&w->event);
    text_free(&w->text);
    text_free(&w->words);
    text_free(&w->room);
    text_free(&w->fts);
    free(w->part);
    free(w);
}

/* A value as COPY's text format has it. */
static void put_text(struct text *to, const char *s, size_t n)
{
    size_t from = 0;

    for (size_t i = 0; i < n; i++) {
        const char *as = s[i] == '\\'   ? "\\\\"
                         : s[i] == '\n' ? "\\n"
                         : s[i] == '\t' ? "\\t"
                         : s[i] == '\r' ? "\\r"
                                        : NULL;

        if (!as)
            continue;
        text_add(to, s + from, i - from);
        text_put(to, as);
        from = i + 1;
    }
    text_add(to, s + from, n - from);
}

static void put_cell(struct text *to, const struct cell *c)
{
    text_put(to, "\t");
    switch (c->kind) {
    case SCHEMA_INTEGER:
        text_printf(to, "%lld", (long long)c->integer);
        break;
    case SCHEMA_REAL:
        text_printf(to, "%.17g", c->real);
        break;
    case SCHEMA_TEXT:
        put_text(to, c->bytes, c->len);
        break;
    case SCHEMA_BLOB:
        text_put(to, "\\\\x");
        text_hex(to, c->bytes, c->len);
        break;
    default:
        text_put(to, "\\N");
    }
}

static void put_integer(struct text *to, int64_t v)
{
    put_cell(to, &(struct cell){.kind = SCHEMA_INTEGER, .integer = v});
}

static void put_string(struct text *to, const char *s)
{
    put_cell(to, &(struct cell){.kind = s ? SCHEMA_TEXT : SCHEMA_NULL, .bytes = s, .len = s ? (uint32_t)strlen(s) : 0});
}

static void put_if(struct text *to, bool is, int64_t v)
{
    put_cell(to, &(struct cell){.kind = is ? SCHEMA_INTEGER : SCHEMA_NULL, .integer = v});
}

static void put_ip(struct text *to, bool is, const uint8_t ip[16])
{
    put_cell(to, &(struct cell){.kind = is ? SCHEMA_BLOB : SCHEMA_NULL, .bytes = ip, .len = 16});
}

/* The name of an IP protocol, learned from the first event that has it. */
static const char *proto_name(struct pgwriter *w, uint8_t proto, const char *json)
{
    static const char key[] = "\"proto\":\"";
    const char *at = w->proto[proto] ? NULL : strstr(json, key);

    if (at) {
        at += sizeof key - 1;
        w->proto[proto] = strndup(at, strcspn(at, "\""));
    }
    return w->proto[proto];
}

static const char *interned(struct pgwriter *w, const char *space, uint32_t id)
{
    return id ? w->schema->host->interned(w->schema->host, space, id) : NULL;
}

static void put_event(struct pgwriter *w, const struct ec_event *ev, int64_t row, const char *type, const char *json)
{
    bool ip = (ev->flags & EC_EV_IP) != 0, ports = (ev->flags & EC_EV_PORTS) != 0;
    struct text *to = &w->event;

    text_printf(to, "%lld", (long long)row);
    put_integer(to, (int64_t)ev->id);
    put_integer(to, (int64_t)ev->ts_ns);
    put_string(to, type);
    put_ip(to, ip, ev->src);
    put_ip(to, ip, ev->dst);
    put_if(to, ports, ev->sport);
    put_if(to, ports, ev->dport);
    put_string(to, ip ? proto_name(w, ev->ip_proto, json) : NULL);
    put_string(to, interned(w, "app_proto", ev->app_proto));
    put_if(to, (ev->flags & EC_EV_FLOW) != 0, (int64_t)ev->flow_id);
    text_clear(&w->room);
    if (ev->flags & EC_EV_COMMUNITY) {
        text_put(&w->room, "1:");
        text_base64(&w->room, ev->community, sizeof ev->community);
    }
    put_string(to, ev->flags & EC_EV_COMMUNITY ? w->room.base : NULL);
    put_string(to, interned(w, "iface", ev->iface));
    text_put(to, "\n");
}

static void put_part(struct pgwriter *w, const struct ec_part *p, int64_t key)
{
    const struct topic_map *m = schema_topic(w->schema, p);
    const struct table *t;
    struct text *to;
    struct cell cell[SCHEMA_COLUMNS];
    size_t at[SCHEMA_COLUMNS];

    if (!m || !m->n_source)
        return;
    t = &w->schema->table[m->table];
    to = &w->part[m->table];
    memset(cell, 0, t->n_column * sizeof *cell);
    text_clear(&w->room);
    for (uint32_t i = 0; i < m->n_source; i++) {
        struct cell *c = &cell[m->source[i].column];

        at[m->source[i].column] = w->room.len;
        schema_cell(w->schema, &m->source[i], p, &w->room, c);
        /* What was made in the room may move with it: told apart by its place in it. */
        if (c->kind != SCHEMA_TEXT || w->room.len == at[m->source[i].column])
            at[m->source[i].column] = SIZE_MAX;
    }
    text_printf(to, "%lld", (long long)key);
    for (uint32_t i = 0; i < t->n_column; i++) {
        if (cell[i].kind == SCHEMA_TEXT && at[i] != SIZE_MAX)
            cell[i].bytes = w->room.base + at[i];
        put_cell(to, &cell[i]);
        if (cell[i].kind == SCHEMA_TEXT && t->column[i].fts) {
            text_put(&w->fts, " ");
            text_add(&w->fts, cell[i].bytes, cell[i].len);
        }
    }
    text_put(to, "\n");
}

/* The words of an event as a tsvector. */
static void put_words(struct pgwriter *w, int64_t row)
{
    const char *at = w->fts.base;
    size_t n, from;

    if (!w->fts.len || w->fts.failed)
        return;
    text_printf(&w->words, "%lld\t", (long long)row);
    from = w->words.len;
    for (; (n = text_word(&at)) && w->words.len - from < WORDS_BYTES; at += n) {
        text_put(&w->words, "'");
        text_lower(&w->words, at, n > LEXEME_MAX ? LEXEME_MAX : n);
        text_put(&w->words, "' ");
    }
    text_put(&w->words, "\n");
}

/* NUL in a text of the JSON is what PostgreSQL cannot take apart. */
static void put_json(struct text *to, int64_t row, const char *json, size_t n)
{
    const char *nul = strstr(json, "\\u0000");
    char *copy = nul ? strdup(json) : NULL;

    for (char *s = copy; s && (s = strstr(s, "\\u0000"));)
        memcpy(s, "\\ufffd", 6);
    text_printf(to, "%lld\t", (long long)row);
    put_text(to, copy ? copy : json, n);
    text_put(to, "\n");
    free(copy);
}

/* The lines of one event. False: it cannot be stored. */
static bool put_one(struct pgwriter *w, const struct ec_event *ev, int64_t row)
{
    const struct ec_part *part[PARTS_MAX];
    uint32_t n = schema_parts(ev, part, PARTS_MAX);
    const struct topic_map *m = n ? schema_topic(w->schema, part[0]) : NULL;
    const char *json;
    int64_t len = m ? w->json(w->arg, ev, &json) : -1;

    if (len < 0)
        return false;
    text_clear(&w->fts);
    put_event(w, ev, row, m->type, json);
    put_json(&w->text, row, json, (size_t)len);
    for (uint32_t i = 0; i < n; i++)
        put_part(w, part[i], row << PARTS_SHIFT | i);
    put_words(w, row);
    return true;
}

static void clear_lines(struct pgwriter *w)
{
    text_clear(&w->event);
    text_clear(&w->text);
    text_clear(&w->words);
    for (uint32_t i = 0; i < w->schema->n_table; i++)
        text_clear(&w->part[i]);
}

static enum db_fault copy(struct pgwriter *w, const char *sql, const struct text *lines, char *why, size_t n)
{
    if (lines->failed)
        return DB_MEMORY;
    return lines->len ? pg_copy(w->c, sql, lines->base, lines->len, why, n) : DB_OK;
}

static enum db_fault copy_part(struct pgwriter *w, uint32_t table, char *why, size_t n)
{
    const struct table *t = &w->schema->table[table];
    struct text sql = {0};
    enum db_fault fault;

    if (!w->part[table].len)
        return DB_OK;
    text_put(&sql, "COPY ");
    text_sql_name(&sql, t->name);
    text_put(&sql, "(key");
    for (uint32_t i = 0; i < t->n_column; i++) {
        text_put(&sql, ",");
        text_sql_name(&sql, t->column[i].name);
    }
    text_put(&sql, ") FROM STDIN");
    fault = sql.failed ? DB_MEMORY : copy(w, sql.base, &w->part[table], why, n);
    text_free(&sql);
    return fault;
}

static enum db_fault copy_all(struct pgwriter *w, char *why, size_t n)
{
    enum db_fault fault = copy(w, "COPY event FROM STDIN", &w->event, why, n);

    if (!fault)
        fault = copy(w, "COPY json FROM STDIN", &w->text, why, n);
    if (!fault)
        fault = copy(w, "COPY words FROM STDIN", &w->words, why, n);
    for (uint32_t i = 0; !fault && i < w->schema->n_table; i++)
        fault = copy_part(w, i, why, n);
    return fault;
}

/* Within the open transaction. single: each event of its own, and what cannot be stored is left out. */
static enum db_fault add_rows(struct pgwriter *w, const struct ec_event *const *ev, uint32_t n_ev, bool single,
                              uint32_t *stored, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    *stored = 0;
    clear_lines(w);
    for (uint32_t i = 0; !fault && i < n_ev; i++) {
        if (!put_one(w, ev[i], w->row + 1 + *stored))
            continue;
        ++*stored;
        if (!single)
            continue;
        fault = pg_run(w->c, "SAVEPOINT one", why, n);
        if (!fault)
            fault = copy_all(w, why, n);
        if (fault == DB_ROW) {
            fault = pg_run(w->c, "ROLLBACK TO one", why, n);
            --*stored;
        }
        clear_lines(w);
    }
    return fault || single ? fault : copy_all(w, why, n);
}

static enum db_fault add_batch(struct pgwriter *w, const struct ec_event *const *ev, uint32_t n_ev, uint32_t stored,
                               char *why, size_t n)
{
    long long first = INT64_MAX, last = INT64_MIN;
    char sql[200];

    if (!stored)
        return DB_OK;
    for (uint32_t i = 0; i < n_ev; i++) {
        first = (int64_t)ev[i]->ts_ns < first ? (int64_t)ev[i]->ts_ns : first;
        last = (int64_t)ev[i]->ts_ns > last ? (int64_t)ev[i]->ts_ns : last;
    }
    snprintf(sql, sizeof sql, "INSERT INTO batch VALUES(%lld,%lld,%lld,%lld)", (long long)w->row + 1,
             (long long)w->row + stored, first, last);
    return pg_run(w->c, sql, why, n);
}

static enum db_fault transaction(struct pgwriter *w, const struct ec_event *const *ev, uint32_t n_ev, bool single,
                                 uint32_t *stored, char *why, size_t n)
{
    enum db_fault fault = pg_run(w->c, "BEGIN", why, n);

    if (!fault)
        fault = add_rows(w, ev, n_ev, single, stored, why, n);
    if (!fault)
        fault = add_batch(w, ev, n_ev, *stored, why, n);
    if (!fault) {
        w->unsure = n_ev;
        w->unsure_stored = *stored;
        w->unsure_row = w->row + *stored;
        fault = pg_run(w->c, "COMMIT", why, n);
        if (!fault || PQstatus(w->c) == CONNECTION_OK)
            w->unsure = 0;
        if (!fault)
            w->row += *stored;
    }
    if (fault)
        pg_undo(w->c);
    return fault;
}

static enum db_fault day_open(struct pgwriter *w, uint32_t day, char *why, size_t n)
{
    int64_t base = pgschema_base(day);
    enum db_fault fault = pgschema_day(w->c, w->schema, day, why, n);
    char sql[160];

    w->row = base;
    snprintf(sql, sizeof sql, "SELECT max(e.row) FROM event e WHERE e.row BETWEEN %lld AND %lld", (long long)base,
             (long long)base + (1ll << PG_DAY_SHIFT) - 1);
    if (!fault)
        fault = pg_number(w->c, sql, &w->row, why, n);
    w->day = fault ? 0 : day;
    return fault;
}

/* Did the commit come through whose answer was lost? */
static enum db_fault settle(struct pgwriter *w, char *why, size_t n)
{
    int64_t there = 0;
    enum db_fault fault;
    char sql[96];

    if (!w->unsure)
        return DB_OK;
    snprintf(sql, sizeof sql, "SELECT 1 FROM event e WHERE e.row=%lld", (long long)w->unsure_row);
    fault = w->unsure_stored ? pg_number(w->c, sql, &there, why, n) : DB_OK;
    if (fault)
        return fault;
    if (there) {
        w->done += w->unsure;
        w->done_stored += w->unsure_stored;
    }
    w->unsure = 0;
    return DB_OK;
}

static enum db_fault writer_open(struct pgwriter *w, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    if (w->c && PQstatus(w->c) == CONNECTION_OK)
        return DB_OK;
    pgwriter_close(w);
    w->day = 0;
    if (!(w->c = pg_connect(w->url, NULL, &fault, why, n)))
        return fault;
    /* The connection before this one may be on its way out. */
    fault = pg_run(w->c, "SET lock_timeout='2s'; SELECT pg_advisory_lock(7212027); SET lock_timeout=0", why, n);
    if (fault && PQstatus(w->c) == CONNECTION_OK)
        snprintf(why, n, "PostgreSQL: another eCyber writes its events into this database");
    if (!fault)
        fault = pgschema_make(w->c, w->schema, why, n);
    if (!fault)
        fault = settle(w, why, n);
    if (fault)
        pgwriter_close(w);
    return fault;
}

enum db_fault pgwriter_add(struct pgwriter *w, uint32_t day, const struct ec_event *const *ev, uint32_t n_ev,
                           uint32_t *stored, char *why, size_t n)
{
    enum db_fault fault = writer_open(w, why, n);
    uint32_t more = 0;

    if (!fault && w->day < day)
        fault = day_open(w, day, why, n);
    if (!fault && w->done < n_ev)
        fault = transaction(w, ev + w->done, n_ev - w->done, false, &more, why, n);
    if (fault == DB_ROW)
        fault = transaction(w, ev + w->done, n_ev - w->done, true, &more, why, n);
    *stored = fault ? 0 : w->done_stored + more;
    if (!fault)
        w->done = w->done_stored = 0;
    return fault;
}
