#include "plugins/sysmon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[FILE_COUNT] = {
    [FILE_STAT] = "proc/stat", [FILE_MEMINFO] = "proc/meminfo", [FILE_LOADAVG] = "proc/loadavg",
    [FILE_UPTIME] = "proc/uptime", [FILE_DISKSTATS] = "proc/diskstats", [FILE_MOUNTS] = "proc/self/mounts",
    [FILE_NET] = "proc/net/dev" };

const char *files_name(enum file which)
{
    return names[which];
}

static int folder_open(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool files_open(struct files *f, const char *root)
{
    *f = (struct files){ .root = folder_open(AT_FDCWD, root), .proc = -1, .net = -1 };
    for (uint32_t i = 0; i < FILE_COUNT; i++)
        f->fd[i] = -1;
    if (f->root < 0)
        return false;
    f->proc = folder_open(f->root, "proc");
    f->net = folder_open(f->root, "sys/class/net");
    return (f->buffer = malloc(FILES_BYTES));
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void files_close(struct files *f)
{
    for (uint32_t i = 0; i < FILE_COUNT; i++)
        shut(&f->fd[i]);
    shut(&f->net);
    shut(&f->proc);
    shut(&f->root);
    free(f->buffer);
    f->buffer = NULL;
}

/* From its beginning; −1: errno. */
static int64_t whole(int fd, char *to, uint32_t cap)
{
    uint32_t sum = 0;
    ssize_t n;

    while (sum < cap && (n = pread(fd, to + sum, cap - sum, sum)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        sum += (uint32_t)n;
    }
    return sum;
}

bool files_read(struct files *f, enum file which, struct text *t)
{
    int64_t n;

    if (f->fd[which] < 0 && (f->fd[which] = openat(f->root, names[which], O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        return false;
    if ((n = whole(f->fd[which], f->buffer, FILES_BYTES)) < 0) {
        shut(&f->fd[which]);
        return false;
    }
    while (n == FILES_BYTES && f->buffer[n - 1] != '\n' && n > 1)
        n--;
    *t = text_of(f->buffer, (size_t)n);
    return true;
}

bool files_short(int folder, const char *name, char *to, uint32_t n, struct text *t)
{
    int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int64_t got;

    if (fd < 0)
        return false;
    got = whole(fd, to, n);
    close(fd);
    if (got < 0)
        return false;
    *t = text_of(to, (size_t)got);
    return true;
}
