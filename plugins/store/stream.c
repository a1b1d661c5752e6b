#include "plugins/store/stream.h"

#include "plugins/store/query.h"
#include "plugins/store/spool_file.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_NS UINT64_C(1000000000)           /* between two attempts while writing fails */
#define CROWD (8u * SEGMENT_BATCH)              /* so many wait: whoever adds waits for the writer */
#define TURN_NS UINT64_C(1000000000)            /* how long one caller writes what has piled up */
#define CLOSE_NS UINT64_C(5000000000)           /* the same at the end; what is left then stays in the spool */
#define WHY 4600

void stream_open(struct stream *s)
{
    pthread_mutex_init(&s->lock, NULL);
    spool_open(&s->spool);
}

static uint64_t dropped(const struct stream_counts *n)
{
    return n->full + n->memory + n->failed + n->unread + n->shutdown;
}

static void trouble_begins(struct stream *s, const char *why)
{
    bool first;

    s->backend->ops->rest(s->backend);
    pthread_mutex_lock(&s->lock);
    first = !s->trouble;
    s->trouble = true;
    s->retry = readers_clock() + RETRY_NS;
    s->n.errors++;
    if (first)
        s->lost = dropped(&s->n);
    spool_save(&s->spool);
    pthread_mutex_unlock(&s->lock);
    if (first)
        backend_sayf(s->backend, STREAM_WARNING,
             "events cannot be stored: %s; up to %llu bytes of them wait in memory and %llu on disk, what comes after "
             "is dropped until they can",
             why, (unsigned long long)s->spool.limit, (unsigned long long)s->spool.most * SPOOL_PIECE);
}

static void trouble_ends(struct stream *s)
{
    uint64_t lost;
    bool was;

    pthread_mutex_lock(&s->lock);
    was = s->trouble;
    s->trouble = false;
    lost = dropped(&s->n) - s->lost;
    pthread_mutex_unlock(&s->lock);
    if (was)
        backend_sayf(s->backend, STREAM_INFO, "events are stored again; %llu were dropped meanwhile",
                     (unsigned long long)lost);
}

