#include "plugins/ids/manage/keep.h"

#include "plugins/ids/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OLD KEEP_NAME ".old"
#define BAD KEEP_NAME ".bad"

/* NULL: why says so; *err: it was not read. */
static struct managed *look(int dir, const char *name, int *err, bool *newer, char *why, size_t n)
{
    size_t len;
    char *text = kept_read(dir, name, MANAGED_BYTES_MAX, &len), part[200];
    struct managed *m;

    *newer = false;
    *err = text ? 0 : errno;
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
    int err;
    bool newer;
    char old_why[300];
    struct managed *m = look(dir, OLD, &err, &newer, old_why, sizeof old_why);
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
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
    bool newer;
    struct managed *m;

    *found = KEEP_FINE;
    if (fd < 0) {
        *found = kept_unread(errno) ? KEEP_UNREAD : KEEP_NOTHING;
        snprintf(why, n, "%s: %s", dir, strerror(errno));
        return managed_new();
    }
    m = look(fd, KEEP_NAME, &err, &newer, why, n);
    if (!m && newer)
        *found = KEEP_NEWER;
    else if (!m && kept_unread(err))
        *found = KEEP_UNREAD;
    else if (!m && err != ENOENT)
        m = fall_back(fd, found, why, n);
    close(fd);
    return m ? m : managed_new();
}

int keep_write(const char *dir, const struct managed *m, char *why, size_t n)
{
    size_t len;
    char *text = managed_write(m, &len);
    int fd = text ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int err = fd < 0 ? -1 : kept_write(fd, KEEP_NAME, text, len, true);

    if (err)
        snprintf(why, n, "%s/" KEEP_NAME " cannot be written: %s", dir, text ? strerror(errno) : "out of memory");
    if (fd >= 0)
        close(fd);
    free(text);
    return err;
}
