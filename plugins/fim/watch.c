#include "plugins/fim/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MASK (IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | \
              IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

bool watch_open(struct watch *w)
{
    *w = (struct watch){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
    return w->fd >= 0;
}

void watch_close(struct watch *w)
{
    for (uint32_t i = 0; i < w->room; i++)
        free(w->path[i]);
    free(w->path);
    if (w->fd >= 0)
        close(w->fd);
    *w = (struct watch){ .fd = -1 };
}

static bool room_for(struct watch *w, uint32_t wd)
{
    uint32_t room = w->room ? w->room : 64;
    char **more;

    if (wd < w->room)
        return true;
    while (room <= wd)
        room *= 2;
    if (!(more = realloc(w->path, room * sizeof *more)))
        return false;
    memset(more + w->room, 0, (room - w->room) * sizeof *more);
    w->path = more;
    w->room = room;
    return true;
}

int watch_add(struct watch *w, const char *folder)
{
    int wd = w->fd < 0 ? -1 : inotify_add_watch(w->fd, folder, MASK);
    char *copy;

    if (wd < 0)
        return w->fd < 0 ? ENOSYS : errno;
    if (!room_for(w, (uint32_t)wd) || !(copy = strdup(folder))) {
        inotify_rm_watch(w->fd, wd);
        return ENOMEM;
    }
    w->n += !w->path[wd];
    free(w->path[wd]);              /* it may have been renamed */
    w->path[wd] = copy;
    return 0;
}

static void forget(struct watch *w, int wd)
{
    if (wd < 0 || (uint32_t)wd >= w->room || !w->path[wd])
        return;
    free(w->path[wd]);
    w->path[wd] = NULL;
    w->n--;
}

static void one(struct watch *w, const struct inotify_event *e, watch_fn *fn, void *arg)
{
    const char *folder = e->wd >= 0 && (uint32_t)e->wd < w->room ? w->path[e->wd] : NULL;
    char path[PATH_MAX];

    if (folder && e->len && snprintf(path, sizeof path, "%s/%s", strcmp(folder, "/") ? folder : "", e->name) < PATH_MAX)
        fn(arg, path);
    else if (folder && !e->len)
        fn(arg, folder);
    if (e->mask & IN_MOVE_SELF)
        inotify_rm_watch(w->fd, e->wd);     /* it is somewhere else now: watched there anew, if at all */
    if (e->mask & IN_IGNORED)
        forget(w, e->wd);
}

bool watch_read(struct watch *w, watch_fn *fn, void *arg)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool lost = false;
    ssize_t n;

    while (w->fd >= 0 && (n = read(w->fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(bytes + at);

            lost |= !!(e->mask & IN_Q_OVERFLOW);
            one(w, e, fn, arg);
            at += (ssize_t)(sizeof *e + e->len);
        }
    return lost;
}
