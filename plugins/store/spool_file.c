#include "plugins/store/spool_file.h"

#include "plugins/store/text.h"

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH     8 /* records in records */
#define LIST_MAX  65536u
#define NAMES_MAX 4096u /* of one file; a chunk has a thousand events */
#define HEAD_LEAST ((uint32_t)offsetof(struct ec_event, app_side)) /* bytes of an event's head in the first version */

enum { FRAME_TOPIC = 1, FRAME_NAME = 2, FRAME_EVENT = 3 };
struct file_head {
    char magic[8];
    uint64_t made;
    uint32_t event, reserved;
}; /* event: size of struct ec_event; an older eCyber's was shorter */
struct frame {
    uint32_t len, kind;
    uint64_t sum;
}; /* the payload follows, padded to a multiple of 8 */
struct topic_frame {
    uint32_t id, reserved;
    uint64_t layout;
}; /* its name follows, with NUL */
struct name_frame {
    uint32_t id, space;
}; /* the space follows, so many bytes with NUL, and the name */
static const char magic[8] = {'e', 'c', 's', 'p', 'o', 'o', 'l', '1'};

static uint64_t sum_add(uint64_t h, const void *p, size_t n)
{
    const uint8_t *s = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return h;
}

#define SUM_BEGIN UINT64_C(0xcbf29ce484222325)

static uint32_t padded(uint32_t n)
{
    return (n + 7u) & ~7u;
}

static const struct ec_row *row_at(const struct ec_record *r, uint32_t i)
{
    return (const void *)((const char *)r->row + (size_t)i * r->row_stride);
}

/* What makes two structs the same to whoever reads them. */
static uint64_t layout(uint64_t h, const struct ec_record *r, uint32_t depth)
{
    h = sum_add(h, &r->bytes, sizeof r->bytes);
    h = sum_add(h, &r->has_off, sizeof r->has_off);
    for (uint32_t i = 0; i < r->n_row; i++) {
        const struct ec_row *row = row_at(r, i);
        uint16_t what[3] = {row->type, row->flags & (EC_R_OPT | EC_R_LIST | EC_R_INLINE), row->has};

        h = sum_add(h, what, sizeof what);
        h = sum_add(h, &row->off, sizeof row->off);
        h = sum_add(h, row->name, strlen(row->name) + 1);
        if ((row->type == EC_T_NAME || row->type == EC_T_ENUM) && row->allow)
            h = sum_add(h, row->allow, strlen(row->allow) + 1);
        if (row->sub && depth < DEPTH)
            h = layout(h, row->sub, depth + 1);
    }
    return h;
}

/* A number of an interned name, where it stands. */
typedef void number_fn(void *arg, const char *space, uint32_t *number);
struct visit {
    number_fn *fn;
    void *arg;
    uint8_t *part;
    uint32_t total, tail;
};

static bool inside(const struct visit *v, uint64_t off, uint64_t n)
{
    return off <= v->total && n <= v->total - off;
}

static void number_at(const struct visit *v, const char *space, uint64_t off)
{
    uint32_t number, was;

    if (!space || !inside(v, off, sizeof number))
        return;
    memcpy(&number, v->part + off, sizeof number);
    if (!(was = number))
        return;
    v->fn(v->arg, space, &number);
    if (number != was) /* who only reads shares the block with other readers */
        memcpy(v->part + off, &number, sizeof number);
}

static void visit_record(const struct visit *v, const struct ec_record *r, uint64_t base, uint32_t depth);

static void visit_list(const struct visit *v, const struct ec_row *row, uint64_t off, uint32_t depth)
{
    struct ec_list list;

    if (!inside(v, off, sizeof list))
        return;
    memcpy(&list, v->part + off, sizeof list);
    for (uint32_t i = 0; list.off && i < list.n && i < LIST_MAX; i++) {
        uint64_t at = list.off + (uint64_t)i * list.stride;

        if (at < v->tail || !inside(v, at, list.stride)) /* never the struct that says where it is */
            return;
        if (row->type == EC_T_NAME)
            number_at(v, row->allow, at);
        else
            visit_record(v, row->sub, at, depth + 1);
    }
}

static void visit_record(const struct visit *v, const struct ec_record *r, uint64_t base, uint32_t depth)
{
    for (uint32_t i = 0; r && depth < DEPTH && i < r->n_row; i++) {
        const struct ec_row *row = row_at(r, i);

        if (row->type != EC_T_NAME && row->type != EC_T_RECORD)
            continue;
        if (row->flags & EC_R_LIST)
            visit_list(v, row, base + row->off, depth);
        else if (row->type == EC_T_NAME)
            number_at(v, row->allow, base + row->off);
        else
            visit_record(v, row->sub, base + row->off, depth + 1);
    }
}

