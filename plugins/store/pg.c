#include "plugins/store/pg.h"

#include "plugins/store/filter.h"
#include "plugins/store/readers.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DOOR_NS UINT64_C(1000000000) /* between two attempts to reach a server that is away */
#define BRISK_NS UINT64_C(200000000) /* who is refused faster keeps nobody waiting */
#define COPY_PIECE (256 << 10)

enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701 };

struct pg {
    struct conn conn;
    PGconn *c;
    char *url;
    const char *setup;
    uint64_t timeout; /* ms, as the server knows it */
    pg_first_fn *first;
    void *first_arg;
};
struct param {
    struct cell cell;
    uint64_t word;
};
struct pg_stmt {
    struct stmt stmt;
    struct text sql;
    struct param *param;
    uint32_t n_param;
    PGresult *result;
    int row;
    unsigned char *bytes; /* of the last value of type bytea */
};

static void quiet(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static enum db_fault fault_of(const char *state)
{
    if (!strcmp(state, "57014"))
        return DB_STOPPED;
    if (!strncmp(state, "22", 2) || !strncmp(state, "23", 2) || !strncmp(state, "54", 2))
        return DB_ROW;
    return !strcmp(state, "53200") ? DB_MEMORY : DB_TROUBLE;
}

/* The first line of what libpq says. */
static void describe(const char *s, char *why, size_t n)
{
    static const char *const severity[] = {"ERROR:  ", "FATAL:  ", "PANIC:  "};

    for (uint32_t i = 0; i < 3; i++)
        if (!strncmp(s, severity[i], strlen(severity[i])))
            s += strlen(severity[i]);
    snprintf(why, n, "PostgreSQL: %.*s", (int)strcspn(s, "\n"), *s ? s : "the connection is lost");
}

/* What a result means; it is freed where it is no success. */
static enum db_fault judge(PGconn *c, PGresult **r, char *why, size_t n)
{
    ExecStatusType status = PQresultStatus(*r);
    const char *state = *r ? PQresultErrorField(*r, PG_DIAG_SQLSTATE) : NULL;
    enum db_fault fault;

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN)
        return DB_OK;
    describe(*r ? PQresultErrorMessage(*r) : PQerrorMessage(c), why, n);
    fault = state ? fault_of(state) : DB_TROUBLE;
    PQclear(*r);
    *r = NULL;
    return fault;
}

/* Servers that hang do not refuse, so each wait has an end, and after one nobody else waits as long as he did. */
static struct {
    pthread_mutex_t lock;
    bool failing, trying;           /* the last attempt to connect, or to get an answer, took long; one is under way */
    uint64_t until;                 /* ns of readers_clock(): no further attempt before */
    char why[300];
} door = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool door_open(char *why, size_t n)
{
    bool open;

    pthread_mutex_lock(&door.lock);
    open = !door.failing || (!door.trying && readers_clock() >= door.until);
    if (open)
        door.trying = true;
    else
        snprintf(why, n, "%s", door.why);
    pthread_mutex_unlock(&door.lock);
    return open;
}

static void door_shut(bool failed, const char *why)
{
    pthread_mutex_lock(&door.lock);
    door.failing = failed;
    door.trying = false;
    door.until = readers_clock() + DOOR_NS;
    if (failed)
        snprintf(door.why, sizeof door.why, "%s", why);
    pthread_mutex_unlock(&door.lock);
}

/* False: it took too long. */
static bool wait_for(PGconn *c, short events, uint64_t end, short *came)
{
    for (;;) {
        struct pollfd p = {PQsocket(c), events, 0};
        uint64_t now = readers_clock();
        int n = now < end ? poll(&p, 1, (int)((end - now) / 1000000 + 1)) : 0;

        *came = p.revents;
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
        if (!n && readers_clock() >= end)
            return false;
    }
}

static bool flush(PGconn *c, uint64_t end)
{
    short came;

    while (PQflush(c) == 1) {
        if (!wait_for(c, POLLIN | POLLOUT, end, &came))
            return false;
        if ((came & POLLIN) && !PQconsumeInput(c))
            break;                  /* the result says why */
    }
    return true;
}