/* The oldest events, as many as go into one transaction. */
static uint32_t collect(struct stream *s, const struct ec_event **ev)
{
    struct spool_at at;
    uint64_t lost = 0;
    uint32_t n = 0;

    pthread_mutex_lock(&s->lock);
    at = spool_begin(&s->spool);
    while (n < SEGMENT_BATCH && (ev[n] = spool_next(&s->spool, &at, &lost)))
        n++;
    s->n.unread += lost;
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void account(struct stream *s, uint32_t n, uint32_t stored)
{
    pthread_mutex_lock(&s->lock);
    spool_take(&s->spool, n);
    s->n.stored += stored;
    s->n.failed += n - stored;
    s->n.batches++;
    s->oldest = s->spool.n ? readers_clock() : 0;
    pthread_mutex_unlock(&s->lock);
}

/* One batch. False: it did not work, try later. */
static bool write_batch(struct stream *s, const struct ec_event *const *ev, uint32_t n, uint64_t now)
{
    uint32_t stored = 0;
    char why[WHY] = "";
    enum db_fault fault = s->backend->ops->write(s->backend, ev, n, now, &stored, why, sizeof why);

    if (!fault) {
        account(s, n, stored);
        trouble_ends(s);
        return true;
    }
    trouble_begins(s, *why ? why : "out of memory");
    return false;
}

/* With `writing` held: what waits now, not what is added meanwhile, for `now` grows old. least: stop at
 * fewer. */
static void write_batches(struct stream *s, uint64_t now, uint64_t least, uint64_t time)
{
    const struct ec_event *ev[SEGMENT_BATCH];
    uint64_t left, end = readers_clock() + time;
    uint32_t n;

    pthread_mutex_lock(&s->lock);
    left = s->spool.n;
    pthread_mutex_unlock(&s->lock);
    while (left && (n = collect(s, ev)) && n >= least && write_batch(s, ev, n, now) && readers_clock() < end)
        left -= n < left ? n : left;
}

void stream_add(struct stream *s, const struct ec_event *ev, uint64_t now)
{
    enum spool_result r;
    uint64_t waiting;
    bool trouble;

    pthread_mutex_lock(&s->lock);
    r = spool_add(&s->spool, ev);
    s->n.in++;
    s->n.full += r == SPOOL_FULL;
    s->n.memory += r == SPOOL_MEMORY;
    if (!s->oldest)
        s->oldest = readers_clock();
    waiting = s->spool.n;
    trouble = s->trouble;
    pthread_mutex_unlock(&s->lock);
    if (waiting < SEGMENT_BATCH || trouble)
        return;
    if (waiting >= CROWD)
        pthread_mutex_lock(&s->backend->writing);
    else if (pthread_mutex_trylock(&s->backend->writing))
        return;
    write_batches(s, now, SEGMENT_BATCH, TURN_NS);
    pthread_mutex_unlock(&s->backend->writing);
}

bool stream_due(struct stream *s, uint64_t old)
{
    uint64_t now = readers_clock();
    bool due;

    pthread_mutex_lock(&s->lock);
    due = s->spool.n && (s->trouble ? now >= s->retry : now - s->oldest >= old);
    pthread_mutex_unlock(&s->lock);
    return due;
}

void stream_flush(struct stream *s, uint64_t now, uint64_t old)
{
    if (!stream_due(s, old))
        return;
    pthread_mutex_lock(&s->backend->writing);
    write_batches(s, now, 1, TURN_NS);
    pthread_mutex_unlock(&s->backend->writing);
}

void stream_close(struct stream *s, uint64_t now)
{
    uint64_t waiting;

    pthread_mutex_lock(&s->backend->writing);
    write_batches(s, now, 1, CLOSE_NS);
    s->backend->ops->rest(s->backend);
    pthread_mutex_unlock(&s->backend->writing);
    pthread_mutex_lock(&s->lock);
    spool_save(&s->spool);
    waiting = s->spool.n;
    s->left = spool_free(&s->spool);
    s->n.shutdown += waiting - s->left;
    pthread_mutex_unlock(&s->lock);
}

struct stream_counts stream_counts(struct stream *s)
{
    struct stream_counts n;

    pthread_mutex_lock(&s->lock);
    n = s->n;
    n.spooled = s->spool.n + s->left;
    n.spool_bytes = s->spool.bytes;
    n.spool_disk = spool_on_disk(&s->spool);
    n.damaged = s->backend->set_aside;
    n.trouble = s->trouble;
    pthread_mutex_unlock(&s->lock);
    return n;
}

#define RECOVER_BELOW (4u * SEGMENT_BATCH)      /* events that wait: what comes now goes first */

static bool recoverable(const struct stream *s)
{
    return s->spool.n_old && !s->trouble && s->spool.n < RECOVER_BELOW;
}

bool stream_recoverable(struct stream *s)
{
    bool is;

    pthread_mutex_lock(&s->lock);
    is = recoverable(s);
    pthread_mutex_unlock(&s->lock);
    return is;
}

static uint32_t room_of(const uint8_t *block)
{
    return (((const struct ec_event *)(const void *)block)->total + 7u) & ~7u;
}

/* Those that the database has already leave. False: it cannot be asked. */
static bool leave_out(const struct query_host *h, uint64_t made, uint8_t *blocks, uint32_t *used, uint32_t *n)
{
    uint64_t *id = calloc(*n + 1u, sizeof *id);
    uint8_t *there = calloc(*n + 1u, 1);
    uint32_t to = 0, left = 0, k = 0;
    char why[WHY];
    bool ok;

    for (uint32_t at = 0; id && at < *used; at += room_of(blocks + at))
        id[k++] = ((const struct ec_event *)(const void *)(blocks + at))->id;
    ok = id && there && !query_known(h, id, *n, segment_day(made), there, why, sizeof why);
    k = 0;
    for (uint32_t at = 0, room; ok && at < *used; at += room) {
        room = room_of(blocks + at);
        if (there[k++])
            continue;
        memmove(blocks + to, blocks + at, room);
        to += room;
        left++;
    }
    if (ok) {
        *used = to;
        *n = left;
    }
    free(id);
    free(there);
    return ok;
}

bool stream_recover(struct stream *s, const struct query_host *h)
{
    const struct spool_map *map;
    char path[SPOOL_PATH];
    uint8_t *file, *blocks;
    uint32_t used = 0, n = 0;
    uint64_t lost = 0;
    size_t len;
    bool go;

    pthread_mutex_lock(&s->lock);
    go = recoverable(s) && spool_old(&s->spool, path, &map);
    pthread_mutex_unlock(&s->lock);
    if (!go)
        return false;
    file = spool_file_load(path, &len);
    blocks = file ? spool_file_read(s->spool.host, file, len, map, &used, &n, &lost) : calloc(1, 8);
    lost += !file;
    free(file);
    if (!blocks || !leave_out(h, map->made, blocks, &used, &n)) {
        free(blocks);
        return false;
    }
    if (lost)
        backend_sayf(s->backend, STREAM_WARNING,
                     "%s: %llu events of it are lost: they are torn, or of a plugin that is not here or has changed",
                     path, (unsigned long long)lost);
    pthread_mutex_lock(&s->lock);
    s->n.in += n + lost;
    s->n.recovered += n;
    s->n.unread += lost;
    if (spool_old_take(&s->spool, blocks, used, n))
        s->n.memory += n;
    else if (n && !s->oldest)
        s->oldest = readers_clock();
    go = recoverable(s);
    pthread_mutex_unlock(&s->lock);
    return go;
}
