#include "plugins/store/segment.h"

#include "plugins/store/migrate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define PARTS_MAX (1u << PARTS_SHIFT)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS event(row INTEGER PRIMARY KEY, id INTEGER NOT NULL, ts INTEGER NOT NULL,"
    " event_type TEXT NOT NULL, src_ip BLOB, dest_ip BLOB, src_port INTEGER, dest_port INTEGER,"
    " proto TEXT COLLATE NOCASE, app_proto TEXT, flow_id INTEGER, community_id TEXT, in_iface TEXT);"
    "CREATE TABLE IF NOT EXISTS json(row INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS batch(row INTEGER PRIMARY KEY, last INTEGER NOT NULL, ts_min INTEGER NOT NULL,"
    " ts_max INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value);"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, content='', columnsize=0, detail=none, "
    "tokenize='ascii');"
    "CREATE INDEX IF NOT EXISTS event_id ON event(id);"
    "CREATE INDEX IF NOT EXISTS event_type ON event(event_type);";
/* Built when the segment is finished: while it grows they would cost six times the insert. */
static const char *const later[] = {"src_ip",    "dest_ip", "src_port",    "dest_port",
                                    "app_proto", "flow_id", "community_id"};

struct segment_writer {
    sqlite3 *db;
    const struct schema *schema;
    segment_json_fn *json;
    void *arg;
    sqlite3_stmt *event, *text, *batch, *words, *begin, *commit, *rollback;
    sqlite3_stmt **part;            /* by table, NULL: not needed yet */
    struct text room, fts;
    char *proto[256];               /* names as the JSON has them, as they are met */
    int64_t rows;
    dev_t dev;
    ino_t ino;
};

/* Does the table have this column? */
static enum db_fault has_column(sqlite3 *db, const char *table, const char *column, bool *has, char *why, size_t n)
{
    sqlite3_stmt *st;
    enum db_fault fault =
        db_prepare(db, "SELECT 1 FROM pragma_table_info(?1) WHERE name=?2 COLLATE NOCASE", &st, why, n);
    int rc;

    if (fault)
        return fault;
    sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, column, -1, SQLITE_STATIC);
    rc = sqlite3_step(st);
    *has = rc == SQLITE_ROW;
    fault = db_say(db, rc, why, n);
    sqlite3_finalize(st);
    return fault;
}

static enum db_fault run_text(sqlite3 *db, struct text *sql, char *why, size_t n)
{
    enum db_fault fault = sql->failed ? DB_MEMORY : db_run(db, sql->base, why, n);

    text_clear(sql);
    return fault;
}

static enum db_fault make_table(sqlite3 *db, const struct table *t, struct text *sql, char *why, size_t n)
{
    enum db_fault fault;

    text_put(sql, "CREATE TABLE IF NOT EXISTS ");
    text_sql_name(sql, t->name);
    text_put(sql, "(key INTEGER PRIMARY KEY)");
    fault = run_text(db, sql, why, n);
    for (uint32_t i = 0; !fault && i < t->n_column; i++) {
        bool has = false;

        fault = has_column(db, t->name, t->column[i].name, &has, why, n);
        if (fault || has)
            continue;
        text_put(sql, "ALTER TABLE ");
        text_sql_name(sql, t->name);
        text_put(sql, " ADD COLUMN ");
        text_sql_name(sql, t->column[i].name);
        fault = run_text(db, sql, why, n);
    }
    return fault;
}

static enum db_fault make_tables(sqlite3 *db, const struct schema *s, int found, char *why, size_t n)
{
    struct text sql = { 0 };
    enum db_fault fault = db_run(db, "BEGIN IMMEDIATE", why, n);

    if (!fault)
        fault = db_run(db, tables, why, n);
    for (uint32_t i = 0; !fault && i < s->n_table; i++)
        if (s->table[i].n_column)
            fault = make_table(db, &s->table[i], &sql, why, n);
    if (!fault)
        fault = migrate(migrate_segment, found, db_run_step, db, why, n);
    if (!fault && found < SEGMENT_VERSION) {
        text_printf(&sql, "PRAGMA user_version=%d", SEGMENT_VERSION);
        fault = run_text(db, &sql, why, n);
    }
    if (!fault)
        fault = db_run(db, "COMMIT", why, n);
    text_free(&sql);
    return fault;
}

static enum db_fault prepare_all(struct segment_writer *w, char *why, size_t n)
{
    const struct { sqlite3_stmt **st; const char *sql; } all[] = {
        { &w->event, "INSERT INTO event VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)" },
        { &w->text, "INSERT INTO json VALUES(?1,?2)" },
        { &w->batch, "INSERT INTO batch VALUES(?1,?2,?3,?4)" },
        { &w->words, "INSERT INTO words(rowid,text) VALUES(?1,?2)" },
        { &w->begin, "BEGIN IMMEDIATE" },
        { &w->commit, "COMMIT" },
        { &w->rollback, "ROLLBACK" },
    };
    enum db_fault fault = db_number(w->db, "SELECT max(row) FROM event", &w->rows, why, n);