/* Whoever is at the other end does not answer: the connection is no longer one. */
static enum db_fault hang_up(PGconn *c, uint32_t ms, char *why, size_t n)
{
    snprintf(why, n, "PostgreSQL does not answer: nothing came within %g s", ms / 1000.0);
    shutdown(PQsocket(c), SHUT_RDWR);
    for (int i = 0; i < 3 && PQstatus(c) == CONNECTION_OK; i++)
        PQconsumeInput(c);
    door_shut(true, why);
    return DB_TROUBLE;
}

enum db_fault pg_answer(PGconn *c, int sent, uint32_t ms, PGresult **result, char *why, size_t n)
{
    uint64_t end = readers_clock() + ms * UINT64_C(1000000);
    PGresult *r, *last = NULL;
    short came;

    *result = NULL;
    if (sent && !flush(c, end))
        return hang_up(c, ms, why, n);
    while (sent) {
        while (PQisBusy(c)) {
            if (!wait_for(c, POLLIN, end, &came)) {
                PQclear(last);
                return hang_up(c, ms, why, n);
            }
            if (!PQconsumeInput(c))
                break;
        }
        if (!(r = PQgetResult(c)))
            break;
        PQclear(last);
        last = r;
        if (PQresultStatus(r) == PGRES_COPY_IN)
            break;
    }
    *result = last;
    return judge(c, result, why, n);
}

enum db_fault pg_query(PGconn *c, const char *sql, uint32_t ms, PGresult **result, char *why, size_t n)
{
    return pg_answer(c, PQsendQuery(c, sql), ms, result, why, n);
}

enum db_fault pg_run(PGconn *c, const char *sql, char *why, size_t n)
{
    PGresult *r;
    enum db_fault fault = pg_query(c, sql, PG_ANSWER_MS, &r, why, n);

    PQclear(r);
    return fault;
}

void pg_undo(PGconn *c)
{
    char why[300];

    if (PQstatus(c) == CONNECTION_OK)
        pg_run(c, "ROLLBACK", why, sizeof why);
}

enum db_fault pg_copy(PGconn *c, const char *sql, const char *lines, size_t len, char *why, size_t n)
{
    uint64_t end = readers_clock() + PG_ANSWER_MS * UINT64_C(1000000);
    enum db_fault fault = pg_run(c, sql, why, n);
    PGresult *r;
    int rc = 0;

    if (fault)
        return fault;
    while (len && rc >= 0) {
        int piece = len > COPY_PIECE ? COPY_PIECE : (int)len;
        short came;

        rc = PQputCopyData(c, lines, piece);
        if (rc > 0) {
            lines += piece;
            len -= (size_t)piece;
        }
        if (!flush(c, end) || (!rc && !wait_for(c, POLLIN | POLLOUT, end, &came)))
            return hang_up(c, PG_ANSWER_MS, why, n);
    }
    fault = pg_answer(c, rc >= 0 && PQputCopyEnd(c, NULL) >= 0, PG_ANSWER_MS, &r, why, n);
    PQclear(r);
    return fault;
}

enum db_fault pg_number(PGconn *c, const char *sql, int64_t *v, char *why, size_t n)
{
    PGresult *r;
    enum db_fault fault = pg_query(c, sql, PG_ANSWER_MS, &r, why, n);

    if (!fault && PQntuples(r) && !PQgetisnull(r, 0, 0))
        *v = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    return fault;
}

/* What every connection begins with. */
static enum db_fault begin(PGconn *c, const char *sql, char *why, size_t n)
{
    static const char settings[] =
        "SET standard_conforming_strings=on; SET timezone='UTC'; SET jit=off; SET client_min_messages=warning;"
        "SET search_path=ecyber; SET idle_in_transaction_session_timeout='60s'";
    const char *encoding = PQparameterStatus(c, "server_encoding");
    enum db_fault fault;

