#include "core/log/crash_row.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log/crash_text.h"

#define FILE_MAX  8192
#define COUNT_MAX 1000000u

static struct row {
    char name[32];
    uint32_t count;
} rows[CRASH_ROWS];
static uint32_t n_rows;
static char path[512], new_path[512 + 4];       /* made ahead: the handler only uses them */

/* A file that crashes while it is loaded is known by its file's name only, which may have any characters: those that a
 * plugin's name cannot have become '_', and only the start counts. */
static void shape(const char *name, char to[32])
{
    uint32_t n = 0;

    for (; name[n] && n < 31; n++) {
        char c = name[n];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 'a' - 'A');
        to[n] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
    }
    to[n] = '\0';
}

static struct row *row_find(const char *shaped)
{
    for (uint32_t i = 0; i < n_rows; i++)
        if (!strcmp(rows[i].name, shaped))
            return &rows[i];
    return NULL;
}

static struct row *row_get(const char *name)
{
    char shaped[32];
    struct row *r;

    shape(name, shaped);
    r = row_find(shaped);
    if (r || n_rows == CRASH_ROWS)
        return r;
    r = &rows[n_rows++];
    memcpy(r->name, shaped, sizeof shaped);
    r->count = 0;
    return r;
}

static void line_read(const char *line)
{
    char name[64];
    unsigned count;
    struct row *r;

    if (sscanf(line, "row %63[a-z0-9_.-] %7u", name, &count) != 2 || !count || count > COUNT_MAX)
        return;
    if ((r = row_get(name)))
        r->count = count;
}

int crash_row_open(const char *state_dir)
{
    char text[FILE_MAX + 1], *line = text, *next;
    ssize_t n = -1;
    int fd;

    n_rows = 0;
    path[0] = '\0';
    if (!state_dir)
        return 0;
    if ((size_t)snprintf(path, sizeof path, "%s/crash", state_dir) >= sizeof path) {
        path[0] = '\0';
        return -1;
    }
    snprintf(new_path, sizeof new_path, "%s.new", path);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        n = read(fd, text, FILE_MAX);
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    for (; line; line = next) {
        if ((next = strchr(line, '\n')))
            *next++ = '\0';
        line_read(line);
    }
    return 0;
}

uint32_t crash_row_count(const char *name)
{
    char shaped[32];
    const struct row *r;

    shape(name, shaped);
    r = row_find(shaped);
    return r ? r->count : 0;
}

uint32_t crash_row_add(const char *name)
{
    struct row *r = row_get(name);

    if (!r)
        return 1;
    r->count += r->count < COUNT_MAX;
    return r->count;
}

void crash_row_write(const char *sentence, uint32_t n)
{
    int fd = path[0] ? open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640) : -1;
    int whole = fd >= 0 && write(fd, sentence, n) == (ssize_t)n;

    for (uint32_t i = 0; i < n_rows && whole; i++) {
        struct crash_text t;

        t.n = 0;
        crash_put(&t, "row ");
        crash_put(&t, rows[i].name);
        crash_put(&t, " ");
        crash_put_number(&t, rows[i].count, 10);
        crash_put(&t, "\n");
        whole = write(fd, t.b, t.n) == (ssize_t)t.n;
    }
    if (fd >= 0)
        close(fd);
    if (whole)
        rename(new_path, path);
}

void crash_row_forget(uint32_t limit)
{
    static const char sentence[] =
        "these plugins are left out; remove this file to try them again\n";
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n_rows; i++)
        if (rows[i].count >= limit && strcmp(rows[i].name, "core") != 0)
            rows[kept++] = rows[i];
    n_rows = kept;
    if (kept)
        crash_row_write(sentence, sizeof sentence - 1);
    else if (path[0])
        unlink(path);
}
