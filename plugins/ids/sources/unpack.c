#include "plugins/ids/sources/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 65536u

struct reading {
    struct archive *a;
    struct unpacked *to;
    size_t room, max, seen;         /* seen: bytes that were unpacked */
    uint32_t entries;
    char *why;
    size_t m;
};

static int wrong(const struct reading *r, const char *what)
{
    const char *more = what ? NULL : archive_error_string(r->a);

    snprintf(r->why, r->m, "%s%.200s", what ? what : "the archive is broken: ",
             what ? "" : more ? more : "no reason given");
    return -1;
}

static int add(struct reading *r, const char *p, size_t n)
{
    struct unpacked *to = r->to;

    if (to->n + n + 2 > r->room) {
        size_t room = to->n + n + 2 > 2 * r->room ? to->n + n + PIECE : 2 * r->room;
        char *grown = realloc(to->text, room);

        if (!grown)
            return wrong(r, "out of memory");
        to->text = grown;
        r->room = room;
    }
    memcpy(to->text + to->n, p, n);
    to->n += n;
    to->text[to->n] = '\0';
    return 0;
}

/* Files without a name of their own are the whole of what came. */
static bool is_rules(const char *name, bool alone)
{
    size_t n = name ? strlen(name) : 0;

    return alone || (n >= 6 && !strcmp(name + n - 6, ".rules"));
}

/* "# FILE", so that people find a rule again. */
static int add_name(struct reading *r, const char *name)
{
    char line[300];
    size_t n = (size_t)snprintf(line, sizeof line, "# %.250s", name);

    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    line[n] = '\n';
    return add(r, line, n + 1);
}

/* All bytes are read, also of what is left out, so that they count. */
static int take_entry(struct reading *r, struct archive_entry *e)
{
    bool alone = archive_format(r->a) == ARCHIVE_FORMAT_RAW;
    const char *name = archive_entry_pathname(e);
    bool wanted = archive_entry_filetype(e) == AE_IFREG && is_rules(name, alone);
    char piece[PIECE];
    la_ssize_t n;

    if (wanted && !alone && add_name(r, name))
        return -1;
    r->to->files += wanted;
    while ((n = archive_read_data(r->a, piece, sizeof piece)) > 0) {
        r->seen += (size_t)n;
        if (r->seen > r->max) {
            snprintf(r->why, r->m, "unpacked it is larger than %zu bytes", r->max);
            return -1;
        }
        if (wanted && memchr(piece, 0, (size_t)n))
            return wrong(r, "these are no rules: there is a NUL byte");
        if (wanted && add(r, piece, (size_t)n))
            return -1;
    }
    if (n < 0)
        return wrong(r, NULL);
    return wanted && r->to->n && r->to->text[r->to->n - 1] != '\n' ? add(r, "\n", 1) : 0;
}

static int take_all(struct reading *r)
{
    struct archive_entry *e;
    int rc;

    while ((rc = archive_read_next_header(r->a, &e)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
        if (++r->entries > UNPACK_ENTRIES)
            return wrong(r, "the archive has more than 4,096 entries");
        if (take_entry(r, e))
            return -1;
    }
    if (rc != ARCHIVE_EOF)
        return wrong(r, NULL);
    return r->to->files ? 0 : wrong(r, "the archive has no *.rules file");
}

/* Not every filter and format that libarchive has: some run other programs. */
static bool allow(struct archive *a)
{
    return archive_read_support_filter_gzip(a) == ARCHIVE_OK && archive_read_support_filter_bzip2(a) == ARCHIVE_OK &&
           archive_read_support_filter_xz(a) == ARCHIVE_OK && archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
           archive_read_support_format_tar(a) == ARCHIVE_OK && archive_read_support_format_zip(a) == ARCHIVE_OK &&
           archive_read_support_format_raw(a) == ARCHIVE_OK;
}

int unpack(const void *p, size_t n, size_t max, struct unpacked *to, char *why, size_t m)
{
    struct reading r = { .to = to, .max = max, .why = why, .m = m };
    int rc = -1;

    *to = (struct unpacked){ .text = NULL };
    if (!n) {
        snprintf(why, m, "it is empty");
        return -1;
    }
    if (!(r.a = archive_read_new()) || !allow(r.a))
        snprintf(why, m, "archives cannot be read: out of memory");
    else if (archive_read_open_memory(r.a, p, n) != ARCHIVE_OK)
        wrong(&r, NULL);
    else
        rc = take_all(&r);
    archive_read_free(r.a);
    if (rc) {
        free(to->text);
        *to = (struct unpacked){ .text = NULL };
    }
    return rc;
}
