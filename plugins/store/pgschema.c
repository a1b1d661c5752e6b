#include "plugins/store/pgschema.h"

#include "plugins/store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ec_X(jsonb): the value as it is compared. ec_each: the elements of an array, or the one value that stands there. */
static const char functions[] =
    "CREATE OR REPLACE FUNCTION ec_text(v jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    " SELECT CASE jsonb_typeof(v) WHEN 'boolean' THEN CASE WHEN v='true' THEN '1' ELSE '0' END ELSE v #>> '{}' END $$;"
    "CREATE OR REPLACE FUNCTION ec_int(v jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    " SELECT CASE jsonb_typeof(v) WHEN 'boolean' THEN CASE WHEN v='true' THEN 1 ELSE 0 END WHEN 'number' THEN CASE"
    "  WHEN v::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN trunc(v::numeric)::bigint"
    "  WHEN v::numeric BETWEEN 9223372036854775808 AND 18446744073709551615"
    "   THEN trunc(v::numeric-18446744073709551616)::bigint END END $$;"
    "CREATE OR REPLACE FUNCTION ec_real(v jsonb) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    " SELECT CASE jsonb_typeof(v) WHEN 'number' THEN v::double precision END $$;"
    "CREATE OR REPLACE FUNCTION ec_ip(v text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    " SELECT CASE WHEN v !~ '^[0-9a-fA-F:.]{2,45}$' THEN NULL WHEN family(v::inet)=4"
    "  THEN '\\x00000000000000000000ffff'::bytea || substr(inet_send(v::inet),5) ELSE substr(inet_send(v::inet),5) END "
    "$$;"
    "CREATE OR REPLACE FUNCTION ec_time(v text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$"
    " SELECT CASE WHEN v ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' THEN"
    "  (extract(epoch FROM v::timestamptz)*1000000)::bigint*1000 END $$;"
    "CREATE OR REPLACE FUNCTION ec_each(j jsonb, p text) RETURNS TABLE(value jsonb) LANGUAGE sql STABLE AS $$"
    " SELECT e.value FROM (SELECT jsonb_path_query_first(j,replace(p,E'\\\\',E'\\\\\\\\')::jsonpath) v) s,"
    "  LATERAL jsonb_array_elements(CASE jsonb_typeof(s.v) WHEN 'array' THEN s.v"
    "  WHEN 'object' THEN (SELECT coalesce(jsonb_agg(x.value),'[]') FROM jsonb_each(s.v) x)"
    "  ELSE jsonb_build_array(s.v) END) e WHERE s.v IS NOT NULL $$;";

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS event(\"row\" bigint PRIMARY KEY, id bigint NOT NULL, ts bigint NOT NULL,"
    " event_type text COLLATE \"C\" NOT NULL, src_ip bytea, dest_ip bytea, src_port bigint, dest_port bigint,"
    " proto text COLLATE \"C\", app_proto text COLLATE \"C\", flow_id bigint, community_id text COLLATE \"C\","
    " in_iface text COLLATE \"C\") PARTITION BY RANGE(\"row\");"
    "CREATE TABLE IF NOT EXISTS json(\"row\" bigint PRIMARY KEY, text text NOT NULL) PARTITION BY RANGE(\"row\");"
    "CREATE TABLE IF NOT EXISTS batch(\"row\" bigint PRIMARY KEY, last bigint NOT NULL, ts_min bigint NOT NULL,"
    " ts_max bigint NOT NULL) PARTITION BY RANGE(\"row\");"
    "CREATE TABLE IF NOT EXISTS words(\"row\" bigint PRIMARY KEY, words tsvector NOT NULL)"
    " PARTITION BY RANGE(\"row\");"
    "CREATE INDEX IF NOT EXISTS event_id ON event(id);"
    "CREATE INDEX IF NOT EXISTS event_type ON event(event_type);"
    "CREATE INDEX IF NOT EXISTS words_words ON words USING gin(words);";
static const char *const common[] = {"event", "json", "batch", "words"};
static const char *const later[] = {"src_ip",    "dest_ip", "src_port",    "dest_port",
                                    "app_proto", "flow_id", "community_id"};
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof(a)[0]))