/* Every part of a block that is valid; topics are known to h. */
static void visit_event(const struct ec_host *h, uint8_t *block, number_fn *fn, void *arg)
{
    struct ec_event *ev = (void *)block;
    uint32_t at = ev->first;

    if (ev->iface)
        fn(arg, "iface", &ev->iface);
    if (ev->app_proto)
        fn(arg, "app_proto", &ev->app_proto);
    if (EC_HAS(ev, struct ec_event, origin)) {
        uint32_t *const also[] = { &ev->app_side[0], &ev->app_side[1], &ev->app_orig, &ev->app_expected };

        for (uint32_t i = 0; i < sizeof also / sizeof also[0]; i++)
            if (*also[i])
                fn(arg, "app_proto", also[i]);
    }
    for (uint32_t i = 0; i < ev->parts; i++) {
        struct ec_part *p = (void *)(block + at);
        const struct ec_topic *t = h->topic_get(h, p->topic);
        struct visit v = {fn, arg, (uint8_t *)p, p->total, p->size};

        if (t && t->record)
            visit_record(&v, t->record, 0, 0);
        at += p->total;
    }
}

struct writing {
    const struct ec_host *host;
    struct text text;
    uint8_t *seen; /* by topic */
    struct {
        const char *space;
        uint32_t id;
    } * name;
    uint32_t n_topic, n_name;
};

static void frame_add(struct text *t, uint32_t kind, const void *a, size_t n_a, const void *b, size_t n_b)
{
    static const char zero[8];
    uint32_t n = (uint32_t)(n_a + n_b);
    struct frame f = {n, kind, sum_add(sum_add(sum_add(SUM_BEGIN, &kind, sizeof kind), a, n_a), b, n_b)};

    text_add(t, &f, sizeof f);
    text_add(t, a, n_a);
    text_add(t, b, n_b);
    text_add(t, zero, padded(n) - n);
}

static void write_name(void *arg, const char *space, uint32_t *id)
{
    struct writing *w = arg;
    const char *name;
    struct text all = {0};
    struct name_frame f = {*id, (uint32_t)strlen(space) + 1};
    void *grown;

    for (uint32_t i = 0; i < w->n_name; i++)
        if (w->name[i].id == *id && !strcmp(w->name[i].space, space))
            return;
    grown = realloc(w->name, (w->n_name + 1) * sizeof *w->name);
    if (!grown) {
        w->text.failed = true;
        return;
    }
    w->name = grown;
    w->name[w->n_name].space = space;
    w->name[w->n_name++].id = *id;
    if (!(name = w->host->interned(w->host, space, *id)))
        return;
    text_add(&all, space, f.space);
    text_add(&all, name, strlen(name) + 1);
    if (all.failed)
        w->text.failed = true;
    else
        frame_add(&w->text, FRAME_NAME, &f, sizeof f, all.base, all.len);
    text_free(&all);
}

static void write_topics(struct writing *w, const uint8_t *block)
{
    const struct ec_event *ev = (const void *)block;
    uint32_t at = ev->first;

    for (uint32_t i = 0; i < ev->parts; i++) {
        const struct ec_part *p = (const void *)(block + at);
        const struct ec_topic *t = p->topic <= w->n_topic ? w->host->topic_get(w->host, p->topic) : NULL;
        struct topic_frame f = {.id = p->topic};

        if (t && t->record && !w->seen[p->topic]) {
            w->seen[p->topic] = 1;
            f.layout = layout(SUM_BEGIN, t->record, 0);
            frame_add(&w->text, FRAME_TOPIC, &f, sizeof f, t->name, strlen(t->name) + 1);
        }
        at += p->total;
    }
}

