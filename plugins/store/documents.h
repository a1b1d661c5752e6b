/* documents.h: documents by kind, in one database with synchronous commits. Any thread; one call at a time. */
#ifndef STORE_DOCUMENTS_H
#define STORE_DOCUMENTS_H
#include "plugins/store/filter.h"
#include "plugins/store/format.h"

#include <ecyber/ext/json.h>

#include <pthread.h>

#define DOCUMENT_MAX (16u << 20)    /* bytes of one, as JSON and as a part */

struct document_kind {
    const struct ec_kind *kind;
    const struct ec_host *owner;
    const struct ec_shape *shape;
    struct fields fields;
    char *table;                    /* "d_users" */
    struct stmt *insert, *update, *remove, *get;
};
/* Where documents are kept. */
struct documents_ops {
    const struct dialect *dialect;
    /* Opens it, runs sql in one transaction, or does so later where the server is away: sql stays. NULL: *fault and why
     * (n bytes). */
    struct conn *(*open)(char *at, const char *sql, enum db_fault *fault, char *why, size_t n);
    bool (*set_aside)(char *at, char *to, size_t n);    /* what open() found damaged; to: its new name */
};
/* What became of writes; by EC_E* for those that failed. trouble: the last one met a database that failed. */
struct documents_counts { uint64_t put, deleted, put_failed[4], del_failed[4]; bool trouble; };
enum { DOCUMENTS_CHANGED, DOCUMENTS_MISSING, DOCUMENTS_TAKEN, DOCUMENTS_DATABASE };

struct documents {
    pthread_mutex_t lock;
    const struct ec_host *host;
    const struct ec_json *json;
    void *json_self;
    struct document_kind *kind;
    uint32_t n_kind;
    struct conn *conn;              /* NULL: not open, or to be opened anew */
    const struct documents_ops *ops;
    char *at;                       /* what `ops` opens */
    struct text tables;             /* statements that make the tables of the kinds */
    /* Of a database that may be away: whole: it can be read in its place; fresh: it holds what the database holds. */
    struct { struct conn *conn; char *path; bool whole, fresh; } copy;
    char *copy_path;                /* NULL: none is kept */
    bool frozen, opened;            /* no kinds any more; the database was opened */
    struct documents_counts counts; /* with `lock` */
};

void documents_init(struct documents *d, const struct ec_host *h);
void documents_free(struct documents *d);
int32_t documents_kind(struct documents *d, const struct ec_host *owner, const struct ec_kind *k, uint32_t *kind);
/* Opens the database and makes the tables of the kinds. A damaged one is set aside: said (n bytes), not empty then. 0,
 * or EC_E* and why in `said`. */
int32_t documents_open(struct documents *d, const struct documents_ops *ops, const char *at, char *said, size_t n);
extern const struct documents_ops documents_file;   /* SQLite's: at is the file's path */

/* Keeps a copy in this file, for the time when the database is away; before documents_open(). */
void documents_keep_copy(struct documents *d, const char *path);
/* documents_copy.c; with the lock. */
void copy_open(struct documents *d, const char *path);
void copy_refresh(struct documents *d);         /* where it is not fresh and the database answers */
void copy_put(struct documents *d, const struct document_kind *k, uint64_t id, bool made, const char *json, size_t len);
void copy_del(struct documents *d, const struct document_kind *k, uint64_t id);
void copy_free(struct documents *d);

struct documents_counts documents_counts(struct documents *d);
/* As struct ec_store says. */
int32_t documents_put(struct documents *d, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p);
int32_t documents_del(struct documents *d, uint32_t kind, uint64_t id, uint64_t version);
int32_t documents_get(struct documents *d, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg);
int32_t documents_find(struct documents *d, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after,
                       uint32_t limit, ec_store_row_fn *fn, void *arg);

#endif
