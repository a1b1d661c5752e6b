#include "plugins/store/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_NS UINT64_C(1000000000)           /* between two attempts while writing fails */
#define CROWD (8u * SEGMENT_BATCH)              /* so many wait: whoever adds waits for the writer */
#define WHY 4600

__attribute__((format(printf, 3, 4)))
static void sayf(const struct stream *s, enum stream_level level, const char *fmt, ...)
{
    char text[WHY + 512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->say(s->say_arg, level, text);
}

void stream_open(struct stream *s)
{
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->writing, NULL);
}

static uint64_t dropped(const struct stream_counts *n)
{
    return n->full + n->memory + n->failed + n->shutdown;
}

static void writer_close(struct stream *s)
{
    if (!s->writer)
        return;
    readers_purge(s->readers, s->id); /* the last connection carries the journal over: let it be the writer's */
    segment_writer_close(s->writer);
    s->writer = NULL;
}

static void trouble_begins(struct stream *s, const char *why)
{
    bool first;

    writer_close(s);
    pthread_mutex_lock(&s->lock);
    first = !s->trouble;
    s->trouble = true;
    s->retry = readers_clock() + RETRY_NS;
    s->n.errors++;
    if (first)
        s->lost = dropped(&s->n);
    pthread_mutex_unlock(&s->lock);
    if (first)
        sayf(s, STREAM_WARNING,
             "events cannot be stored: %s; up to %llu bytes of them wait in memory, what comes after is "
             "dropped until they can",
             why, (unsigned long long)s->spool.limit);
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
        sayf(s, STREAM_INFO, "events are stored again; %llu were dropped meanwhile", (unsigned long long)lost);
}

static void set_aside(struct stream *s, struct segment_id id, const char *why)
{
    char path[SEGMENT_PATH], to[SEGMENT_PATH + 100];

    segments_path(s->segments, id, path);
    segments_forget(s->segments, id);
    readers_purge(s->readers, id);
    if (db_set_aside(path, to, sizeof to) && errno != ENOENT)
        sayf(s, STREAM_ERROR, "%s; it cannot be set aside either: %s; it is not read any more in this run", why,
             strerror(errno));
    else
        sayf(s, STREAM_ERROR, "%s; the file is set aside as %s: look at it with sqlite3's .recover, then delete it",
             why, to);
    pthread_mutex_lock(&s->lock);
    s->n.damaged++;
    pthread_mutex_unlock(&s->lock);
}

void stream_damaged(struct stream *s, struct segment_id id, const char *why)
{
    pthread_mutex_lock(&s->writing);
    if (s->writer && !segment_compare(s->id, id))
        writer_close(s);
    set_aside(s, id, why);
    pthread_mutex_unlock(&s->writing);
}

static enum db_fault try_segment(struct stream *s, uint32_t day, bool fresh, char *why)
{
    enum db_fault fault;
    char path[SEGMENT_PATH];

    if (!segments_current(s->segments, day, fresh, &s->id))
        return DB_MEMORY;
    segments_path(s->segments, s->id, path);
    s->writer = segment_writer_open(s->schema, path, s->json, s->json_arg, &fault, why, WHY);
    if (s->writer)
        return DB_OK;
    if (fault == DB_DAMAGED)
        set_aside(s, s->id, why);
    return fault;
}

/* A writer for this day: of the last segment, or, where that cannot be used, of a new one. */
static enum db_fault writer_open(struct stream *s, uint32_t day, bool fresh, char *why)
{
    enum db_fault fault = try_segment(s, day, fresh, why);
    char path[SEGMENT_PATH], first[WHY];

    if (!fault || fault == DB_MEMORY || fresh)
        return fault;
    snprintf(first, sizeof first, "%s", why);
    fault = try_segment(s, day, true, why);
    if (!fault) {
        segments_path(s->segments, s->id, path);
        sayf(s, STREAM_WARNING, "%s; events go on in %s", first, path);
    } else {                        /* the new one helps no more than the old one */
        segments_path(s->segments, s->id, path);
        segments_forget(s->segments, s->id);
        db_unlink(path);
        snprintf(why, WHY, "%s", first);
    }
    return fault;
}

/* Is the segment that is written still the one to write? */
static bool writer_fits(struct stream *s, uint32_t day, bool *fresh)
{
    char path[SEGMENT_PATH];

    *fresh = false;
    if (!s->writer)
        return false;
    if (segment_writer_lost(s->writer)) {
        segments_path(s->segments, s->id, path);
        sayf(s, STREAM_WARNING, "%s was taken away while it was written; events go on in a new file", path);
        segments_forget(s->segments, s->id);
        readers_purge(s->readers, s->id);
        return false;
    }
    segments_path(s->segments, s->id, path);
    *fresh = (uint64_t)segment_writer_rows(s->writer) >= s->rows_max || db_bytes(path) >= s->bytes_max;
    return !*fresh && s->id.day >= day;
}

/* The oldest events, as many as go into one transaction. */
static uint32_t collect(struct stream *s, const struct ec_event **ev)
{
    struct spool_at at;
    uint32_t n = 0;

    pthread_mutex_lock(&s->lock);
    at = spool_begin(&s->spool);
    while (n < SEGMENT_BATCH && (ev[n] = spool_next(&at)))
        n++;
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
    uint8_t bad[SEGMENT_BATCH] = { 0 };
    enum db_fault fault = DB_OK;
    uint32_t stored = 0;
    char why[WHY] = "";
    bool fresh;

    if (!writer_fits(s, segment_day(now), &fresh)) {
        writer_close(s);
        fault = writer_open(s, segment_day(now), fresh, why);
    }
    if (!fault)
        fault = segment_writer_add(s->writer, ev, n, bad, &stored, why, sizeof why);
    if (!fault) {
        account(s, n, stored);
        trouble_ends(s);
        return true;
    }
    if (fault == DB_DAMAGED && s->writer) {
        writer_close(s);
        set_aside(s, s->id, why);
    }
    trouble_begins(s, *why ? why : "out of memory");
    return false;
}

/* With `writing` held: what waits now, not what is added meanwhile, for `now` grows old. least: stop at
 * fewer. */
static void write_batches(struct stream *s, uint64_t now, uint64_t least)
{
    const struct ec_event *ev[SEGMENT_BATCH];
    uint64_t left;
    uint32_t n;

    pthread_mutex_lock(&s->lock);
    left = s->spool.n;
    pthread_mutex_unlock(&s->lock);
    while (left && (n = collect(s, ev)) && n >= least && write_batch(s, ev, n, now))
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
        pthread_mutex_lock(&s->writing);
    else if (pthread_mutex_trylock(&s->writing))
        return;
    write_batches(s, now, SEGMENT_BATCH);
    pthread_mutex_unlock(&s->writing);
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
    pthread_mutex_lock(&s->writing);
    write_batches(s, now, 1);
    pthread_mutex_unlock(&s->writing);
}

void stream_close(struct stream *s, uint64_t now)
{
    pthread_mutex_lock(&s->writing);
    write_batches(s, now, 1);
    writer_close(s);
    pthread_mutex_unlock(&s->writing);
    pthread_mutex_lock(&s->lock);
    s->n.shutdown += s->spool.n;
    spool_free(&s->spool);
    pthread_mutex_unlock(&s->lock);
}

struct stream_counts stream_counts(struct stream *s)
{
    struct stream_counts n;

    pthread_mutex_lock(&s->lock);
    n = s->n;
    n.spooled = s->spool.n;
    n.spool_bytes = s->spool.bytes;
    pthread_mutex_unlock(&s->lock);
    return n;
}