static bool write_all(int fd, const char *s, size_t n)
{
    while (n) {
        ssize_t did = write(fd, s, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        s += did;
        n -= (size_t)did;
    }
    return true;
}

static bool put_file(const char *path, const struct text *t)
{
    char part[4200];
    int fd, error;
    bool ok;

    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return false;
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    ok = fd >= 0 && write_all(fd, t->base, t->len);
    if (fd >= 0 && close(fd))
        ok = false;
    if (ok && !rename(part, path))
        return true;
    error = errno;
    unlink(part);
    errno = error;
    return false;
}

bool spool_file_write(const struct ec_host *h, const char *path, uint8_t *blocks, uint32_t n, uint64_t made)
{
    struct writing w = {.host = h, .n_topic = h->topic_count(h)};
    struct file_head head = {.made = made, .event = sizeof(struct ec_event)};
    bool ok;

    memcpy(head.magic, magic, sizeof magic);
    w.seen = calloc(w.n_topic + 1u, 1);
    text_add(&w.text, &head, sizeof head);
    for (uint32_t at = 0; w.seen && at < n;
         at += padded(((const struct ec_event *)(const void *)(blocks + at))->total)) {
        write_topics(&w, blocks + at);
        visit_event(h, blocks + at, write_name, &w);
    }
    for (uint32_t at = 0; at < n;) {
        uint32_t total = ((const struct ec_event *)(const void *)(blocks + at))->total;

        frame_add(&w.text, FRAME_EVENT, blocks + at, total, NULL, 0);
        at += padded(total);
    }
    errno = ENOMEM;
    ok = w.seen && !w.text.failed && put_file(path, &w.text);
    text_free(&w.text);
    free(w.name);
    free(w.seen);
    return ok;
}

uint8_t *spool_file_load(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *all = NULL;
    struct stat st;
    ssize_t did = 0;

    *n = 0;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= SPOOL_FILE_MAX &&
        (all = aligned_alloc(8, padded((uint32_t)st.st_size + 1)))) {
        while (*n < (size_t)st.st_size && (did = read(fd, all + *n, (size_t)st.st_size - *n)) > 0)
            *n += (size_t)did;
    }
    if (did < 0) {
        free(all);
        all = NULL;
    }
    if (fd >= 0)
        close(fd);
    return all;
}

/* The next frame; NULL: the end, or (*torn) none that is whole. */
static const struct frame *frame_next(const uint8_t *file, size_t n, size_t *at, bool *torn)
{
    const struct frame *f = (const void *)(file + *at);
    const uint8_t *payload = (const uint8_t *)(f + 1);

    *torn = false;
    if (*at == n)
        return NULL;
    *torn = true;
    if (n - *at < sizeof *f || f->len > SPOOL_FILE_MAX || padded(f->len) > n - *at - sizeof *f ||
        f->sum != sum_add(sum_add(SUM_BEGIN, &f->kind, sizeof f->kind), payload, f->len))
        return NULL;
    *torn = false;
    *at += sizeof *f + padded(f->len);
    return f;
}

static bool head_good(const uint8_t *file, size_t n)
{
    const struct file_head *head = (const void *)file;

    return n >= sizeof *head && !memcmp(head->magic, magic, sizeof magic) && head->event >= HEAD_LEAST &&
           head->event <= sizeof(struct ec_event);
}

static bool map_topic(const struct ec_host *h, const struct frame *f, struct spool_map *map)
{
    const struct topic_frame *t = (const void *)(f + 1);
    const char *name = (const char *)(t + 1);
    uint16_t *grown;

    if (f->len <= sizeof *t || t->id > UINT16_MAX || name[f->len - sizeof *t - 1])
        return true;
    if (t->id >= map->n_topic) {
        if (!(grown = realloc(map->topic, (t->id + 1) * sizeof *grown)))
            return false;
        memset(grown + map->n_topic, 0, (t->id + 1 - map->n_topic) * sizeof *grown);
        map->topic = grown;
        map->n_topic = t->id + 1;
    }
    for (uint32_t id = 1; id <= h->topic_count(h); id++) {
        const struct ec_topic *known = h->topic_get(h, id);

        if (known && known->record && !strcmp(known->name, name) && layout(SUM_BEGIN, known->record, 0) == t->layout)
            map->topic[t->id] = (uint16_t)id;
    }
    return true;
}

static bool map_name(const struct ec_host *h, const struct frame *f, struct spool_map *map)
{
    const struct name_frame *m = (const void *)(f + 1);
    const char *space = (const char *)(m + 1);
    struct spool_name *grown;

    if (f->len < sizeof *m + 2 || !m->space || m->space >= f->len - sizeof *m || space[m->space - 1] ||
        space[f->len - sizeof *m - 1] || !*space || map->n_name == NAMES_MAX)
        return true;
    if (!(grown = realloc(map->name, (map->n_name + 1) * sizeof *grown)))
        return false;
    map->name = grown;
    grown += map->n_name;
    *grown = (struct spool_name){strdup(space), m->id, h->intern(h, space, space + m->space)};
    if (!grown->space)
        return false;
    map->n_name++;
    return true;
}

