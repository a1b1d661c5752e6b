#include "plugins/store/spool.h"

#include "plugins/store/spool_file.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CHUNK SPOOL_PIECE
#define RETRY_NS UINT64_C(1000000000)   /* after a file could not be written */

struct spool_chunk {
    struct spool_chunk *next;
    uint8_t *data;                  /* blocks, 8-aligned; NULL: they are on disk */
    uint32_t used, taken, size, n, saved;   /* saved: so many bytes of it are in its file */
    uint64_t run, number, made;     /* of its file; 0: it has none */
    bool pinned;                    /* somebody reads it */
};
struct spool_old { uint64_t run, number; struct spool_map map; };

static uint32_t room_of(const struct ec_event *ev)
{
    return (ev->total + 7u) & ~7u;
}

void spool_disk(struct spool *s, uint64_t bytes)
{
    s->most = (uint32_t)(bytes / CHUNK);
}

uint64_t spool_on_disk(const struct spool *s)
{
    return (uint64_t)s->used * CHUNK;
}

static void path_of(const struct spool *s, uint64_t run, uint64_t number, char path[SPOOL_PATH])
{
    snprintf(path, SPOOL_PATH, "%s/spool-%016llx-%08llx", s->folder, (unsigned long long)run,
             (unsigned long long)number);
}

static uint64_t wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool disk_left(const struct spool *s)
{
    return s->folder && s->host && s->used < s->most && (!s->retry || clock_ns() >= s->retry);
}

/* Its file holds all that it has. False: there is no room, or it cannot be written. */
static bool chunk_save(struct spool *s, struct spool_chunk *c)
{
    char path[SPOOL_PATH];
    bool fresh = !c->run;

    if (c->run && c->saved == c->used)
        return true;
    if (fresh && !disk_left(s))
        return false;
    if (fresh)
        c->number = ++s->number;
    path_of(s, fresh ? s->run : c->run, c->number, path);
    if (!spool_file_write(s->host, path, c->data, c->used, c->made)) {
        s->retry = clock_ns() + RETRY_NS;
        return false;
    }
    s->retry = 0;
    c->run = fresh ? s->run : c->run;
    c->saved = c->used;
    s->used += fresh;
    return true;
}

static void file_gone(struct spool *s, struct spool_chunk *c)
{
    char path[SPOOL_PATH];

    if (!c->run)
        return;
    path_of(s, c->run, c->number, path);
    unlink(path);
    c->run = 0;
    s->used--;
}

/* The chunk leaves the memory. False: it stays. */
static bool chunk_out(struct spool *s, struct spool_chunk *c)
{
    if (!c->data || c->pinned || !chunk_save(s, c))
        return false;
    free(c->data);
    c->data = NULL;
    c->size = c->used;              /* it is closed */
    s->resident -= c->used - c->taken;
    return true;
}

/* From disk to memory. */
static bool chunk_in(struct spool *s, struct spool_chunk *c)
{
    char path[SPOOL_PATH];
    uint8_t *file, *data = NULL;
    uint32_t used = 0, n = 0;
    uint64_t lost = 0;
    size_t len;

    path_of(s, c->run, c->number, path);
    if ((file = spool_file_load(path, &len)))
        data = spool_file_read(s->host, file, len, NULL, &used, &n, &lost);
    free(file);
    if (!data || lost || used != c->used) {
        free(data);
        return false;
    }
    c->data = data;
    s->resident += c->used - c->taken;
    return true;
}

static void chunk_free(struct spool_chunk *c)
{
    if (c)
        free(c->data);
    free(c);
}

static struct spool_chunk *chunk_new(struct spool *s)
{
    struct spool_chunk *c = s->spare;

    if (c)
        s->spare = NULL;
    else if (!(c = calloc(1, sizeof *c)))
        return NULL;
    if (!c->data && !(c->data = malloc(CHUNK))) {
        free(c);
        return NULL;
    }
    c->size = CHUNK;
    c->next = NULL;
    c->used = c->taken = c->n = c->saved = 0;
    c->run = 0;
    c->made = wall_clock();
    c->pinned = false;
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    return c;
}

enum spool_result spool_add(struct spool *s, const struct ec_event *ev)
{
    uint32_t need = room_of(ev);
    struct spool_chunk *c = s->last;
    bool room = c && c->data && c->size - c->used >= need;

    /* Over the limit by what is read and the one piece that is filled: then that goes to disk. */
    if (s->resident + need > s->limit &&
        (!disk_left(s) || (!room && c && c->data && !c->pinned && !chunk_out(s, c))))
        return SPOOL_FULL;
    if ((!c || !c->data || c->size - c->used < need) && !(c = chunk_new(s)))
        return SPOOL_MEMORY;
    memcpy(c->data + c->used, ev, ev->total);
    c->used += need;
    c->n++;
    s->n++;
    s->bytes += need;
    s->resident += need;
    return SPOOL_OK;
}

void spool_save(struct spool *s)
{
    for (struct spool_chunk *c = s->first; c; c = c->next) {
        if (c->data && !c->pinned && s->resident > s->limit / 2 && c != s->last)
            chunk_out(s, c);
        else if (c->data && !chunk_save(s, c))
            return;
    }
}

struct spool_at spool_begin(const struct spool *s)
{
    return (struct spool_at){ s->first, s->first ? s->first->taken : 0 };
}

