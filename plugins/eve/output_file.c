#include "plugins/eve/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL 65536 /* bytes in which the end of the last whole line is looked for */

/* A process that was killed may have left half a line. */
static void drop_torn_line(int fd, off_t size)
{
    off_t from = size > TAIL ? size - TAIL : 0;
    size_t len = (size_t)(size - from);
    char *tail = malloc(TAIL), *newline;

    if (tail && pread(fd, tail, len, from) == (ssize_t)len && tail[len - 1] != '\n') {
        newline = memrchr(tail, '\n', len);
        /* Longer than any line of ours: not ours, so only end it. */
        if ((!newline && from) || ftruncate(fd, newline ? from + (newline + 1 - tail) : 0))
            if (write(fd, "\n", 1) < 0)
                errno = 0;
    }
    free(tail);
}

static int describe(const struct output *o, const char *what, char *why, size_t n)
{
    snprintf(why, n, "%s: %s: %s", o->c.path, what, strerror(errno));
    return -1;
}

int output_file_open(struct output *o, char *why, size_t n)
{
    /* Not blocking: opening a FIFO that nobody reads would never return. */
    int fd =
        open(o->c.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, o->c.mode);
    struct stat st;

    if (fd < 0 && (errno == ENXIO || errno == EACCES || errno == EPERM))
        fd = open(o->c.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return describe(o, "cannot be opened", why, n);
    if (fstat(fd, &st) || fcntl(fd, F_SETFL, O_APPEND)) {
        describe(o, "cannot be used", why, n);
        close(fd);
        return -1;
    }
    o->regular = S_ISREG(st.st_mode);
    if (o->regular && st.st_size)
        drop_torn_line(fd, st.st_size);
    else if (o->regular && st.st_uid == geteuid() && fchmod(fd, o->c.mode))
        errno = 0; /* whatever open() gave it has to do */
    o->size = fstat(fd, &st) ? 0 : (uint64_t)st.st_size;
    o->dev = st.st_dev;
    o->ino = st.st_ino;
    o->fd = fd;
    o->skip = 0;
    o->born_ns = 0;
    return 0;
}

void output_file_renew(struct output *o)
{
    struct stat st;
    char why[4200];
    int old = o->fd;

    if (old >= 0 &&
        (!o->regular || (!stat(o->c.path, &st) && st.st_dev == o->dev && st.st_ino == o->ino)))
        return;
    if (output_file_open(o, why, sizeof why)) {
        o->fd = old; /* better a file without a name than none */
        o->n.errors++;
    } else if (old >= 0) {
        close(old);
    }
}

/* PATH.1 becomes PATH.2 and so on; the last one goes. */
static bool shift(const struct output *o)
{
    char from[4200], to[4200];

    if (!o->c.rotate_keep)
        return !unlink(o->c.path);
    for (uint32_t i = o->c.rotate_keep - 1; i; i--) {
        snprintf(from, sizeof from, "%s.%u", o->c.path, i);
        snprintf(to, sizeof to, "%s.%u", o->c.path, i + 1);
        if (rename(from, to) && errno != ENOENT)
            return false;
    }
    snprintf(to, sizeof to, "%s.1", o->c.path);
    return !rename(o->c.path, to);
}

static bool rotate(struct output *o)
{
    char why[4200];
    int old = o->fd;

    if (!shift(o)) {
        o->n.errors++;
        return false;
    }
    if (output_file_open(o, why, sizeof why)) {
        o->fd = old;
        o->n.errors++;
        return false;
    }
    close(old);
    o->n.rotations++;
    return true;
}

/* Bytes of the whole lines that fit into `room`; one line at least. */
static size_t lines_within(const struct output *o, size_t len, uint64_t room)
{
    const char *s = o->buffer.base, *newline;

    if (len <= room)
        return len;
    newline = room ? memrchr(s, '\n', (size_t)room) : NULL;
    if (!newline)
        newline = memchr(s, '\n', len);
    return newline ? (size_t)(newline + 1 - s) : len;
}

size_t output_file_rotate(struct output *o, size_t len, uint64_t now_ns)
{
    uint64_t limit = o->c.rotate_size ? o->c.rotate_size : UINT64_MAX;
    const char *newline = memchr(o->buffer.base, '\n', len);
    size_t first = newline ? (size_t)(newline + 1 - o->buffer.base) : len;
    bool old = o->c.rotate_every && o->born_ns && now_ns - o->born_ns >= o->c.rotate_every &&
               now_ns > o->born_ns;

    if (o->size && (o->size + first > limit || old) && !rotate(o)) {
        limit = UINT64_MAX; /* it cannot be rotated: go on in the same file */
        o->born_ns = now_ns;
    }
    if (!o->born_ns)
        o->born_ns = now_ns;
    return lines_within(o, len, limit > o->size ? limit - o->size : 0);
}

void output_file_mend(struct output *o)
{
    struct stat st;

    if (fstat(o->fd, &st) || st.st_size < (off_t)o->skip ||
        ftruncate(o->fd, st.st_size - (off_t)o->skip))
        return; /* the rest of the line follows when there is room */
    o->size = (uint64_t)st.st_size - o->skip;
    o->n.bytes -= o->skip;
    o->skip = 0;
}
