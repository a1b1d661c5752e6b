#include "plugins/store/documents.h"

#include "plugins/store/lite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 4600

struct row {                        /* one that was read */
    uint64_t id, version;
    char *json;
    uint64_t len;
};

void documents_init(struct documents *d, const struct ec_host *h)
{
    memset(d, 0, sizeof *d);
    d->host = h;
    pthread_mutex_init(&d->lock, NULL);
}

static void documents_close(struct documents *d)
{
    for (uint32_t i = 0; i < d->n_kind; i++) {
        struct document_kind *k = &d->kind[i];

        stmt_finalize(k->insert);
        stmt_finalize(k->update);
        stmt_finalize(k->remove);
        stmt_finalize(k->get);
        k->insert = k->update = k->remove = k->get = NULL;
    }
    conn_close(d->conn);
    d->conn = NULL;
}

void documents_free(struct documents *d)
{
    documents_close(d);
    copy_free(d);
    free(d->copy_path);
    free(d->at);
    text_free(&d->tables);
    for (uint32_t i = 0; i < d->n_kind; i++) {
        fields_free(&d->kind[i].fields);
        free(d->kind[i].table);
    }
    free(d->kind);
    pthread_mutex_destroy(&d->lock);
}

static bool name_fits(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return *s >= 'a' && *s <= 'z' && !s[n] && n <= 32;
}

int32_t documents_kind(struct documents *d, const struct ec_host *owner, const struct ec_kind *k, uint32_t *kind)
{
    struct document_kind *grown;

    if (d->frozen)
        return ec_failf(owner, EC_EINVAL, "kinds of documents are declared in setup()");
    if (!k->name || !k->record || !name_fits(k->name))
        return ec_failf(owner, EC_EINVAL, "a kind of document needs a record and a name of a-z, 0-9 and _");
    for (uint32_t i = 0; i < d->n_kind; i++)
        if (!strcmp(d->kind[i].kind->name, k->name))
            return ec_failf(owner, EC_EEXIST, "another plugin keeps documents of the kind '%s'", k->name);
    grown = realloc(d->kind, (d->n_kind + 1) * sizeof *grown);
    if (!grown)
        return owner->fail(owner, EC_ENOMEM, "out of memory");
    d->kind = grown;
    memset(&grown[d->n_kind], 0, sizeof *grown);
    grown[d->n_kind].kind = k;
    grown[d->n_kind].owner = owner;
    *kind = d->n_kind++;
    return EC_OK;
}

/* CREATE [UNIQUE] INDEX "x_users.name" on a path of the JSON, in the words that filters use. */
static void index_sql(struct text *sql, const struct dialect *in, const struct document_kind *k,
                      const struct field *f, bool unique)
{
    struct text name = { 0 };

    text_printf(&name, "%c_%s.%s", unique ? 'u' : 'i', k->kind->name, f->path);
    text_put(sql, unique ? "CREATE UNIQUE INDEX IF NOT EXISTS " : "CREATE INDEX IF NOT EXISTS ");
    text_sql_name(sql, name.failed ? "" : name.base);
    text_printf(sql, " ON %s((", k->table);
    in->indexed(sql, f);
    text_put(sql, "));");
    sql->failed |= name.failed;
    text_free(&name);
}

struct indexing { struct text *sql; const struct dialect *in; struct document_kind *k; };

static bool found_row(void *arg, struct found *f)
{
    struct indexing *x = arg;
    bool unique = x->k->kind->unique && !strcmp(x->k->kind->unique, f->path);

    if (unique || (f->row->flags & EC_R_INDEX))
        index_sql(x->sql, x->in, x->k, f->field, unique);
    return true;
}

/* Does its unique row stand in the record? */
static bool unique_known(const struct document_kind *k)
{
    const char *key;

    return !k->kind->unique || field_find(&k->fields, k->kind->unique, &key);
}

static int32_t kind_open(struct documents *d, const struct dialect *in, struct document_kind *k, struct text *sql,
                         char *why, size_t n)
{
    struct indexing x = { sql, in, k };

    if (!(k->shape = d->json->shape(d->json_self, k->kind->record)))
        return EC_ENOMEM;
    if (!k->table && asprintf(&k->table, "d_%s", k->kind->name) < 0) {
        k->table = NULL;
        return EC_ENOMEM;
    }
    text_printf(sql, "CREATE TABLE IF NOT EXISTS %s(id %s, version BIGINT NOT NULL, shape BIGINT NOT NULL,"
                " json TEXT NOT NULL);", k->table, in->id);
    fields_free(&k->fields);
    if (!fields_add_record(&k->fields, k->kind->record, "", FIELDS_SECRET, found_row, &x))
        return EC_ENOMEM;
    if (!unique_known(k)) {
        snprintf(why, n, "kind '%s': its unique row '%s' is none of its record", k->kind->name, k->kind->unique);
        return EC_EINVAL;
    }
    return EC_OK;
}