    PQsetNoticeReceiver(c, quiet, NULL);
    if (!encoding || strcmp(encoding, "UTF8")) {
        snprintf(why, n,
                 "PostgreSQL: the database's encoding is %s, and events need UTF8: CREATE DATABASE … ENCODING "
                 "'UTF8' TEMPLATE template0",
                 encoding ? encoding : "unknown");
        return DB_NEWER;
    }
    fault = pg_run(c, settings, why, n);
    return fault || !sql ? fault : pg_run(c, sql, why, n);
}

/* Does a server that answers refuse us, for good? Others may come back. */
static bool refuses(const char *said)
{
    static const char *const passing[] = {"starting up", "shutting down", "too many", "recovery", "not yet accepting",
                                          "remaining connection slots", "terminating"};

    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strstr(said, passing[i]))
            return false;
    return strstr(said, "FATAL:") != NULL;
}

/* The door is open. tcp_user_timeout and keepalives are for peers that vanish; what the URL says of them goes first. */
static PGconn *dial(const char *url, const char *sql, enum db_fault *fault, char *why, size_t n)
{
    static const char *const key[] = {"connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
                                      "keepalives_count", "application_name", "dbname", "client_encoding", NULL};
    const char *const value[] = {"3", "10000", "10", "5", "3", "ecyber", url, "UTF8", NULL};
    PGconn *c = PQconnectdbParams(key, value, 1);

    *fault = DB_MEMORY;
    if (!c)
        return NULL;
    if (PQstatus(c) != CONNECTION_OK) {
        describe(PQerrorMessage(c), why, n);
        *fault = refuses(PQerrorMessage(c)) ? DB_REFUSED : DB_TROUBLE;
    } else {
        PQsetnonblocking(c, 1);
        *fault = begin(c, sql, why, n);
    }
    if (!*fault)
        return c;
    PQfinish(c);
    return NULL;
}

PGconn *pg_connect(const char *url, const char *sql, enum db_fault *fault, char *why, size_t n)
{
    uint64_t begun = readers_clock();
    PGconn *c;

    *fault = DB_TROUBLE;
    if (!door_open(why, n))
        return NULL;
    c = dial(url, sql, fault, why, n);
    door_shut(!c && readers_clock() - begun > BRISK_NS, why);
    return c;
}

/* ?1 becomes $1, but in quotes. */
static void parameters(struct text *to, const char *sql)
{
    char quote = '\0';

    for (; *sql; sql++) {
        bool is = *sql == '?' && !quote;

        if (quote ? *sql == quote : *sql == '\'' || *sql == '"')
            quote = quote ? '\0' : *sql;
        text_add(to, is ? "$" : sql, 1);
    }
}

static enum db_fault pg_prepare(struct conn *c, const char *sql, struct stmt **st, char *why, size_t n)
{
    struct pg_stmt *x = calloc(1, sizeof *x);

    (void)why;
    (void)n;
    if (!x)
        return DB_MEMORY;
    x->stmt.conn = c;
    parameters(&x->sql, sql);
    *st = &x->stmt;
    if (!x->sql.failed)
        return DB_OK;
    c->ops->finalize(&x->stmt);
    *st = NULL;
    return DB_MEMORY;
}

static void pg_bind(struct stmt *st, uint32_t at, const struct cell *v)
{
    struct pg_stmt *x = (struct pg_stmt *)st;

    if (at > x->n_param) {
        struct param *grown = realloc(x->param, at * sizeof *grown);

        if (!grown) {
            x->sql.failed = true;
            return;
        }
        memset(grown + x->n_param, 0, (at - x->n_param) * sizeof *grown);
        x->param = grown;
        x->n_param = at;
    }
    x->param[at - 1].cell = *v;
}