    for (uint32_t i = 0; !fault && i < sizeof all / sizeof all[0]; i++)
        fault = db_prepare(w->db, all[i].sql, all[i].st, why, n);
    return fault;
}

struct segment_writer *segment_writer_open(const struct schema *s, const char *path, segment_json_fn *json, void *arg,
                                           enum db_fault *fault, char *why, size_t n)
{
    struct segment_writer *w = calloc(1, sizeof *w);
    struct stat st;
    int found = 0;

    *fault = DB_MEMORY;
    snprintf(why, n, "out of memory");
    if (!w)
        return NULL;
    w->schema = s;
    w->json = json;
    w->arg = arg;
    w->part = calloc(s->n_table + 1u, sizeof *w->part);
    if (w->part)
        *fault = db_open(&w->db, path, 0, 0640, SEGMENT_VERSION, &found, why, n);
    if (!*fault)
        *fault = make_tables(w->db, s, found, why, n);
    if (!*fault)
        *fault = prepare_all(w, why, n);
    if (!*fault && !stat(path, &st)) {
        w->dev = st.st_dev;
        w->ino = st.st_ino;
        return w;
    }
    if (!*fault)
        *fault = DB_TROUBLE;
    segment_writer_close(w);
    return NULL;
}

void segment_writer_close(struct segment_writer *w)
{
    sqlite3_stmt *const all[] = { w->event, w->text, w->batch, w->words, w->begin, w->commit, w->rollback };

    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sqlite3_finalize(all[i]);
    for (uint32_t i = 0; w->part && i < w->schema->n_table; i++)
        sqlite3_finalize(w->part[i]);
    sqlite3_close(w->db);
    for (uint32_t i = 0; i < 256; i++)
        free(w->proto[i]);
    text_free(&w->room);
    text_free(&w->fts);
    free(w->part);
    free(w);
}

int64_t segment_writer_rows(const struct segment_writer *w)
{
    return w->rows;
}

bool segment_writer_lost(const struct segment_writer *w)
{
    const char *path = sqlite3_db_filename(w->db, "main");
    struct stat st;

    return stat(path, &st) || st.st_dev != w->dev || st.st_ino != w->ino;
}