/* What cannot be read is forgotten, with what was taken of it before. */
static void chunk_lose(struct spool *s, struct spool_chunk *c, uint64_t *lost)
{
    struct spool_chunk **at = &s->first, *before = NULL;

    for (; *at != c; at = &(*at)->next)
        before = *at;
    *at = c->next;
    if (s->last == c)
        s->last = before;
    *lost += c->n;
    s->n -= c->n;
    s->bytes -= c->used - c->taken;
    file_gone(s, c);
    free(c);
}

const struct ec_event *spool_next(struct spool *s, struct spool_at *at, uint64_t *lost)
{
    const struct ec_event *ev;

    while (at->chunk && at->off == at->chunk->used) {
        at->chunk = at->chunk->next;
        at->off = at->chunk ? at->chunk->taken : 0;
    }
    if (!at->chunk)
        return NULL;
    if (!at->chunk->data && !chunk_in(s, at->chunk)) {
        chunk_lose(s, at->chunk, lost);
        at->chunk = NULL;
        return NULL;
    }
    at->chunk->pinned = true;
    ev = (const void *)(at->chunk->data + at->off);
    at->off += room_of(ev);
    return ev;
}

/* The first chunk is used up. One of full size is kept for the next time. */
static void chunk_drop(struct spool *s)
{
    struct spool_chunk *c = s->first;

    s->first = c->next;
    if (!s->first)
        s->last = NULL;
    file_gone(s, c);
    if (c->size < CHUNK) {
        chunk_free(c);
        return;
    }
    chunk_free(s->spare);
    s->spare = c;
}

void spool_take(struct spool *s, uint64_t n)
{
    for (; n && s->first; n--) {
        struct spool_chunk *c = s->first;
        uint32_t room = room_of((const void *)(c->data + c->taken));

        c->taken += room;
        c->n--;
        s->n--;
        s->bytes -= room;
        s->resident -= room;
        if (c->taken == c->used)
            chunk_drop(s);
    }
}

uint64_t spool_free(struct spool *s)
{
    struct spool_chunk *c;
    uint64_t kept = 0;

    while ((c = s->first)) {
        s->first = c->next;
        if (c->run && c->saved == c->used)
            kept += c->n;
        chunk_free(c);
    }
    chunk_free(s->spare);
    for (uint32_t i = 0; i < s->n_old; i++)
        spool_map_free(&s->old[i].map);
    free(s->old);
    s->old = NULL;
    s->last = s->spare = NULL;
    s->n = s->bytes = s->resident = s->n_old = s->used = 0;
    return kept;
}

static int by_age(const void *a, const void *b)
{
    const struct spool_old *x = a, *y = b;

    if (x->run != y->run)
        return (x->run > y->run) - (x->run < y->run);
    return (x->number > y->number) - (x->number < y->number);
}

static bool old_add(struct spool *s, uint64_t run, uint64_t number)
{
    struct spool_old *grown = realloc(s->old, (s->n_old + 1) * sizeof *grown);
    char path[SPOOL_PATH];
    uint8_t *file;
    size_t n;

    if (!grown)
        return false;
    s->old = grown;
    grown += s->n_old;
    *grown = (struct spool_old){.run = run, .number = number};
    path_of(s, run, number, path);
    file = spool_file_load(path, &n);
    if (file)                       /* where it is none, reading it says so */
        spool_file_map(s->host, file, n, &grown->map);
    free(file);
    s->n_old++;
    s->used++;
    return true;
}

/* "spool-0123456789abcdef-00000001", and nothing else. */
static bool name_parse(const char *name, uint64_t *run, uint64_t *number)
{
    unsigned long long r, k;
    char again[64];
    int end = -1;

    if (sscanf(name, "spool-%16llx-%8llx%n", &r, &k, &end) != 2 || end < 0 || name[end])
        return false;
    *run = r;
    *number = k;
    snprintf(again, sizeof again, "spool-%016llx-%08llx", r, k);
    return r && k && !strcmp(name, again);
}

void spool_open(struct spool *s)
{
    DIR *d = s->folder && s->host ? opendir(s->folder) : NULL;
    struct dirent *e;
    bool ok = true;

    s->run = wall_clock();
    while (d && ok && (e = readdir(d))) {
        uint64_t run, number;

        if (name_parse(e->d_name, &run, &number))
            ok = old_add(s, run, number);
    }
    if (d)
        closedir(d);
    if (s->n_old)
        qsort(s->old, s->n_old, sizeof *s->old, by_age);
}

bool spool_old(const struct spool *s, char path[SPOOL_PATH], const struct spool_map **map)
{
    if (!s->n_old)
        return false;
    path_of(s, s->old[0].run, s->old[0].number, path);
    *map = &s->old[0].map;
    return true;
}

enum spool_result spool_old_take(struct spool *s, uint8_t *blocks, uint32_t used, uint32_t n)
{
    struct spool_chunk *c = calloc(1, sizeof *c);

    if (!c) {
        free(blocks);
        return SPOOL_MEMORY;
    }
    c->data = blocks;
    c->used = c->size = c->saved = used;
    c->n = n;
    c->run = s->old[0].run;
    c->number = s->old[0].number;
    c->pinned = true;               /* its file has the numbers of another run */
    spool_map_free(&s->old[0].map);
    memmove(s->old, s->old + 1, --s->n_old * sizeof *s->old);
    if (!n) {
        file_gone(s, c);
        chunk_free(c);
        return SPOOL_OK;
    }
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    s->n += n;
    s->bytes += used;
    s->resident += used;
    return SPOOL_OK;
}