/* The parameters in binary, as the server takes them. */
static int send_it(struct pg *p, struct pg_stmt *x)
{
    uint32_t n = x->n_param;
    Oid *type = calloc(n + 1u, sizeof *type);
    const char **value = calloc(n + 1u, sizeof *value);
    int *len = calloc(n + 1u, sizeof *len), *format = calloc(n + 1u, sizeof *format), sent = 0;

    for (uint32_t i = 0; type && value && len && format && i < n; i++) {
        struct param *a = &x->param[i];

        format[i] = 1;
        type[i] = a->cell.kind == SCHEMA_INTEGER ? OID_INT8
                  : a->cell.kind == SCHEMA_REAL  ? OID_FLOAT8
                  : a->cell.kind == SCHEMA_BLOB  ? OID_BYTEA
                                                 : OID_TEXT;
        if (a->cell.kind == SCHEMA_INTEGER || a->cell.kind == SCHEMA_REAL) {
            memcpy(&a->word, a->cell.kind == SCHEMA_REAL ? (const void *)&a->cell.real : (const void *)&a->cell.integer,
                   sizeof a->word);
            a->word = htobe64(a->word);
            value[i] = (const char *)&a->word;
            len[i] = sizeof a->word;
        } else if (a->cell.kind != SCHEMA_NULL) {
            value[i] = a->cell.bytes ? a->cell.bytes : "";
            len[i] = (int)a->cell.len;
        }
    }
    if (type && value && len && format)
        sent = PQsendQueryParams(p->c, x->sql.base, (int)n, type, value, len, format, 0);
    free(type);
    free(value);
    free(len);
    free(format);
    return sent;
}

static enum db_fault come_back(struct pg *p, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    PQfinish(p->c);
    p->timeout = 0;
    if (!(p->c = pg_connect(p->url, p->setup, &fault, why, n)))
        return fault;
    if (p->first && !(fault = p->first(p->first_arg, p->c, why, n)))
        p->first = NULL;
    if (fault) {
        PQfinish(p->c);
        p->c = NULL;
    }
    return fault;
}

/* Is there a connection, and does the server know how long a statement may take? */
static enum db_fault ready(struct pg *p, char *why, size_t n)
{
    uint64_t now = p->conn.deadline ? readers_clock() : 0, ms = 0;
    enum db_fault fault;
    char sql[64];

    if (p->conn.deadline && now >= p->conn.deadline)
        return DB_STOPPED;
    if ((!p->c || PQstatus(p->c) != CONNECTION_OK) && (fault = come_back(p, why, n)))
        return fault;
    if (p->conn.deadline)
        ms = (p->conn.deadline - now) / 1000000 + 1;
    if (ms == p->timeout)
        return DB_OK;
    snprintf(sql, sizeof sql, "SET statement_timeout=%llu", (unsigned long long)ms);
    p->timeout = ms;
    return pg_run(p->c, sql, why, n);
}

static enum db_fault pg_step(struct stmt *st, bool *row, char *why, size_t n)
{
    struct pg_stmt *x = (struct pg_stmt *)st;
    struct pg *p = (struct pg *)st->conn;
    enum db_fault fault;

    if (x->sql.failed)
        return DB_MEMORY;
    if (!x->result) {
        if ((fault = ready(p, why, n)))
            return fault;
        x->row = -1;
        /* The server knows the deadline; it gets a moment to say that it has passed. */
        fault = pg_answer(p->c, send_it(p, x), (uint32_t)p->timeout + PG_BRIEF_MS, &x->result, why, n);
        if (fault)
            return fault;
    }
    *row = ++x->row < PQntuples(x->result);
    return DB_OK;
}

static int64_t pg_integer(struct stmt *st, uint32_t column)
{
    struct pg_stmt *x = (struct pg_stmt *)st;

    return strtoll(PQgetvalue(x->result, x->row, (int)column), NULL, 10);
}

static const void *pg_bytes(struct stmt *st, uint32_t column, size_t *n)
{
    struct pg_stmt *x = (struct pg_stmt *)st;
    const char *s = PQgetvalue(x->result, x->row, (int)column);

    if (PQgetisnull(x->result, x->row, (int)column))
        return NULL;
    *n = (size_t)PQgetlength(x->result, x->row, (int)column);
    if (PQftype(x->result, (int)column) != OID_BYTEA)
        return s;
    PQfreemem(x->bytes);
    return x->bytes = PQunescapeBytea((const unsigned char *)s, n);
}

