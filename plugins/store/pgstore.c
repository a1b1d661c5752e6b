#include "plugins/store/pgstore.h"

#include "plugins/store/pgwriter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WHY 4600

struct pgstore {
    struct backend backend;
    char *url;
    struct pgwriter *writer;
    pthread_mutex_t keeping;
    PGconn *keeper;     /* for retention and indices */
    bool complained;    /* that it does not work, and that was said */
    atomic_bool listed; /* the days that are there are known */
};

static struct pgstore *of(struct backend *b)
{
    return (struct pgstore *)b;
}

static enum db_fault pg_write(struct backend *b, const struct ec_event *const *ev, uint32_t n, uint64_t now,
                              uint32_t *stored, char *why, size_t n_why)
{
    uint32_t day = segment_day(now);
    struct segment_id id;

    if (!segments_current(b->segments, day, false, &id))
        return DB_MEMORY;
    return pgwriter_add(of(b)->writer, id.day, ev, n, stored, why, n_why);
}

static void pg_rest(struct backend *b)
{
    pgwriter_close(of(b)->writer);
}

static enum db_fault learn(struct reader *x, const struct schema *s)
{
    if (!(x->has = calloc(s->n_table + 1u, sizeof *x->has)))
        return DB_MEMORY;
    x->n_table = s->n_table;
    for (uint32_t i = 0; i < s->n_table; i++) {
        if (!(x->has[i] = malloc(s->table[i].n_column + 1u)))
            return DB_MEMORY;
        memset(x->has[i], 1, s->table[i].n_column + 1u);
    }
    x->reach = (struct reach){s, (const uint8_t *const *)x->has, true, &pg_dialect};
    return DB_OK;
}

static enum db_fault pg_reader(struct backend *b, struct reader *x, char *why, size_t n)
{
    enum db_fault fault = x->has ? DB_OK : learn(x, b->schema);

    if (!fault && !x->conn)
        fault = (x->conn = pg_conn(of(b)->url, NULL, NULL, NULL)) ? pg_conn_ready(x->conn, why, n) : DB_MEMORY;
    x->first = pgschema_base(x->id.day) + 1;
    x->last = x->first + (INT64_C(1) << PG_DAY_SHIFT) - 2;
    /* The newest day may still be written, also where this run has not begun to: what it holds is not remembered. */
    pthread_mutex_lock(&b->segments->lock);
    x->finished = b->segments->n && segment_compare(x->id, b->segments->segment[b->segments->n - 1].id) < 0;
    pthread_mutex_unlock(&b->segments->lock);
    return fault;
}

static void pg_damaged(struct backend *b, struct segment_id id, const char *why)
{
    (void)id;
    backend_sayf(b, STREAM_ERROR, "%s", why);
}

/* With `keeping`. */
static enum db_fault keeper_ready(struct pgstore *p, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    if (p->keeper && PQstatus(p->keeper) == CONNECTION_OK)
        return DB_OK;
    PQfinish(p->keeper);
    p->keeper = pg_connect(p->url, NULL, &fault, why, n);
    if (!fault && !atomic_load(&p->listed)) {
        fault = pgschema_make(p->keeper, p->backend.schema, why, n);
        if (!fault)
            fault = pgschema_days(p->keeper, p->backend.segments, why, n);
        atomic_store(&p->listed, !fault);
        if (fault) {
            PQfinish(p->keeper);
            p->keeper = NULL;
        }
    }
    return fault;
}

static enum db_fault pg_ready(struct backend *b, char *why, size_t n)
{
    struct pgstore *p = of(b);
    enum db_fault fault;

    if (atomic_load(&p->listed))
        return DB_OK;
    pthread_mutex_lock(&p->keeping);
    fault = keeper_ready(p, why, n);
    pthread_mutex_unlock(&p->keeping);
    return fault;
}

static void complain(struct pgstore *p, enum db_fault fault, const char *why)
{
    if (fault && !p->complained)
        backend_sayf(&p->backend, STREAM_WARNING,
                     "%s; days are not listed, closed or deleted until it answers; tried again", why);
    p->complained = fault != DB_OK;
}

static bool pg_finish(struct backend *b, uint64_t now)
{
    struct pgstore *p = of(b);
    enum db_fault fault = DB_OK;
    char why[WHY] = "out of memory";
    bool more = false;
    uint32_t n;
    struct segment *list = segments_list(b->segments, &n);

    pthread_mutex_lock(&p->keeping);
    for (uint32_t i = 0; list && i < n && !more && !fault; i++) {
        if (list[i].finished || list[i].id.day >= segment_day(now) || i == n - 1)
            continue;
        if (!(fault = keeper_ready(p, why, sizeof why)))
            fault = pgschema_index(p->keeper, b->schema, list[i].id.day, why, sizeof why);
        if (!fault)
            segments_finished(b->segments, list[i].id);
        more = !fault;
        complain(p, fault, why);
    }
    pthread_mutex_unlock(&p->keeping);
    free(list);
    return more;
}

