#include "plugins/ids/manage/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD KEEP_NAME ".old"
#define NEW KEEP_NAME ".new"
#define BAD KEEP_NAME ".bad"

/* A whole file, NULL where it cannot be read: errno says why. */
static char *take(int dir, const char *name, size_t *len)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err;
    struct stat st;
    char *text = NULL;
    size_t got = 0;
    ssize_t n = 0;

    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (size_t)st.st_size <= MANAGED_BYTES_MAX)
        text = malloc((size_t)st.st_size + 1);
    else
        errno = EFBIG;
    while (text && got < (size_t)st.st_size && (n = read(fd, text + got, (size_t)st.st_size - got)) > 0)
        got += (size_t)n;
    err = errno;
    close(fd);
    if (n < 0) {
        free(text);
        text = NULL;
    }
    errno = err;
    *len = got;
    return text;
}

/* NULL: why says so; *missing: it is not there. */
static struct managed *look(int dir, const char *name, bool *missing, bool *newer, char *why, size_t n)
{
    size_t len;
    char *text = take(dir, name, &len), part[200];
    struct managed *m;

    *newer = false;
    *missing = !text && errno == ENOENT;
    if (!text) {
        snprintf(why, n, "%s: %s", name, strerror(errno));
        return NULL;
    }
    m = managed_read(text, len, newer, part, sizeof part);
    free(text);
    if (!m)
        snprintf(why, n, "%s: %s", name, part);
    return m;
}

/* The current one is damaged: what it was before the last change is better than nothing. */
static struct managed *fall_back(int dir, enum keep_found *found, char *why, size_t n)
{
    bool missing, newer;
    char old_why[300];
    struct managed *m = look(dir, OLD, &missing, &newer, old_why, sizeof old_why);
    size_t at = strlen(why);

    *found = m ? KEEP_OLDER : KEEP_NOTHING;
    renameat(dir, KEEP_NAME, dir, BAD);
    if (m && linkat(dir, OLD, dir, KEEP_NAME, 0))
        snprintf(why + at, n - at, "; the one before it is used, but cannot be put back: %s", strerror(errno));
    else if (m)
        snprintf(why + at, n - at, "; it is kept as " BAD ", and the rules of the last change but one are used");
    else
        snprintf(why + at, n - at, "; it is kept as " BAD ", and no managed rules are in force (%s)", old_why);
    return m ? m : managed_new();
}

struct managed *keep_read(const char *dir, enum keep_found *found, char *why, size_t n)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool missing, newer;
    struct managed *m;

    *found = KEEP_FINE;
    if (fd < 0) {
        snprintf(why, n, "%s: %s", dir, strerror(errno));
        *found = KEEP_NOTHING;
        return managed_new();
    }
    m = look(fd, KEEP_NAME, &missing, &newer, why, n);
    if (!m && newer) {
        *found = KEEP_NEWER;
        m = managed_new();
    } else if (!m && !missing) {
        m = fall_back(fd, found, why, n);
    }
    close(fd);
    return m ? m : managed_new();
}

static int write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t w = write(fd, text, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return -1;
        text += w;
        n -= (size_t)w;
    }
    return fsync(fd);
}

static int write_new(int dir, const char *text, size_t n)
{
    int fd, err;

    unlinkat(dir, NEW, 0);
    fd = openat(dir, NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    err = write_all(fd, text, n);
    if (close(fd))
        err = -1;
    return err;
}

/* The old one keeps a name of its own; the new one takes its place at once. */
static int replace(int dir)
{
    unlinkat(dir, OLD, 0);
    if (linkat(dir, KEEP_NAME, dir, OLD, 0) && errno != ENOENT)
        return -1;
    return renameat(dir, NEW, dir, KEEP_NAME) || fsync(dir) ? -1 : 0;
}

int keep_write(const char *dir, const struct managed *m, char *why, size_t n)
{
    size_t len;
    char *text = managed_write(m, &len);
    int fd = text ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int err = fd < 0 || write_new(fd, text, len) || replace(fd) ? -1 : 0;

    if (err)
        snprintf(why, n, "%s/" KEEP_NAME " cannot be written: %s", dir, text ? strerror(errno) : "out of memory");
    if (fd >= 0)
        close(fd);
    free(text);
    return err;
}