const char *pgschema_type(uint16_t type)
{
    switch (type) {
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64:
    case EC_T_TIME:
    case EC_T_DURATION:
    case EC_T_SIZE:
    case EC_T_BOOL:
        return "bigint";
    case EC_T_F64:
        return "double precision";
    case EC_T_IP:
        return "bytea";
    default:
        return "text COLLATE \"C\"";
    }
}

int64_t pgschema_base(uint32_t day)
{
    struct tm tm = {
        .tm_year = (int)(day / 10000) - 1900, .tm_mon = (int)(day / 100 % 100) - 1, .tm_mday = (int)(day % 100)};

    return (int64_t)(timegm(&tm) / 86400) << PG_DAY_SHIFT;
}

static enum db_fault run_text(PGconn *c, struct text *sql, char *why, size_t n)
{
    enum db_fault fault = sql->failed ? DB_MEMORY : !sql->len ? DB_OK : pg_run(c, sql->base, why, n);

    text_free(sql);
    return fault;
}

static void table_sql(struct text *sql, const struct table *t)
{
    text_put(sql, "CREATE TABLE IF NOT EXISTS ");
    text_sql_name(sql, t->name);
    text_put(sql, "(key bigint PRIMARY KEY) PARTITION BY RANGE(key);");
    for (uint32_t i = 0; i < t->n_column; i++) {
        text_put(sql, "ALTER TABLE ");
        text_sql_name(sql, t->name);
        text_put(sql, " ADD COLUMN IF NOT EXISTS ");
        text_sql_name(sql, t->column[i].name);
        text_printf(sql, " %s;", pgschema_type(t->column[i].type));
    }
}

static enum db_fault run_step(void *arg, const char *sql, char *why, size_t n)
{
    return pg_run(arg, sql, why, n);
}

enum db_fault pgschema_make(PGconn *c, const struct schema *s, char *why, size_t n)
{
    static const char begin[] =
        "BEGIN; SELECT pg_advisory_xact_lock(7212026); CREATE SCHEMA IF NOT EXISTS ecyber; SET search_path=ecyber;"
        "CREATE TABLE IF NOT EXISTS meta(key text PRIMARY KEY, value bigint NOT NULL);";
    struct text sql = {0};
    int64_t version = 0;
    enum db_fault fault = pg_run(c, begin, why, n);
    char end[160];

    if (!fault)
        fault = pg_number(c, "SELECT value FROM meta WHERE key='version'", &version, why, n);
    if (!fault && version > PG_VERSION_OURS) {
        snprintf(why, n,
                 "PostgreSQL: the schema \"ecyber\" has format %lld, and this eCyber knows up to %d: run the newer "
                 "eCyber that made it, or give store.url another database",
                 (long long)version, PG_VERSION_OURS);
        fault = DB_NEWER;
    }
    text_printf(&sql, "%s%s", functions, tables);
    for (uint32_t i = 0; i < s->n_table; i++)
        if (s->table[i].n_column)
            table_sql(&sql, &s->table[i]);
    if (!fault)
        fault = run_text(c, &sql, why, n);
    text_free(&sql);
    if (!fault)
        fault = migrate(migrate_postgresql, (int)version, run_step, c, why, n);
    snprintf(end, sizeof end,
             "INSERT INTO meta VALUES('version',%d) ON CONFLICT(key) DO UPDATE SET value=excluded.value; COMMIT",
             PG_VERSION_OURS);
    if (!fault)
        fault = pg_run(c, end, why, n);
    if (fault)
        pg_undo(c);
    return fault;
}

enum db_fault pgschema_days(PGconn *c, struct segments *list, char *why, size_t n)
{
    static const char sql[] = "SELECT left(c.relname,8) FROM pg_inherits i JOIN pg_class c ON c.oid=i.inhrelid"
                              " WHERE i.inhparent='ecyber.event'::regclass AND c.relname ~ '^[0-9]{8}_event$'";
    PGresult *r;
    enum db_fault fault = pg_query(c, sql, PG_ANSWER_MS, &r, why, n);

