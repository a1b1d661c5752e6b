#include "plugins/ids/limits/keep.h"

#include "plugins/ids/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMITS_MAX ((size_t)16 << 20)
#define BAD LIMITS_NAME ".bad"

static struct tuning *none(enum limits_found *found, enum limits_found what, const char *name, int err, char *why,
                           size_t n)
{
    *found = what;
    snprintf(why, n, "%s: %s", name, strerror(err));
    return tuning_new();
}

/* What is damaged is kept for whoever wants to look. */
static void put_aside(int dir, char *why, size_t n)
{
    size_t at = strlen(why);

    if (renameat(dir, LIMITS_NAME, dir, BAD))
        snprintf(why + at, n - at, "; it cannot be renamed: %s", strerror(errno));
    else
        snprintf(why + at, n - at, "; it is kept as " BAD);
}

static struct tuning *look(int dir, enum limits_found *found, char *why, size_t n)
{
    size_t len;
    char *text = kept_read(dir, LIMITS_NAME, LIMITS_MAX, &len), part[200];
    int err = text ? 0 : errno;
    struct tuning *t;
    bool newer = false;

    if (err == ENOENT)
        return tuning_new();
    if (kept_unread(err))
        return none(found, LIMITS_UNREAD, LIMITS_NAME, err, why, n);
    t = text ? tuning_read(text, len, &newer, part, sizeof part) : NULL;
    free(text);
    if (t)
        return t;
    *found = newer ? LIMITS_NEWER : LIMITS_DAMAGED;
    snprintf(why, n, LIMITS_NAME ": %s", text ? part : strerror(err));
    if (!newer)
        put_aside(dir, why, n);
    return tuning_new();
}

struct tuning *limits_keep_read(const char *dir, enum limits_found *found, char *why, size_t n)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct tuning *t;

    *found = LIMITS_FINE;
    if (fd < 0 && errno == ENOENT)
        return tuning_new();
    if (fd < 0)
        return none(found, LIMITS_UNREAD, dir, errno, why, n);
    t = look(fd, found, why, n);
    close(fd);
    return t;
}

int limits_keep_write(const char *dir, const struct tuning *t)
{
    size_t len;
    char *text = dir ? tuning_write(t, &len) : NULL;
    int fd, rc, err;

    if (!text) {
        errno = dir ? ENOMEM : ENOENT;
        return -1;
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 ? -1 : kept_write(fd, LIMITS_NAME, text, len, false);
    err = errno;
    if (fd >= 0)
        close(fd);
    free(text);
    errno = err;
    return rc;
}
