#include "plugins/store/segments.h"

#include "plugins/store/db.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int segment_compare(struct segment_id a, struct segment_id b)
{
    if (a.day != b.day)
        return a.day < b.day ? -1 : 1;
    return a.number == b.number ? 0 : a.number < b.number ? -1 : 1;
}

uint32_t segment_day(uint64_t now_ns)
{
    time_t t = (time_t)(now_ns / 1000000000u);
    struct tm tm;

    gmtime_r(&t, &tm);
    return (uint32_t)(tm.tm_year + 1900) * 10000u + (uint32_t)(tm.tm_mon + 1) * 100u + (uint32_t)tm.tm_mday;
}

/* Where id stands, or would stand. */
static uint32_t position(const struct segments *s, struct segment_id id)
{
    uint32_t i = s->n;

    while (i && segment_compare(s->segment[i - 1].id, id) >= 0)
        i--;
    return i;
}

static bool insert(struct segments *s, struct segment_id id)
{
    uint32_t at = position(s, id);

    if (at < s->n && !segment_compare(s->segment[at].id, id))
        return true;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 32;
        struct segment *grown = realloc(s->segment, cap * sizeof *grown);

        if (!grown)
            return false;
        s->segment = grown;
        s->cap = cap;
    }
    memmove(&s->segment[at + 1], &s->segment[at], (s->n - at) * sizeof *s->segment);
    memset(&s->segment[at], 0, sizeof *s->segment);
    s->segment[at].id = id;
    s->n++;
    s->changes++;
    return true;
}

static bool name_parse(const char *name, struct segment_id *id)
{
    int end = -1;

    if (sscanf(name, "events-%8u-%6u.db%n", &id->day, &id->number, &end) != 2 || end < 0 || name[end])
        return false;
    return id->day >= 19700101 && id->day <= 99991231 && id->number;
}

void segments_init(struct segments *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
}

int segments_open(struct segments *s, const char *folder)
{
    struct segment_id id;
    struct dirent *e;
    bool ok = true;
    DIR *d;

    segments_init(s);
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    if (!(d = opendir(folder)))
        return -1;
    while (ok && (e = readdir(d)))
        if (name_parse(e->d_name, &id))
            ok = insert(s, id);
    closedir(d);
    return ok ? 0 : -1;
}

void segments_close(struct segments *s)
{
    free(s->segment);
    s->segment = NULL;
    s->n = s->cap = 0;
    pthread_mutex_destroy(&s->lock);
}

void segments_path(const struct segments *s, struct segment_id id, char path[SEGMENT_PATH])
{
    snprintf(path, SEGMENT_PATH, "%s/events-%08u-%u.db", s->folder, id.day, id.number);
}

bool segments_current(struct segments *s, uint32_t day, bool fresh, struct segment_id *id)
{
    bool ok;

    pthread_mutex_lock(&s->lock);
    *id = (struct segment_id){ day, 1 };
    if (s->n && s->segment[s->n - 1].id.day >= day) {
        *id = s->segment[s->n - 1].id;
        id->number += fresh;
    }
    ok = insert(s, *id);
    if (ok)
        s->current = *id;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

bool segments_add(struct segments *s, struct segment_id id)
{
    bool ok;

    pthread_mutex_lock(&s->lock);
    ok = insert(s, id);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

struct segment *segments_list(struct segments *s, uint32_t *n)
{
    struct segment *copy = NULL;

    pthread_mutex_lock(&s->lock);
    *n = s->n;
    if (s->n && (copy = malloc(s->n * sizeof *copy)))
        memcpy(copy, s->segment, s->n * sizeof *copy);
    pthread_mutex_unlock(&s->lock);
    return copy;
}

bool segments_last(struct segments *s, struct segment_id *id, uint64_t *changes)
{
    bool there;

    pthread_mutex_lock(&s->lock);
    there = s->n != 0;
    if (there)
        *id = s->segment[s->n - 1].id;
    *changes = s->changes;
    pthread_mutex_unlock(&s->lock);
    return there;
}

void segments_learn(struct segments *s, const struct segment *known)
{
    uint32_t at;

    pthread_mutex_lock(&s->lock);
    at = position(s, known->id);
    if (at < s->n && !segment_compare(s->segment[at].id, known->id) && segment_compare(known->id, s->current)) {
        s->segment[at].ts_min = known->ts_min;
        s->segment[at].ts_max = known->ts_max;
        s->segment[at].rows = known->rows;
        s->segment[at].known = true;
    }
    pthread_mutex_unlock(&s->lock);
}

void segments_finished(struct segments *s, struct segment_id id)
{
    uint32_t at;

    pthread_mutex_lock(&s->lock);
    at = position(s, id);
    if (at < s->n && !segment_compare(s->segment[at].id, id))
        s->segment[at].finished = true;
    pthread_mutex_unlock(&s->lock);
}

void segments_forget(struct segments *s, struct segment_id id)
{
    uint32_t at;

    pthread_mutex_lock(&s->lock);
    at = position(s, id);
    if (at < s->n && !segment_compare(s->segment[at].id, id)) {
        memmove(&s->segment[at], &s->segment[at + 1], (s->n - at - 1) * sizeof *s->segment);
        s->n--;
        s->changes++;
    }
    if (!segment_compare(s->current, id))
        s->current.day = 0;
    pthread_mutex_unlock(&s->lock);
}

bool segments_expired(struct segments *s, uint32_t oldest, uint64_t bytes, struct segment_id *id)
{
    uint64_t sum = 0;
    uint32_t n;
    struct segment *list = segments_list(s, &n);
    bool found = false;

    for (uint32_t i = 0; list && i < n; i++) {
        char path[SEGMENT_PATH];

        segments_path(s, list[i].id, path);
        sum += db_bytes(path);
    }
    pthread_mutex_lock(&s->lock);
    if (list && n && segment_compare(list[0].id, s->current) && (list[0].id.day < oldest || (n > 1 && sum > bytes))) {
        *id = list[0].id;
        found = true;
    }
    pthread_mutex_unlock(&s->lock);
    free(list);
    return found;
}