    for (int i = 0; !fault && i < PQntuples(r); i++)
        if (!segments_add(list, (struct segment_id){(uint32_t)strtoul(PQgetvalue(r, i, 0), NULL, 10), 1}))
            fault = DB_MEMORY;
    PQclear(r);
    return fault;
}

/* The name of a table's partition, quoted. */
static void part_name(struct text *sql, uint32_t day, const char *table)
{
    struct text name = {0};

    text_printf(&name, "%08u_%s", day, table);
    text_sql_name(sql, name.failed ? "" : name.base);
    sql->failed |= name.failed;
    text_free(&name);
}

static void part_sql(struct text *sql, uint32_t day, const char *table, int shift)
{
    long long base = (long long)pgschema_base(day), next = base + (1ll << PG_DAY_SHIFT);

    text_put(sql, "CREATE TABLE IF NOT EXISTS ");
    part_name(sql, day, table);
    text_put(sql, " PARTITION OF ");
    text_sql_name(sql, table);
    text_printf(sql, " FOR VALUES FROM (%lld) TO (%lld);", base << shift, next << shift);
}

enum db_fault pgschema_day(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n)
{
    struct text sql = {0};

    for (uint32_t i = 0; i < COUNT(common); i++)
        part_sql(&sql, day, common[i], 0);
    for (uint32_t i = 0; i < s->n_table; i++)
        if (s->table[i].n_column)
            part_sql(&sql, day, s->table[i].name, 8);
    return run_text(c, &sql, why, n);
}

static void index_sql(struct text *sql, uint32_t day, const char *table, const char *column)
{
    struct text of = {0};

    text_printf(&of, "%s.%s", table, column);
    text_put(sql, "CREATE INDEX IF NOT EXISTS ");
    part_name(sql, day, of.failed ? "" : of.base);
    text_put(sql, " ON ");
    part_name(sql, day, table);
    text_put(sql, "(");
    text_sql_name(sql, column);
    text_put(sql, ");");
    text_free(&of);
}

enum db_fault pgschema_index(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n)
{
    struct text sql = {0};
    PGresult *r = NULL;
    enum db_fault fault = pgschema_day(c, s, day, why, n); /* tables that are younger than that day */

    for (uint32_t i = 0; i < COUNT(later); i++)
        index_sql(&sql, day, "event", later[i]);
    for (uint32_t i = 0; i < s->n_table; i++)
        for (uint32_t k = 0; k < s->table[i].n_column; k++)
            if (s->table[i].column[k].indexed)
                index_sql(&sql, day, s->table[i].name, s->table[i].column[k].name);
    if (!fault && sql.failed)
        fault = DB_MEMORY;
    if (!fault)
        fault = pg_query(c, sql.base, PG_INDEX_MS, &r, why, n);
    PQclear(r);
    text_free(&sql);
    return fault;
}

enum db_fault pgschema_drop(PGconn *c, const struct schema *s, uint32_t day, char *why, size_t n)
{
    struct text sql = {0};

    text_put(&sql, "BEGIN; SET LOCAL lock_timeout='5s';");
    for (uint32_t i = 0; i < COUNT(common) + s->n_table; i++) {
        text_put(&sql, "DROP TABLE IF EXISTS ");
        part_name(&sql, day, i < COUNT(common) ? common[i] : s->table[i - COUNT(common)].name);
        text_put(&sql, ";");
    }
    text_put(&sql, "COMMIT");
    return run_text(c, &sql, why, n);
}

enum db_fault pgschema_bytes(PGconn *c, uint32_t day, uint64_t *bytes, char *why, size_t n)
{
    char sql[320], which[40] = "c.relname ~ '^[0-9]{8}_'";
    int64_t v = 0;
    enum db_fault fault;

    if (day)
        snprintf(which, sizeof which, "left(c.relname,9)='%08u_'", day);
    snprintf(sql, sizeof sql,
             "SELECT coalesce(sum(pg_total_relation_size(c.oid)),0)::bigint FROM pg_class c JOIN pg_namespace s"
             " ON s.oid=c.relnamespace WHERE s.nspname='ecyber' AND c.relkind='r' AND %s",
             which);
    fault = pg_number(c, sql, &v, why, n);
    *bytes = (uint64_t)v;
    return fault;
}
