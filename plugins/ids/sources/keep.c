/* Files in the plugin's state folder: the list of sources, and their rules. */
#include "plugins/ids/sources/sources.h"

#include "plugins/ids/files.h"
#include "plugins/ids/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT "sources.json"

char *sources_path(const struct sources *s, const char *name, const char *end, char to[4200])
{
    const char *dir = s->host->state_dir(s->host);
    int n = snprintf(to, 4200, "%s/" FILES_SOURCES "/%s%s", dir ? dir : "", name, end);

    return dir && n > 0 && n < 4200 ? to : NULL;
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

static int folder_sync(const char *path)
{
    char folder[4200];
    int fd, rc;

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return rc;
}

int sources_replace(const char *path, const char *old, const char *text, size_t n)
{
    char draft[4300];
    int fd, rc, err;

    snprintf(draft, sizeof draft, "%s.new", path);
    if ((fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640)) < 0)
        return -1;
    rc = write_all(fd, text, n);
    err = errno;
    if (close(fd) && !rc) {
        rc = -1;
        err = errno;
    }
    if (!rc && old && ((unlink(old) && errno != ENOENT) || (link(path, old) && errno != ENOENT))) {
        rc = -1;
        err = errno;
    }
    if (!rc && (rename(draft, path) || folder_sync(path))) {
        rc = -1;
        err = errno;
    }
    if (rc)
        unlink(draft);
    errno = err;
    return rc;
}

int sources_save(struct sources *s)
{
    const char *dir = s->host->state_dir(s->host);
    char path[4200];
    size_t n;
    char *text = dir ? list_write(s->list, &n) : NULL;
    int rc, err;

    if (!text) {
        errno = dir ? ENOMEM : ENOENT;
        return -1;
    }
    snprintf(path, sizeof path, "%s/" KEPT, dir);
    rc = sources_replace(path, NULL, text, n);
    err = errno;
    free(text);
    errno = err;
    return rc;
}

void sources_load(struct sources *s)
{
    const char *dir = s->host->state_dir(s->host);
    char path[4200], aside[4300], why[300] = "", *text;
    bool newer = false;
    size_t n;
    int err;

    if (!dir)
        return;
    snprintf(path, sizeof path, "%s/" FILES_SOURCES, dir);
    if (mkdir(path, 0750) && errno != EEXIST) {
        EC_LOG(s->host, EC_LOG_ERROR, "%s cannot be made: %s; there are no rule sources", path, strerror(errno));
        return;
    }
    snprintf(path, sizeof path, "%s/" KEPT, dir);
    text = kept_read(AT_FDCWD, path, SOURCES_TEXT, &n);
    err = text ? 0 : errno;
    s->list = text ? list_read(text, n, &newer, why, sizeof why) : err == ENOENT ? list_new() : NULL;
    if (err)
        snprintf(why, sizeof why, "%s", strerror(err));
    free(text);
    if (s->list)
        return;
    if (newer || kept_unread(err)) {
        EC_LOG(s->host, EC_LOG_ERROR, "%s: %s; it stays as it is, no source is known, and none can be made: the rules "
               "that were fetched stay in force", path, why);
        return;
    }
    snprintf(aside, sizeof aside, "%s.bad", path);
    EC_LOG(s->host, EC_LOG_ERROR, "%s: %s; it is kept as " KEPT ".bad, and no source is known: the rules that were "
           "fetched stay in force, make the sources anew", path, why);
    if (rename(path, aside))
        EC_LOG(s->host, EC_LOG_ERROR, "%s cannot be renamed: %s", path, strerror(errno));
    else
        s->list = list_new();
}
