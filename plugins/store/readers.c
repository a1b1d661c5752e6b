#include "plugins/store/readers.h"

#include "plugins/store/backend.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t readers_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void readers_open(struct readers *r, struct backend *b)
{
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    r->backend = b;
}

enum db_fault readers_ready(struct readers *r, char *why, size_t n)
{
    return r->backend->ops->ready ? r->backend->ops->ready(r->backend, why, n) : DB_OK;
}

static void reader_free(struct reader *x)
{
    for (uint32_t i = 0; x->has && i < x->n_table; i++)
        free(x->has[i]);
    free(x->has);
    for (uint32_t i = 0; i < READER_STATEMENTS; i++) {
        stmt_finalize(x->kept[i].st);
        free(x->kept[i].sql);
    }
    conn_close(x->conn);
    free(x);
}

enum db_fault reader_prepare(struct reader *x, const char *sql, struct stmt **st, char *why, size_t n)
{
    uint32_t at = READER_STATEMENTS;
    enum db_fault fault;
    char *copy;

    for (uint32_t i = 0; i < READER_STATEMENTS; i++) {
        if (x->kept[i].out)
            continue;
        if (x->kept[i].sql && !strcmp(x->kept[i].sql, sql)) {
            x->kept[i].out = true;
            x->kept[i].used = ++x->uses;
            *st = x->kept[i].st;
            return DB_OK;
        }
        if (at == READER_STATEMENTS || x->kept[i].used < x->kept[at].used)
            at = i;
    }
    if ((fault = conn_prepare(x->conn, sql, st, why, n)) || at == READER_STATEMENTS || !(copy = strdup(sql)))
        return fault;
    stmt_finalize(x->kept[at].st);
    free(x->kept[at].sql);
    x->kept[at].sql = copy;
    x->kept[at].st = *st;
    x->kept[at].out = true;
    x->kept[at].used = ++x->uses;
    return DB_OK;
}

void reader_done(struct reader *x, struct stmt *st)
{
    for (uint32_t i = 0; st && i < READER_STATEMENTS; i++)
        if (x->kept[i].st == st) {
            stmt_reset(st);
            x->kept[i].out = false;
            return;
        }
    stmt_finalize(st);
}

void readers_close(struct readers *r)
{
    while (r->idle) {
        struct reader *x = r->idle;

        r->idle = x->next;
        reader_free(x);
    }
    pthread_mutex_destroy(&r->lock);
}

static struct reader *reader_new(struct readers *r, struct segment_id id, enum db_fault *fault, char *why, size_t n)
{
    struct reader *x = calloc(1, sizeof *x);

    *fault = DB_MEMORY;
    if (!x)
        return NULL;
    x->id = id;
    *fault = r->backend->ops->reader(r->backend, x, why, n);
    if (!*fault && x->conn)
        return x;
    reader_free(x);
    return NULL;
}

struct reader *readers_take(struct readers *r, struct segment_id id, enum db_fault *fault, char *why, size_t n)
{
    struct reader *x, **at;

    *fault = DB_OK;
    pthread_mutex_lock(&r->lock);
    for (at = &r->idle; (x = *at); at = &x->next)
        if (!segment_compare(x->id, id) || r->backend->ops->anywhere) {
            *at = x->next;
            r->n_idle--;
            break;
        }
    pthread_mutex_unlock(&r->lock);
    if (!x && !(x = reader_new(r, id, fault, why, n)))
        return NULL;
    if (segment_compare(x->id, id)) {
        x->id = id;
        if ((*fault = r->backend->ops->reader(r->backend, x, why, n))) {
            reader_free(x);
            return NULL;
        }
    }
    x->conn->deadline = 0;
    pthread_mutex_lock(&r->lock);
    x->next = r->busy;
    r->busy = x;
    pthread_mutex_unlock(&r->lock);
    return x;
}

void readers_give(struct readers *r, struct reader *x)
{
    struct reader **at, *old = NULL;

    pthread_mutex_lock(&r->lock);
    for (at = &r->busy; *at != x; at = &(*at)->next)
        ;
    *at = x->next;
    if (!x->stale) {
        x->next = r->idle;
        r->idle = x;
        if (++r->n_idle > READERS_KEPT) {
            for (at = &r->idle; (*at)->next; at = &(*at)->next)
                ;
            old = *at;
            *at = NULL;
            r->n_idle--;
        }
    } else {
        old = x;
    }
    pthread_mutex_unlock(&r->lock);
    if (old)
        reader_free(old);
}

void readers_purge(struct readers *r, struct segment_id id)
{
    struct reader *gone = NULL, *x, **at;

    pthread_mutex_lock(&r->lock);
    for (x = r->busy; x; x = x->next)
        x->stale |= !segment_compare(x->id, id);
    for (at = &r->idle; (x = *at);) {
        if (segment_compare(x->id, id)) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        x->next = gone;
        gone = x;
        r->n_idle--;
    }
    pthread_mutex_unlock(&r->lock);
    while ((x = gone)) {
        gone = x->next;
        reader_free(x);
    }
}