bool spool_file_map(const struct ec_host *h, const uint8_t *file, size_t n, struct spool_map *map)
{
    size_t at = sizeof(struct file_head);
    const struct frame *f;
    bool torn;

    memset(map, 0, sizeof *map);
    if (!head_good(file, n))
        return false;
    map->made = ((const struct file_head *)(const void *)file)->made;
    while ((f = frame_next(file, n, &at, &torn)) && f->kind != FRAME_EVENT)
        if ((f->kind == FRAME_TOPIC && !map_topic(h, f, map)) || (f->kind == FRAME_NAME && !map_name(h, f, map))) {
            spool_map_free(map);
            return false;
        }
    return true;
}

void spool_map_free(struct spool_map *map)
{
    for (uint32_t i = 0; i < map->n_name; i++)
        free(map->name[i].space);
    free(map->name);
    free(map->topic);
    memset(map, 0, sizeof *map);
}

static void read_name(void *arg, const char *space, uint32_t *id)
{
    const struct spool_map *map = arg;

    for (uint32_t i = 0; i < map->n_name; i++)
        if (map->name[i].from == *id && !strcmp(map->name[i].space, space)) {
            *id = map->name[i].to;
            return;
        }
    *id = 0;
}

/* Is it a whole block, of topics that this run knows? Its numbers become this run's. */
static bool take_block(const struct ec_host *h, uint8_t *block, uint32_t len, const struct spool_map *map)
{
    struct ec_event *ev = (void *)block;
    uint32_t at;

    if (len < sizeof *ev || ev->total != len || ev->size < sizeof *ev || ev->size > len || !ev->parts)
        return false;
    at = ev->first;
    for (uint32_t i = 0; i < ev->parts; i++) {
        struct ec_part *p = (void *)(block + at);
        const struct ec_topic *t;

        if (at % 8 || at < sizeof *ev || at > len || len - at < sizeof *p || p->size < sizeof *p ||
            p->total < p->size || p->total % 8 || p->total > len - at)
            return false;
        if (map)
            p->topic = p->topic < map->n_topic ? map->topic[p->topic] : 0;
        t = p->topic ? h->topic_get(h, p->topic) : NULL;
        if (!t || !t->record || p->size < t->record->bytes)
            return false;
        at += p->total;
    }
    if (map)
        visit_event(h, block, read_name, (void *)map);
    return true;
}

/* Copies a block, whose head becomes as long as this version's. Its length, or 0: its head is none, or there is no room. */
static uint32_t copy_block(uint8_t *to, uint64_t room, const uint8_t *block, uint32_t len)
{
    struct ec_event ev = {0};
    uint32_t longer;

    if (len < HEAD_LEAST)
        return 0;
    memcpy(&ev, block, HEAD_LEAST);
    if (ev.size < HEAD_LEAST || ev.size > sizeof ev || ev.size % 8 || ev.first < ev.size || ev.first > len || ev.total != len)
        return 0;
    memcpy(&ev, block, ev.size);
    longer = (uint32_t)sizeof ev - ev.size;
    if (padded(len) + longer > room)
        return 0;
    memcpy(to + sizeof ev, block + ev.size, len - ev.size);
    ev.size += longer;
    ev.first += longer;
    ev.total += longer;
    memcpy(to, &ev, sizeof ev);
    return ev.total;
}

uint8_t *spool_file_read(const struct ec_host *h, const uint8_t *file, size_t len, const struct spool_map *map,
                         uint32_t *n, uint32_t *events, uint64_t *lost)
{
    size_t at = sizeof(struct file_head);
    uint64_t room = 2 * (uint64_t)padded((uint32_t)len) + 8;      /* a head grows by less than it was */
    uint8_t *all = len <= SPOOL_FILE_MAX ? aligned_alloc(8, room) : NULL;
    const struct frame *f;
    bool torn = false;
    uint32_t took;

    *n = *events = 0;
    if (all && !head_good(file, len)) {
        ++*lost;
        return all;
    }
    while (all && (f = frame_next(file, len, &at, &torn))) {
        if (f->kind != FRAME_EVENT)
            continue;
        took = copy_block(all + *n, room - *n, (const uint8_t *)(f + 1), f->len);
        if (!took || !take_block(h, all + *n, took, map)) {
            ++*lost;
            continue;
        }
        *n += padded(took);
        ++*events;
    }
    *lost += torn;
    return all;
}