static enum db_fault kind_prepare(struct documents *d, struct document_kind *k, char *why, size_t n)
{
    const struct { struct stmt **st; const char *sql; } all[] = {
        { &k->insert, "INSERT INTO %s(version,shape,json) VALUES(1,?1,?2) RETURNING id" },
        { &k->update, "UPDATE %s SET version=version+1,shape=?1,json=?2 WHERE id=?3 AND (?4=0 OR version=?4)" },
        { &k->remove, "DELETE FROM %s WHERE id=?3 AND (?4=0 OR version=?4)" },
        { &k->get, "SELECT id,version,json FROM %s WHERE id=?1" },
    };
    enum db_fault fault = DB_OK;

    for (uint32_t i = 0; !fault && i < sizeof all / sizeof all[0]; i++) {
        struct text sql = { 0 };

        text_put(&sql, "");
        for (const char *s = all[i].sql; *s; s++)
            if (*s == '%')
                text_put(&sql, k->table), s++;
            else
                text_add(&sql, s, 1);
        fault = sql.failed ? DB_MEMORY : conn_prepare(d->conn, sql.base, all[i].st, why, n);
        text_free(&sql);
    }
    return fault;
}

static enum db_fault open_database(struct documents *d, char *why, size_t n)
{
    enum db_fault fault = DB_OK;

    d->conn = d->ops->open(d->at, d->tables.base ? d->tables.base : "", &fault, why, n);
    for (uint32_t i = 0; !fault && i < d->n_kind; i++)
        fault = kind_prepare(d, &d->kind[i], why, n);
    if (fault)
        documents_close(d);
    return fault;
}

void documents_keep_copy(struct documents *d, const char *path)
{
    d->copy_path = strdup(path);
}

int32_t documents_open(struct documents *d, const struct documents_ops *ops, const char *at, char *said, size_t n)
{
    char why[WHY] = "out of memory", to[4400];
    enum db_fault fault;
    int32_t err = EC_OK;

    *said = '\0';
    d->frozen = true;
    d->ops = ops;
    if (!(d->at = strdup(at)))
        err = EC_ENOMEM;
    for (uint32_t i = 0; !err && i < d->n_kind; i++)
        err = kind_open(d, ops->dialect, &d->kind[i], &d->tables, why, sizeof why);
    if (!err && d->tables.failed)
        err = EC_ENOMEM;
    fault = err ? DB_OK : open_database(d, why, sizeof why);
    if (fault == DB_DAMAGED && ops->set_aside(d->at, to, sizeof to)) {
        snprintf(
            said, n,
            "%s; the file is set aside as %s, and users, bans and settings begin anew: bring back a copy of yours, "
            "or look at it with sqlite3's .recover",
            why, to);
        fault = open_database(d, why, sizeof why);
    }
    if (!err && fault)
        err = fault == DB_MEMORY ? EC_ENOMEM : EC_EIO;
    d->opened = !err;
    if (err)
        snprintf(said, n, "%s", why);
    else if (d->copy_path)
        copy_open(d, d->copy_path);
    return err;
}

static int32_t fault_code(const struct document_kind *k, enum db_fault fault, const char *why)
{
    if (fault == DB_ROW)
        return ec_failf(k->owner, EC_EEXIST, "another of the %s has the same %s", k->kind->name,
                        k->kind->unique ? k->kind->unique : "id");
    if (fault == DB_DAMAGED)
        return ec_failf(k->owner, EC_EIO, "%s; it is set aside at the next start", why);
    return k->owner->fail(k->owner, fault == DB_MEMORY ? EC_ENOMEM : EC_EIO, why);
}

static struct document_kind *kind_of(struct documents *d, uint32_t kind, int32_t *err)
{
    char why[WHY] = "out of memory";

    *err = EC_OK;
    if (kind >= d->n_kind)
        *err = d->host->fail(d->host, EC_EINVAL, "there is no such kind of document");
    else if (!d->opened)
        *err = d->host->fail(d->host, EC_EAGAIN, "documents can be used from start() on");
    else if (!d->conn && open_database(d, why, sizeof why))
        *err = d->host->fail(d->host, EC_EIO, why);
    return *err ? NULL : &d->kind[kind];
}