/* The oldest day, where it goes by these limits; 0: none. */
static enum db_fault oldest(struct pgstore *p, uint64_t now, struct backend_limits limits, struct segment_id *id,
                            char *why, size_t n)
{
    struct backend *b = &p->backend;
    uint32_t days, day = limits.age && limits.age < now ? segment_day(now - limits.age) : 0;
    struct segment *list = segments_list(b->segments, &days);
    enum db_fault fault = DB_OK;
    uint64_t bytes = 0;

    id->day = 0;
    if (days > 1) {
        *id = list[0].id;
        if (id->day >= day) {
            if (limits.bytes)
                fault = pgschema_bytes(p->keeper, 0, &bytes, why, n);
            if (fault || bytes <= limits.bytes)
                id->day = 0;
        }
    }
    free(list);
    return fault;
}

static uint32_t pg_expire(struct backend *b, uint64_t now, struct backend_limits limits)
{
    struct pgstore *p = of(b);
    struct segment_id id = {0, 0};
    char why[WHY] = "out of memory";
    enum db_fault fault;
    uint32_t n = 0;

    pthread_mutex_lock(&p->keeping);
    fault = keeper_ready(p, why, sizeof why);
    while (!fault && !(fault = oldest(p, now, limits, &id, why, sizeof why)) && id.day) {
        if ((fault = pgschema_drop(p->keeper, b->schema, id.day, why, sizeof why)))
            break;
        segments_forget(b->segments, id);
        backend_sayf(b, STREAM_INFO,
                     "the events of %u are deleted: they are kept within store.keep and store.keep_bytes", id.day);
        n++;
    }
    complain(p, fault, why);
    pthread_mutex_unlock(&p->keeping);
    return n;
}

static uint64_t pg_bytes_all(struct backend *b, uint32_t *n)
{
    struct pgstore *p = of(b);
    uint64_t bytes = 0;
    char why[WHY];

    pthread_mutex_lock(&b->segments->lock);
    *n = b->segments->n;
    pthread_mutex_unlock(&b->segments->lock);
    pthread_mutex_lock(&p->keeping);
    if (!keeper_ready(p, why, sizeof why))
        pgschema_bytes(p->keeper, 0, &bytes, why, sizeof why);
    pthread_mutex_unlock(&p->keeping);
    return bytes;
}

static const struct backend_ops ops = {true,       pg_write,  pg_rest,   pg_reader,
                                       pg_damaged, pg_ready,  pg_finish, pg_expire, pg_bytes_all};

struct backend *pgstore_open(const struct backend *b, const char *url, char *why, size_t n)
{
    struct pgstore *p = calloc(1, sizeof *p);
    enum db_fault fault = DB_MEMORY;

    snprintf(why, n, "out of memory");
    if (!p)
        return NULL;
    p->backend = *b;
    p->backend.ops = &ops;
    pthread_mutex_init(&p->keeping, NULL);
    backend_open(&p->backend);
    if ((p->url = strdup(url)) && (p->writer = pgwriter_new(b->schema, p->url, b->json, b->json_arg)))
        fault = keeper_ready(p, why, n);
    if (fault == DB_TROUBLE) {      /* it may come back: events are spooled meanwhile */
        complain(p, fault, why);
        fault = DB_OK;
    }
    if (!fault)
        return &p->backend;
    pgstore_close(&p->backend);
    return NULL;
}

void pgstore_close(struct backend *b)
{
    struct pgstore *p = of(b);

    pgwriter_free(p->writer);
    PQfinish(p->keeper);
    pthread_mutex_destroy(&p->keeping);
    backend_close(b);
    free(p->url);
    free(p);
}

/* The tables of documents. */
static enum db_fault documents_first(void *arg, PGconn *c, char *why, size_t n)
{
    struct text all = {0};
    enum db_fault fault;

    text_printf(&all, "BEGIN; SELECT pg_advisory_xact_lock(%d); CREATE SCHEMA IF NOT EXISTS ecyber; %s COMMIT",
                PG_LOCK_SCHEMA, (const char *)arg);
    fault = all.failed ? DB_MEMORY : pg_run(c, all.base, why, n);
    text_free(&all);
    if (fault)
        pg_undo(c);
    return fault;
}

static struct conn *documents_open_pg(char *at, const char *sql, enum db_fault *fault, char *why, size_t n)
{
    struct conn *c = pg_conn(at, "SET synchronous_commit=on", documents_first, (void *)sql);

    *fault = c ? pg_conn_ready(c, why, n) : DB_MEMORY;
    if (*fault == DB_TROUBLE)       /* it may come back */
        *fault = DB_OK;
    if (!*fault)
        return c;
    conn_close(c);
    return NULL;
}

static bool no_set_aside(char *at, char *to, size_t n)
{
    (void)at;
    (void)to;
    (void)n;
    return false;
}

const struct documents_ops documents_pg = {&pg_dialect, documents_open_pg, no_set_aside};
