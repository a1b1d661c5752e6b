#include "plugins/ids/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ROOM 64

/* −1: errno says why. */
static int read_all(int fd, char *to, size_t n, size_t *got)
{
    ssize_t r = 0;

    for (*got = 0; *got < n; *got += (size_t)r) {
        r = read(fd, to + *got, n - *got);
        if (r < 0 && errno == EINTR)
            r = 0;
        else if (r <= 0)
            break;
    }
    return r < 0 ? -1 : 0;
}

char *kept_read(int dir, const char *name, size_t max, size_t *len)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err;
    struct stat st;
    char *text = NULL;
    bool bad;

    *len = 0;
    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st)) {
        if (S_ISREG(st.st_mode) && (uint64_t)st.st_size <= max)
            text = malloc((size_t)st.st_size + 1);
        else
            errno = EFBIG;
    }
    bad = !text || read_all(fd, text, (size_t)st.st_size, len);
    err = errno;
    close(fd);
    if (bad) {
        free(text);
        errno = err;
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

bool kept_unread(int err)
{
    return err && err != ENOENT && err != EFBIG && err != ELOOP;
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

static int write_new(int dir, const char *name, const char *text, size_t n)
{
    int fd, rc, err;

    unlinkat(dir, name, 0);
    fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    rc = write_all(fd, text, n);
    err = errno;
    if (close(fd))
        return -1;
    errno = err;
    return rc;
}

int kept_write(int dir, const char *name, const char *text, size_t len, bool old)
{
    char draft[NAME_ROOM], before[NAME_ROOM];

    snprintf(draft, sizeof draft, "%s.new", name);
    snprintf(before, sizeof before, "%s.old", name);
    if (write_new(dir, draft, text, len))
        return -1;
    if (old) {
        unlinkat(dir, before, 0);
        if (linkat(dir, name, dir, before, 0) && errno != ENOENT)
            return -1;
    }
    return renameat(dir, draft, dir, name) || fsync(dir) ? -1 : 0;
}

uint64_t kept_sum(const char *text, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return h;
}
