/* What is done to segments that are no longer written: their indices, and their end. */
#include "plugins/store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 4600

static bool current(const struct backend *b, struct segment_id id)
{
    bool is;

    pthread_mutex_lock(&b->segments->lock);
    is = !segment_compare(id, b->segments->current);
    pthread_mutex_unlock(&b->segments->lock);
    return is;
}

static bool finish_one(struct backend *b, struct segment_id id)
{
    struct files *f = (struct files *)b;
    char path[SEGMENT_PATH], why[WHY], text[WHY + 100];
    enum db_fault fault;
    bool more;

    segments_path(b->segments, id, path);
    fault = segment_finish(b->schema, path, &more, why, sizeof why);
    if (fault == DB_DAMAGED)
        files_damaged(b, id, why);
    if (fault && fault != DB_DAMAGED && fault != DB_NEWER && !f->unfinished) {
        snprintf(text, sizeof text, "%s; its indices are not built, so questions to it take longer; tried again", why);
        b->say(b->say_arg, STREAM_WARNING, text);
    }
    f->unfinished = fault != DB_OK;
    if (!fault)
        readers_purge(b->readers, id);          /* they look again for indices */
    if (fault == DB_NEWER || (!fault && !more))
        segments_finished(b->segments, id);
    return more;
}

bool keeper_finish(struct backend *b, uint64_t now)
{
    uint32_t n;
    struct segment *list = segments_list(b->segments, &n);
    bool more = false;

    for (uint32_t i = 0; list && i < n && !more; i++) {
        bool last = i == n - 1 && list[i].id.day >= segment_day(now);

        if (!list[i].finished && !last && !current(b, list[i].id))
            more = finish_one(b, list[i].id);
    }
    free(list);
    return more;
}

uint32_t keeper_expire(struct backend *b, uint64_t now, struct backend_limits limits)
{
    uint32_t n = 0, oldest = limits.age && limits.age < now ? segment_day(now - limits.age) : 0;
    uint64_t bytes = limits.bytes ? limits.bytes : UINT64_MAX;
    struct segment_id id;

    for (; segments_expired(b->segments, oldest, bytes, &id); n++) {
        char path[SEGMENT_PATH], text[SEGMENT_PATH + 100];

        segments_path(b->segments, id, path);
        segments_forget(b->segments, id);
        readers_purge(b->readers, id);
        db_unlink(path);
        snprintf(text, sizeof text, "%s is deleted: events are kept %s", path,
                 id.day < oldest ? "no longer than store.keep says" : "within store.keep_bytes");
        b->say(b->say_arg, STREAM_INFO, text);
    }
    return n;
}

uint64_t keeper_bytes(struct backend *b, uint32_t *n)
{
    struct segment *list = segments_list(b->segments, n);
    uint64_t bytes = 0;

    for (uint32_t i = 0; list && i < *n; i++) {
        char path[SEGMENT_PATH];

        segments_path(b->segments, list[i].id, path);
        bytes += db_bytes(path);
    }
    free(list);
    return bytes;
}