static int step(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* The name of an IP protocol, learned from the first event that has it. */
static const char *proto_name(struct segment_writer *w, uint8_t proto, const char *json)
{
    static const char key[] = "\"proto\":\"";
    const char *at = w->proto[proto] ? NULL : strstr(json, key);    /* the head's: it stands before all parts */

    if (at) {
        at += sizeof key - 1;
        w->proto[proto] = strndup(at, strcspn(at, "\""));
    }
    return w->proto[proto];
}

static void bind_interned(struct segment_writer *w, int at, const char *space, uint32_t id)
{
    const char *name = id ? w->schema->host->interned(w->schema->host, space, id) : NULL;

    sqlite3_bind_text(w->event, at, name, -1, SQLITE_STATIC);
}

static int add_event(struct segment_writer *w, const struct ec_event *ev, int64_t row, const char *type,
                     const char *json)
{
    sqlite3_stmt *st = w->event;

    sqlite3_clear_bindings(st);
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_int64(st, 2, (int64_t)ev->id);
    sqlite3_bind_int64(st, 3, (int64_t)ev->ts_ns);
    sqlite3_bind_text(st, 4, type, -1, SQLITE_STATIC);
    if (ev->flags & EC_EV_IP) {
        sqlite3_bind_blob(st, 5, ev->src, 16, SQLITE_STATIC);
        sqlite3_bind_blob(st, 6, ev->dst, 16, SQLITE_STATIC);
        sqlite3_bind_text(st, 9, proto_name(w, ev->ip_proto, json), -1, SQLITE_STATIC);
    }
    if (ev->flags & EC_EV_PORTS) {
        sqlite3_bind_int(st, 7, ev->sport);
        sqlite3_bind_int(st, 8, ev->dport);
    }
    bind_interned(w, 10, "app_proto", ev->app_proto);
    if (ev->flags & EC_EV_FLOW)
        sqlite3_bind_int64(st, 11, (int64_t)ev->flow_id);
    if (ev->flags & EC_EV_COMMUNITY) {
        text_clear(&w->room);
        text_put(&w->room, "1:");
        text_base64(&w->room, ev->community, sizeof ev->community);
        sqlite3_bind_text(st, 12, w->room.base, -1, SQLITE_TRANSIENT);
    }
    bind_interned(w, 13, "iface", ev->iface);
    return step(st);
}

/* The statement of a table: its key and all its columns. */
static sqlite3_stmt *part_statement(struct segment_writer *w, uint32_t table)
{
    const struct table *t = &w->schema->table[table];
    struct text sql = { 0 };

    if (w->part[table])
        return w->part[table];
    text_put(&sql, "INSERT INTO ");
    text_sql_name(&sql, t->name);
    text_put(&sql, "(key");
    for (uint32_t i = 0; i < t->n_column; i++) {
        text_put(&sql, ",");
        text_sql_name(&sql, t->column[i].name);
    }
    text_put(&sql, ") VALUES(?1");
    for (uint32_t i = 0; i < t->n_column; i++)
        text_printf(&sql, ",?%u", i + 2);
    text_put(&sql, ")");
    if (!sql.failed)
        sqlite3_prepare_v3(w->db, sql.base, -1, SQLITE_PREPARE_PERSISTENT, &w->part[table], NULL);
    text_free(&sql);
    return w->part[table];
}

static void bind_cell(sqlite3_stmt *st, int at, const struct cell *c)
{
    switch (c->kind) {
    case SCHEMA_INTEGER:
        sqlite3_bind_int64(st, at, c->integer);
        break;
    case SCHEMA_REAL:
        sqlite3_bind_double(st, at, c->real);
        break;
    case SCHEMA_TEXT:
        sqlite3_bind_text(st, at, c->bytes, (int)c->len, SQLITE_TRANSIENT);
        break;
    case SCHEMA_BLOB:
        sqlite3_bind_blob(st, at, c->bytes, (int)c->len, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(st, at);
    }
}

static int add_part(struct segment_writer *w, const struct ec_part *p, int64_t key)
{
    const struct topic_map *m = schema_topic(w->schema, p);
    sqlite3_stmt *st;

    if (!m || !m->n_source)
        return SQLITE_OK;
    if (!(st = part_statement(w, m->table)))
        return sqlite3_errcode(w->db);
    sqlite3_clear_bindings(st);
    sqlite3_bind_int64(st, 1, key);
    for (uint32_t i = 0; i < m->n_source; i++) {
        const struct source *from = &m->source[i];
        struct cell cell;

        text_clear(&w->room);
        schema_cell(w->schema, from, p, &w->room, &cell);
        bind_cell(st, (int)from->column + 2, &cell);
        if (cell.kind == SCHEMA_TEXT && w->schema->table[m->table].column[from->column].fts) {
            text_put(&w->fts, " ");
            text_add(&w->fts, cell.bytes, cell.len);
        }
    }
    return step(st);
}

/* One event with all its parts. EC: DB_ROW: it cannot be stored. */
static enum db_fault add_one(struct segment_writer *w, const struct ec_event *ev, int64_t row)
{
    const struct ec_part *part[PARTS_MAX];
    uint32_t n = schema_parts(ev, part, PARTS_MAX);
    const struct topic_map *m = n ? schema_topic(w->schema, part[0]) : NULL;
    const char *json;
    int64_t len = m ? w->json(w->arg, ev, &json) : -1;
    int rc;

    if (len < 0)
        return DB_ROW;
    text_clear(&w->fts);
    rc = add_event(w, ev, row, m->type, json);
    if (!rc) {
        sqlite3_bind_int64(w->text, 1, row);
        sqlite3_bind_text64(w->text, 2, json, (sqlite3_uint64)len, SQLITE_STATIC, SQLITE_UTF8);
        rc = step(w->text);
    }
    for (uint32_t i = 0; !rc && i < n; i++)
        rc = add_part(w, part[i], row << PARTS_SHIFT | i);
    if (!rc && w->fts.len) {
        sqlite3_bind_int64(w->words, 1, row);
        sqlite3_bind_text(w->words, 2, w->fts.base, (int)w->fts.len, SQLITE_STATIC);
        rc = step(w->words);
    }
    return db_fault(rc);
}

static int add_batch(struct segment_writer *w, int64_t first, int64_t last, int64_t ts_min, int64_t ts_max)
{
    sqlite3_bind_int64(w->batch, 1, first);
    sqlite3_bind_int64(w->batch, 2, last);
    sqlite3_bind_int64(w->batch, 3, ts_min);
    sqlite3_bind_int64(w->batch, 4, ts_max);
    return step(w->batch);
}

/* The rows, within the open transaction. DB_ROW: begin anew without those in bad[]. */
static enum db_fault add_rows(struct segment_writer *w, const struct ec_event *const *ev, uint32_t n_ev, uint8_t *bad,
                              uint32_t *stored)
{
    int64_t ts_min = INT64_MAX, ts_max = INT64_MIN;
    enum db_fault fault;

    *stored = 0;
    for (uint32_t i = 0; i < n_ev; i++) {
        int64_t ts = (int64_t)ev[i]->ts_ns;

        if (bad[i])
            continue;
        fault = add_one(w, ev[i], w->rows + 1 + *stored);
        if (fault == DB_ROW)
            bad[i] = 1;
        if (fault)
            return fault;
        ++*stored;
        ts_min = ts < ts_min ? ts : ts_min;
        ts_max = ts > ts_max ? ts : ts_max;
    }
    return *stored ? db_fault(add_batch(w, w->rows + 1, w->rows + *stored, ts_min, ts_max)) : DB_OK;
}

enum db_fault segment_writer_add(struct segment_writer *w, const struct ec_event *const *ev, uint32_t n_ev,
                                 uint8_t *bad, uint32_t *stored, char *why, size_t n)
{
    enum db_fault fault;
    int rc;

    do {
        if ((rc = step(w->begin)))
            return db_say(w->db, rc, why, n);
        fault = add_rows(w, ev, n_ev, bad, stored);
        if (!fault && !(fault = db_fault(rc = step(w->commit)))) {
            w->rows += *stored;
            return DB_OK;
        }
        if (fault != DB_ROW)
            db_say(w->db, sqlite3_errcode(w->db), why, n);
        if (!sqlite3_get_autocommit(w->db))
            step(w->rollback);
    } while (fault == DB_ROW);      /* each time one more is left out */
    *stored = 0;
    return fault;
}

/* The next index that misses, as a statement; empty: all are there. */
static enum db_fault next_index(sqlite3 *db, const struct schema *s, struct text *sql, char *why, size_t n)
{
    enum db_fault fault = DB_OK;
    int64_t there;

    for (uint32_t i = 0; !fault && i < sizeof later / sizeof later[0]; i++) {
        there = 0;
        text_clear(sql);
        text_printf(sql, "SELECT 1 FROM sqlite_master WHERE type='index' AND name='event_%s'", later[i]);
        fault = sql->failed ? DB_MEMORY : db_number(db, sql->base, &there, why, n);
        text_clear(sql);
        if (!fault && !there) {
            text_printf(sql, "CREATE INDEX \"event_%s\" ON event(%s)", later[i], later[i]);
            return DB_OK;
        }
    }
    for (uint32_t i = 0; !fault && i < s->n_table; i++)
        for (uint32_t k = 0; !fault && k < s->table[i].n_column; k++) {
            struct text name = { 0 };
            bool has = false;

            if (!s->table[i].column[k].indexed)
                continue;
            text_printf(&name, "%s.%s", s->table[i].name, s->table[i].column[k].name);
            text_clear(sql);
            text_put(sql, "SELECT 1 FROM sqlite_master WHERE type='index' AND name=");
            text_sql_string(sql, name.failed ? "" : name.base);
            there = 0;
            fault = sql->failed ? DB_MEMORY : db_number(db, sql->base, &there, why, n);
            text_clear(sql);
            if (!fault && !there)
                fault = has_column(db, s->table[i].name, s->table[i].column[k].name, &has, why, n);
            if (!fault && has) {
                text_put(sql, "CREATE INDEX ");
                text_sql_name(sql, name.base);
                text_put(sql, " ON ");
                text_sql_name(sql, s->table[i].name);
                text_put(sql, "(");
                text_sql_name(sql, s->table[i].column[k].name);
                text_put(sql, ")");
            }
            text_free(&name);
            if (sql->len)
                return DB_OK;
        }
    return fault;
}

enum db_fault segment_finish(const struct schema *s, const char *path, bool *more, char *why, size_t n)
{
    struct text sql = { 0 };
    sqlite3 *db;
    int found;
    int64_t finished = 0;
    enum db_fault fault = db_open(&db, path, 0, 0640, SEGMENT_VERSION, &found, why, n);

    *more = false;
    if (fault)
        return fault;
    if (found && found < SEGMENT_VERSION)
        fault = make_tables(db, s, found, why, n);
    if (found && !fault)
        fault = db_number(db, "SELECT 1 FROM meta WHERE key='finished'", &finished, why, n);
    if (found && !fault && !finished) {
        fault = next_index(db, s, &sql, why, n);
        *more = sql.len != 0;
        if (!fault && !*more)
            text_put(&sql, "INSERT OR REPLACE INTO meta VALUES('finished',1); PRAGMA wal_checkpoint(TRUNCATE)");
        if (!fault)
            fault = run_text(db, &sql, why, n);
    }
    text_free(&sql);
    sqlite3_close(db);
    *more = *more && !fault;
    return fault;
}
