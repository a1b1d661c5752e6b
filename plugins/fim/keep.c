/* The table as a file: "ecyber-fim 1", then for each entry its path, base and last, then "end COUNT". A path has \xHH
 * for what would end a field; base and last are "-" or "TYPE,MODE,UID,GID,SIZE,MTIME,CTIME,SHA256". */
#include "plugins/fim/table.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIRST "ecyber-fim 1"

static void path_put(FILE *to, const char *s)
{
    for (; *s; s++)
        if ((uint8_t)*s <= ' ' || *s == '\\' || *s == 0x7f)
            fprintf(to, "\\x%02x", (unsigned)(uint8_t)*s);
        else
            putc(*s, to);
}

static void meta_put(FILE *to, const struct meta *m)
{
    if (!m->type) {
        fputs("\t-", to);
        return;
    }
    fprintf(to, "\t%c,%" PRIo32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", m->type, m->mode,
            m->uid, m->gid, m->size, m->mtime_ns, m->ctime_ns);
    if (!m->hashed)
        putc('-', to);
    for (uint32_t i = 0; m->hashed && i < sizeof m->sha256; i++)
        fprintf(to, "%02x", m->sha256[i]);
}

static int put(void *arg, struct entry *e)
{
    FILE *to = arg;

    path_put(to, e->path);
    meta_put(to, &e->base);
    meta_put(to, &e->last);
    putc('\n', to);
    return ferror(to) ? (errno ? errno : EIO) : 0;
}

int table_write(const struct table *t, FILE *to)
{
    int rc;

    errno = 0;
    fputs(FIRST "\n", to);
    rc = table_each(t, put, to);
    fprintf(to, "end %" PRIu32 "\n", t->n);
    return rc ? rc : fflush(to) ? errno : 0;
}

/* --- and back --- */
struct text { const char *at, *end; };

/* Up to the next `stop`, which is taken off too, or to the end. */
static struct text cut(struct text *t, char stop)
{
    const char *p = t->at < t->end ? memchr(t->at, stop, (size_t)(t->end - t->at)) : NULL;
    struct text got = { t->at, p ? p : t->end };

    t->at = p ? p + 1 : t->end;
    return got;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool path_read(struct text t, char *to, size_t room)
{
    size_t n = 0;

    if (t.at == t.end || *t.at != '/')
        return false;
    while (t.at < t.end && n + 1 < room) {
        if (*t.at != '\\') {
            to[n++] = *t.at++;
            continue;
        }
        if (t.end - t.at < 4 || t.at[1] != 'x' || hex(t.at[2]) < 0 || hex(t.at[3]) < 0)
            return false;
        to[n] = (char)(hex(t.at[2]) << 4 | hex(t.at[3]));
        if (!to[n++])
            return false;
        t.at += 4;
    }
    to[n] = '\0';
    return t.at == t.end && !memchr(to, '\0', n);
}

static bool number(struct text t, uint32_t base, uint64_t most, uint64_t *v)
{
    *v = 0;
    if (t.at == t.end)
        return false;
    for (; t.at < t.end; t.at++) {
        uint64_t digit = (uint64_t)(uint8_t)*t.at - '0';

        if (digit >= base || *v > (most - digit) / base)
            return false;
        *v = *v * base + digit;
    }
    return true;
}

static bool hash_read(struct text t, struct meta *m)
{
    if (t.end - t.at == 1 && *t.at == '-')
        return true;
    if (t.end - t.at != 64)
        return false;
    for (uint32_t i = 0; i < 32; i++) {
        int high = hex(t.at[i * 2]), low = hex(t.at[i * 2 + 1]);

        if (high < 0 || low < 0)
            return false;
        m->sha256[i] = (uint8_t)(high << 4 | low);
    }
    m->hashed = true;
    return true;
}

static bool meta_get(struct text t, struct meta *m)
{
    static const struct { uint32_t base; uint64_t most; } kinds[6] = {
        { 8, 07777 }, { 10, UINT32_MAX }, { 10, UINT32_MAX }, { 10, UINT64_MAX }, { 10, UINT64_MAX },
        { 10, UINT64_MAX } };
    struct text type;
    uint64_t v[6];

    *m = (struct meta){ 0 };
    if (t.end - t.at == 1 && *t.at == '-')
        return true;
    type = cut(&t, ',');
    if (type.end - type.at != 1 || !strchr("flod", *type.at) || !*type.at)
        return false;
    for (uint32_t i = 0; i < 6; i++)
        if (!number(cut(&t, ','), kinds[i].base, kinds[i].most, &v[i]))
            return false;
    *m = (struct meta){ .type = *type.at, .mode = (uint32_t)v[0], .uid = (uint32_t)v[1], .gid = (uint32_t)v[2],
                        .size = v[3], .mtime_ns = v[4], .ctime_ns = v[5] };
    return hash_read(t, m);
}

enum taken { TAKEN, TAKEN_OVER, TAKEN_BAD };
static enum taken line_take(struct table *t, struct text line)
{
    char path[PATH_MAX];
    struct meta base, last;
    struct text first = cut(&line, '\t'), second = cut(&line, '\t');
    struct entry *e;

    if (!path_read(first, path, sizeof path) || !meta_get(second, &base) || !meta_get(line, &last) ||
        table_find(t, path) || (!base.type && !last.type))
        return TAKEN_BAD;
    if (!(e = table_make(t, path)))
        return TAKEN_OVER;
    e->base = base;
    e->last = last;
    return TAKEN;
}

static bool is_end(struct text line, uint64_t entries)
{
    uint64_t n;

    return line.end - line.at > 4 && !memcmp(line.at, "end ", 4) &&
           number((struct text){ line.at + 4, line.end }, 10, UINT32_MAX, &n) && n == entries;
}

static bool all_read(struct table *t, struct text all, uint32_t *over, char *why, size_t n)
{
    uint32_t at = 1;
    struct text line;

    while (all.at < all.end) {
        line = cut(&all, '\n');
        at++;
        if (all.at == all.end && is_end(line, (uint64_t)t->n + *over))
            return true;
        switch (line_take(t, line)) {
        case TAKEN:
            break;
        case TAKEN_OVER:
            ++*over;
            break;
        case TAKEN_BAD:
            snprintf(why, n, "line %" PRIu32 " is no entry, or a path stands there twice", at);
            return false;
        }
    }
    snprintf(why, n, "it breaks off at line %" PRIu32 ": there is no last line, or it counts other entries", at);
    return false;
}

bool table_read(struct table *t, const char *text, size_t len, uint32_t *over, char *why, size_t n)
{
    struct text all = { text, text + len }, line = cut(&all, '\n');

    *over = 0;
    if (line.end - line.at != sizeof FIRST - 1 || memcmp(line.at, FIRST, sizeof FIRST - 1)) {
        snprintf(why, n, "it does not begin with '" FIRST "'");
        return false;
    }
    if (all_read(t, all, over, why, n))
        return true;
    table_empty(t);
    return false;
}