/* Something was written, so there is room again. */
static void leave_makeshift(struct documents *d)
{
    char why[WHY] = "out of memory";

    if (!d->conn->makeshift)
        return;
    documents_close(d);
    if (open_database(d, why, sizeof why))      /* whoever comes next tries again */
        EC_LOG(d->host, EC_LOG_WARNING, "%s", why);
}

/* The part as JSON, with its secrets. NULL: *err. */
static char *part_json(const struct documents *d, const struct document_kind *k, const struct ec_part *p, int64_t *len,
                       int32_t *err)
{
    uint64_t cap = 4096;
    char *json = NULL, *grown;

    for (;;) {
        if (!(grown = realloc(json, cap))) {
            *err = k->owner->fail(k->owner, EC_ENOMEM, "out of memory");
            break;
        }
        json = grown;
        *len = d->json->part(d->json_self, k->shape, p, EC_JSON_SECRETS, json, cap);
        if (*len >= 0 && (uint64_t)*len <= cap)
            return json;
        if (*len < 0 || *len > (int64_t)DOCUMENT_MAX) {
            *err = ec_failf(k->owner, EC_EINVAL, *len < 0 ? "%s: the document cannot be written as JSON"
                                                          : "%s: the document is too long", k->kind->name);
            break;
        }
        cap = (uint64_t)*len;
    }
    free(json);
    return NULL;
}

static bool exists(struct document_kind *k, uint64_t id)
{
    char why[WHY];
    bool there;

    stmt_bind_integer(k->get, 1, (int64_t)id);
    stmt_step(k->get, &there, why, sizeof why);
    stmt_reset(k->get);
    return there;
}

/* UPDATE or DELETE: what it means that no row was changed. */
static int32_t change(struct document_kind *k, struct stmt *st, uint64_t id, uint64_t version)
{
    char why[WHY];
    enum db_fault fault;
    int64_t changed;
    bool row;

    stmt_bind_integer(st, 3, (int64_t)id);
    stmt_bind_integer(st, 4, (int64_t)version);
    fault = stmt_step(st, &row, why, sizeof why);
    changed = fault ? 0 : st->conn->ops->changed(st);
    stmt_reset(st);
    if (fault)
        return fault_code(k, fault, why);
    if (changed)
        return EC_OK;
    if (exists(k, id))
        return ec_failf(k->owner, EC_EAGAIN, "somebody else has changed it meanwhile: read it again");
    return ec_failf(k->owner, EC_ENOENT, "there is no document %llu among the %s", (unsigned long long)id,
                    k->kind->name);
}

/* With the lock. What a caller did wrong (no such kind, too long) is not counted. */
static void count(struct documents *d, uint64_t *done, uint64_t failed[4], int32_t err)
{
    uint32_t why = err == EC_EAGAIN ? DOCUMENTS_CHANGED : err == EC_ENOENT ? DOCUMENTS_MISSING :
                   err == EC_EEXIST ? DOCUMENTS_TAKEN : DOCUMENTS_DATABASE;

    if (!err)
        ++*done;
    else
        failed[why]++;
    d->counts.trouble = err && why == DOCUMENTS_DATABASE;
}

struct documents_counts documents_counts(struct documents *d)
{
    struct documents_counts n;

    pthread_mutex_lock(&d->lock);
    n = d->counts;
    pthread_mutex_unlock(&d->lock);
    return n;
}

static int32_t insert(struct document_kind *k, uint64_t *id)
{
    char why[WHY];
    bool row;
    enum db_fault fault = stmt_step(k->insert, &row, why, sizeof why);
    uint64_t made = row ? (uint64_t)stmt_integer(k->insert, 0) : 0;

    if (!fault && row)              /* up to its end: then it is on disk */
        fault = stmt_step(k->insert, &row, why, sizeof why);
    stmt_reset(k->insert);
    if (fault)
        return fault_code(k, fault, why);
    *id = made;
    return EC_OK;
}

/* With the lock. id 0: a new one. */
static int32_t write_json(struct documents *d, struct document_kind *k, uint64_t *id, uint64_t version,
                          const char *json, size_t len)
{
    bool made = !*id;
    struct stmt *st = made ? k->insert : k->update;
    int32_t err;

    copy_refresh(d);
    stmt_bind_integer(st, 1, k->kind->version);
    stmt_bind_text(st, 2, json, len);
    err = made ? insert(k, id) : change(k, st, *id, version);
    if (!err)
        copy_put(d, k, *id, made, json, len);
    stmt_bind_text(st, 2, "", 0);   /* the text goes */
    if (!err)
        leave_makeshift(d);
    return err;
}

