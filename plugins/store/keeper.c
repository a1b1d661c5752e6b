#include "plugins/store/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 4600

static bool current(const struct stream *s, struct segment_id id)
{
    bool is;

    pthread_mutex_lock(&s->segments->lock);
    is = !segment_compare(id, s->segments->current);
    pthread_mutex_unlock(&s->segments->lock);
    return is;
}

static bool finish_one(struct stream *s, struct segment_id id)
{
    char path[SEGMENT_PATH], why[WHY], text[WHY + 100];
    enum db_fault fault;
    bool more;

    segments_path(s->segments, id, path);
    fault = segment_finish(s->schema, path, &more, why, sizeof why);
    if (fault == DB_DAMAGED)
        stream_damaged(s, id, why);
    if (fault && fault != DB_DAMAGED && fault != DB_NEWER && !s->unfinished) {
        snprintf(text, sizeof text, "%s; its indices are not built, so questions to it take longer; tried again", why);
        s->say(s->say_arg, STREAM_WARNING, text);
    }
    s->unfinished = fault != DB_OK;
    if (!fault)
        readers_purge(s->readers, id);          /* they look again for indices */
    if (fault == DB_NEWER || (!fault && !more))
        segments_finished(s->segments, id);
    return more;
}

bool keeper_finish(struct stream *s, uint64_t now)
{
    uint32_t n;
    struct segment *list = segments_list(s->segments, &n);
    bool more = false;

    for (uint32_t i = 0; list && i < n && !more; i++) {
        bool last = i == n - 1 && list[i].id.day >= segment_day(now);

        if (!list[i].finished && !last && !current(s, list[i].id))
            more = finish_one(s, list[i].id);
    }
    free(list);
    return more;
}

uint32_t keeper_expire(struct stream *s, uint64_t now, struct keeper_limits limits)
{
    uint32_t n = 0, oldest = limits.age && limits.age < now ? segment_day(now - limits.age) : 0;
    uint64_t bytes = limits.bytes ? limits.bytes : UINT64_MAX;
    struct segment_id id;

    for (; segments_expired(s->segments, oldest, bytes, &id); n++) {
        char path[SEGMENT_PATH], text[SEGMENT_PATH + 100];

        segments_path(s->segments, id, path);
        segments_forget(s->segments, id);
        readers_purge(s->readers, id);
        db_unlink(path);
        snprintf(text, sizeof text, "%s is deleted: events are kept %s", path,
                 id.day < oldest ? "no longer than store.keep says" : "within store.keep_bytes");
        s->say(s->say_arg, STREAM_INFO, text);
    }
    return n;
}

uint64_t keeper_bytes(struct stream *s, uint32_t *n)
{
    struct segment *list = segments_list(s->segments, n);
    uint64_t bytes = 0;

    for (uint32_t i = 0; list && i < *n; i++) {
        char path[SEGMENT_PATH];

        segments_path(s->segments, list[i].id, path);
        bytes += db_bytes(path);
    }
    free(list);
    return bytes;
}