static int64_t pg_changed(struct stmt *st)
{
    return strtoll(PQcmdTuples(((struct pg_stmt *)st)->result), NULL, 10);
}

static void pg_reset(struct stmt *st)
{
    struct pg_stmt *x = (struct pg_stmt *)st;

    PQclear(x->result);
    x->result = NULL;
}

static void pg_finalize(struct stmt *st)
{
    struct pg_stmt *x = (struct pg_stmt *)st;

    PQclear(x->result);
    PQfreemem(x->bytes);
    text_free(&x->sql);
    free(x->param);
    free(x);
}

static enum db_fault pg_conn_run(struct conn *c, const char *sql, char *why, size_t n)
{
    struct pg *p = (struct pg *)c;
    enum db_fault fault = ready(p, why, n);

    return fault ? fault : pg_run(p->c, sql, why, n);
}

static void pg_close(struct conn *c)
{
    struct pg *p = (struct pg *)c;

    PQfinish(p->c);
    free(p->url);
    free(p);
}

static const struct conn_ops ops = {.dialect = &pg_dialect,
                                    .prepare = pg_prepare,
                                    .bind = pg_bind,
                                    .step = pg_step,
                                    .integer = pg_integer,
                                    .bytes = pg_bytes,
                                    .changed = pg_changed,
                                    .reset = pg_reset,
                                    .finalize = pg_finalize,
                                    .run = pg_conn_run,
                                    .close = pg_close};

struct conn *pg_conn(const char *url, const char *sql, pg_first_fn *first, void *arg)
{
    struct pg *p = calloc(1, sizeof *p);

    if (!p || !(p->url = strdup(url))) {
        free(p);
        return NULL;
    }
    p->conn.ops = &ops;
    p->setup = sql;
    p->first = first;
    p->first_arg = arg;
    return &p->conn;
}

enum db_fault pg_conn_ready(struct conn *c, char *why, size_t n)
{
    return ready((struct pg *)c, why, n);
}

static void value(struct text *to, const struct field *f, const char *source, const char *path)
{
    static const char *const convert[][2] = {{"ec_text(", ") COLLATE \"C\""},
                                             {"ec_int(", ")"},
                                             {"ec_real(", ")"},
                                             {"ec_ip(ec_text(", "))"},
                                             {"ec_time(ec_text(", "))"}};
    int i = 0;

    switch (f->type) {
    case EC_T_U8:
    case EC_T_U16:
    case EC_T_U32:
    case EC_T_U64:
    case EC_T_I64:
    case EC_T_DURATION:
    case EC_T_SIZE:
    case EC_T_BOOL:
        i = 1;
        break;
    case EC_T_F64:
        i = 2;
        break;
    case EC_T_IP:
        i = 3;
        break;
    case EC_T_TIME:
        i = 4;
        break;
    }
    text_put(to, convert[i][0]);
    if (strcmp(path, "$")) {
        text_printf(to, "jsonb_path_query_first(%s,", source);
        text_sql_string(to, path);
        text_put(to, ")");
    } else {
        text_put(to, source);
    }
    text_put(to, convert[i][1]);
}

static void indexed(struct text *to, const struct field *f)
{
    value(to, f, "json::jsonb", f->hop[0]);
}

const struct dialect pg_dialect = {
    .value = value,
    .indexed = indexed,
    .json = "j.text::jsonb",
    .document = "json::jsonb",
    .join = " JOIN ",
    .json_on = "json j ON j.row=e.row AND j.row BETWEEN ?1 AND ?2",
    .each = "ec_each(",
    .member = "ec_text(a.value) COLLATE \"C\"",
    .id = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    .words = {" AND e.row IN(SELECT w.row FROM words w WHERE w.words @@ (", ")::tsquery AND w.row BETWEEN ?1 AND ?2)"},
    .lexemes = true,
    .fold = true,
    .by_key = true,
};