int32_t documents_put(struct documents *d, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p)
{
    struct document_kind *k;
    int32_t err;
    int64_t len;
    char *json;

    pthread_mutex_lock(&d->lock);
    k = kind_of(d, kind, &err);
    pthread_mutex_unlock(&d->lock);
    if (!k || !(json = part_json(d, k, p, &len, &err)))
        return err;
    pthread_mutex_lock(&d->lock);
    if ((k = kind_of(d, kind, &err))) {         /* it may have to be opened anew */
        err = write_json(d, k, id, version, json, (size_t)len);
        count(d, &d->counts.put, d->counts.put_failed, err);
    }
    pthread_mutex_unlock(&d->lock);
    free(json);
    return err;
}

int32_t documents_del(struct documents *d, uint32_t kind, uint64_t id, uint64_t version)
{
    struct document_kind *k;
    int32_t err;

    pthread_mutex_lock(&d->lock);
    if ((k = kind_of(d, kind, &err))) {
        copy_refresh(d);
        if (!(err = change(k, k->remove, id, version))) {
            copy_del(d, k, id);
            leave_makeshift(d);
        }
        count(d, &d->counts.deleted, d->counts.del_failed, err);
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}

/* What read() found wrong in a document, for the log. */
struct wrong { char text[512]; };
static void json_wrong(void *arg, const char *at, const char *type, const char *msg, const char *input, const char *ctx)
{
    struct wrong *w = arg;

    (void)type;
    (void)input;
    (void)ctx;
    if (!*w->text)
        snprintf(w->text, sizeof w->text, "%s: %s", at, msg);
}

/* The stored text as a part; rows that were appended to the table since then take their defaults, or are absent. NULL:
 * *err. */
static struct ec_part *row_part(struct documents *d, const struct document_kind *k, const struct row *r, int32_t *err)
{
    struct wrong w = { "" };
    uint32_t cap = 65536, flags = 0;
    struct ec_part *p = NULL;

    for (;;) {
        free(p);
        if (!(p = aligned_alloc(8, cap))) {
            *err = k->owner->fail(k->owner, EC_ENOMEM, "out of memory");
            return NULL;
        }
        *err = d->json->read(d->json_self, k->shape, r->json, r->len, flags, p, cap, json_wrong, &w);
        if (*err == EC_OK)
            return p;
        if (*err == EC_ELIMIT && cap < DOCUMENT_MAX)
            cap *= 2;
        else if (*err == EC_EINVAL && !flags)
            flags = EC_JSON_PARTIAL;
        else
            break;
    }
    free(p);
    *err = ec_failf(k->owner, EC_EIO, "document %llu of the %s cannot be read: %s", (unsigned long long)r->id,
                    k->kind->name, *w.text ? w.text : "it is too long");
    return NULL;
}

/* One more row. NULL: out of memory. */
static struct row *row_add(struct row **row, uint32_t *n)
{
    struct row *grown = *row;

    if (!(*n & (*n - 1)) && !(grown = realloc(*row, (*n ? *n * 2 : 1) * sizeof *grown)))
        return NULL;
    *row = grown;
    grown[*n].json = NULL;
    return &grown[(*n)++];
}

static void rows_free(struct row *row, uint32_t n)
{
    while (n)
        free(row[--n].json);
    free(row);
}

/* The rows of a statement, copied; none where it fails. */
static enum db_fault read_rows(struct stmt *st, struct row **row, uint32_t *n, char *why, size_t n_why)
{
    enum db_fault fault;
    bool more;

    *row = NULL;
    *n = 0;
    while (!(fault = stmt_step(st, &more, why, n_why)) && more) {
        struct row *r = row_add(row, n);
        const char *json;
        size_t len = 0;

        if (!r || !(json = stmt_bytes(st, 2, &len)) || !(r->json = malloc(len + 1))) {
            *n -= r != NULL;
            fault = DB_MEMORY;
            snprintf(why, n_why, "out of memory");
            break;
        }
        r->id = (uint64_t)stmt_integer(st, 0);
        r->version = (uint64_t)stmt_integer(st, 1);
        r->len = len;
        memcpy(r->json, json, len);
        r->json[len] = '\0';
    }
    if (fault) {
        rows_free(*row, *n);
        *row = NULL;
        *n = 0;
    }
    return fault;
}

/* Without the lock, so that fn may call us again. */
static int32_t hand_out(struct documents *d, const struct document_kind *k, struct row *row, uint32_t n,
                        ec_store_row_fn *fn, void *arg)
{
    int32_t err = EC_OK;
    bool more = true;

    for (uint32_t i = 0; i < n; i++) {
        struct ec_part *p = more && !err ? row_part(d, k, &row[i], &err) : NULL;

        if (p && fn(arg, row[i].id, row[i].version, p))
            more = false;
        free(p);
        free(row[i].json);
    }
    free(row);
    return err;
}

/* DB_ROW: the conditions have too many values. */
static enum db_fault find_in(struct conn *c, const struct dialect *in, const struct document_kind *k,
                             const struct filter *f, uint64_t after, uint32_t limit, struct row **row, uint32_t *n,
                             char *why, size_t n_why)
{
    const struct reach documents = { .dialect = in };
    struct sql sql = { .n_bind = 0 };
    struct stmt *st = NULL;
    enum db_fault fault;

    *row = NULL;
    *n = 0;
    snprintf(why, n_why, "out of memory");
    text_printf(&sql.text, "SELECT id,version,json FROM %s WHERE id>?1", k->table);
    filter_sql(f, &documents, &sql);
    text_put(&sql.text, " ORDER BY id LIMIT ?2");
    fault = sql.full ? DB_ROW : sql.text.failed ? DB_MEMORY : conn_prepare(c, sql.text.base, &st, why, n_why);
    if (!fault) {
        sql_bind(&sql, st);
        stmt_bind_integer(st, 1, after > INT64_MAX ? INT64_MAX : (int64_t)after);
        stmt_bind_integer(st, 2, limit);
        fault = read_rows(st, row, n, why, n_why);
    }
    stmt_finalize(st);
    sql_free(&sql);
    return fault;
}

/* With the lock. From the copy where the database is away. */
static int32_t find_rows(struct documents *d, struct document_kind *k, const struct filter *f, uint64_t after,
                         uint32_t limit, struct row **row, uint32_t *n)
{
    char why[WHY];
    enum db_fault fault;

    copy_refresh(d);
    fault = find_in(d->conn, d->ops->dialect, k, f, after, limit, row, n, why, sizeof why);
    if (fault == DB_TROUBLE && d->copy.whole)
        fault = find_in(d->copy.conn, &lite_dialect, k, f, after, limit, row, n, why, sizeof why);
    if (fault == DB_ROW)
        return k->owner->fail(k->owner, EC_EINVAL, "the conditions have too many values");
    return fault ? fault_code(k, fault, why) : EC_OK;
}

/* With the lock. From the copy where the database is away. */
static int32_t get_rows(struct documents *d, struct document_kind *k, uint64_t id, struct row **row, uint32_t *n)
{
    struct filter all = {.until = INT64_MAX};
    char why[WHY];
    enum db_fault fault;

    copy_refresh(d);
    stmt_bind_integer(k->get, 1, (int64_t)id);
    fault = read_rows(k->get, row, n, why, sizeof why);
    stmt_reset(k->get);
    if (fault == DB_TROUBLE && d->copy.whole && id)
        fault = find_in(d->copy.conn, &lite_dialect, k, &all, id - 1, 1, row, n, why, sizeof why);
    if (!fault && *n && (*row)[0].id != id) {
        rows_free(*row, *n);
        *row = NULL;
        *n = 0;
    }
    return fault ? fault_code(k, fault, why) : EC_OK;
}

int32_t documents_get(struct documents *d, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg)
{
    struct document_kind *k;
    struct row *row = NULL;
    uint32_t n = 0;
    int32_t err, out;

    pthread_mutex_lock(&d->lock);
    if ((k = kind_of(d, kind, &err)))
        err = get_rows(d, k, id, &row, &n);
    pthread_mutex_unlock(&d->lock);
    if (!err && !n)
        err = ec_failf(k->owner, EC_ENOENT, "there is no document %llu among the %s", (unsigned long long)id,
                       k->kind->name);
    if (!k)
        return err;
    out = hand_out(d, k, row, n, fn, arg);
    return err ? err : out;
}

int32_t documents_find(struct documents *d, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after,
                       uint32_t limit, ec_store_row_fn *fn, void *arg)
{
    struct document_kind *k;
    struct filter filter = { .n_term = 0 };
    struct row *row = NULL;
    uint32_t rows = 0;
    char why[1024];
    int32_t err, out;

    pthread_mutex_lock(&d->lock);
    if ((k = kind_of(d, kind, &err))) {
        err = filter_terms(&filter, &k->fields, f, n, n && f->size ? f->size : (uint32_t)sizeof *f, why, sizeof why);
        if (err)
            k->owner->fail(k->owner, err, why);
        else
            err = find_rows(d, k, &filter, after, limit, &row, &rows);
    }
    pthread_mutex_unlock(&d->lock);
    filter_free(&filter);
    if (!k)
        return err;
    out = hand_out(d, k, row, rows, fn, arg);
    return err ? err : out;
}
