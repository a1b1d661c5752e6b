#include "plugins/capture/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/capture/savefile.h"

static int folder_add(struct folder *d, const char *path, uint64_t first_ns)
{
    struct folder_file *file;
    struct stat st;

    if (!(d->n & (d->n - 1))) {     /* full at every power of two */
        file = realloc(d->file, (d->n ? 2 * d->n : 1) * sizeof *file);
        if (!file)
            return -1;
        d->file = file;
    }
    d->file[d->n].first_ns = first_ns;
    d->file[d->n].bytes = strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    if (!(d->file[d->n].path = strdup(path)))
        return -1;
    d->n++;
    return 0;
}

/* The time of the first packet; 0: there is none. */
static int first_packet(const char *path, uint8_t *buf, uint64_t *first_ns, char *why, uint32_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct savefile_record r = {.ts_ns = 0};
    struct savefile f;
    enum savefile_status st;

    if (fd < 0) {
        snprintf(why, n, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (savefile_open(&f, path, fd, buf, 0, why, n))
        return -1;
    do
        st = savefile_next(&f, &r);
    while (st == SAVEFILE_BAD || (st == SAVEFILE_AGAIN && f.stream_state == STREAM_OK));
    *first_ns = st == SAVEFILE_RECORD ? r.ts_ns : 0;
    savefile_close(&f);
    return 0;
}

static int folder_order(const void *a, const void *b)
{
    const struct folder_file *x = a, *y = b;

    return x->first_ns < y->first_ns   ? -1
           : x->first_ns > y->first_ns ? 1
                                       : strcmp(x->path, y->path);
}

struct reading {
    const char *path;
    uint8_t *buf;
    void (*skip)(void *arg, const char *why);
    void *arg;
};

static int folder_entry(struct folder *d, const struct reading *in, const char *name)
{
    char path[4096], why[4608];
    uint64_t first_ns;
    struct stat st;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", in->path, name) >= sizeof path ||
        stat(path, &st) || !S_ISREG(st.st_mode))
        return 0;
    if (first_packet(path, in->buf, &first_ns, why, sizeof why)) {
        d->skipped++;
        in->skip(in->arg, why);
        return 0;
    }
    if (d->n == FOLDER_FILES) {
        errno = EMFILE;
        return -1;
    }
    return folder_add(d, path, first_ns);
}

static int folder_read(struct folder *d, const struct reading *in)
{
    DIR *dir = opendir(in->path);
    struct dirent *e;
    int err;

    if (!dir)
        return -1;
    do {
        errno = 0;
        e = readdir(dir);
    } while (e && !folder_entry(d, in, e->d_name));
    err = errno; /* of readdir(), or of the entry that ended the loop; 0 at the end */
    closedir(dir);
    errno = err;
    return err ? -1 : 0;
}

int folder_open(struct folder *d, const char *path, uint8_t *buf,
                void (*skip)(void *arg, const char *why), void *arg, char *why, uint32_t n)
{
    struct reading in = {path, buf, skip, arg};
    struct stat st;

    memset(d, 0, sizeof *d);
    if (strcmp(path, "-") && stat(path, &st)) {
        snprintf(why, n, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (!strcmp(path, "-") || !S_ISDIR(st.st_mode)) {
        if (!folder_add(d, path, 0))
            return 0;
        snprintf(why, n, "out of memory");
    } else if (folder_read(d, &in)) {
        if (errno == EMFILE)
            snprintf(why, n, "the folder %s has more than %u captures: replay it in parts", path,
                     FOLDER_FILES);
        else
            snprintf(why, n, "cannot read the folder %s: %s", path, strerror(errno));
    } else if (!d->n) {
        snprintf(why, n, "the folder %s has no capture: none of its %u files is pcap or pcapng",
                 path, d->skipped);
    } else {
        qsort(d->file, d->n, sizeof *d->file, folder_order);
        return 0;
    }
    folder_close(d);
    return -1;
}

void folder_close(struct folder *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        free(d->file[i].path);
    free(d->file);
    d->file = NULL;
    d->n = 0;
}
