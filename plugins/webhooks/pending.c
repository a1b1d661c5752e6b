#include "plugins/webhooks/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MAX (16u << 20)
#define LINE_ROOM 256
#define FILE_MAX (UINT64_C(256) << 20)

static bool write_one(FILE *f, const struct delivery *d)
{
    return fprintf(f, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %s %s %s\n", d->hook, d->due_ns, d->attempt,
                   d->len,
                   d->id, *d->event ? d->event : "-", d->type) > 0 &&
           fwrite(d->body, 1, d->len, f) == d->len && fputc('\n', f) != EOF;
}

/* Takes each out, for nobody else works on the queue any more. */
static int64_t write_all(struct queue *q, FILE *f)
{
    struct delivery *d;
    bool fine = true;
    int64_t n = 0;

    while ((d = queue_take(q, UINT64_MAX))) {
        fine = fine && write_one(f, d);
        n++;
        free(d);
    }
    return fine ? n : -1;
}

int64_t pending_save(struct queue *q, const char *path)
{
    char draft[4096];
    int64_t n;
    FILE *f;
    int fd;

    if (!queue_count(q))
        return 0;
    if (snprintf(draft, sizeof draft, "%s.new", path) >= (int)sizeof draft) {
        errno = ENAMETOOLONG;
        return -1;
    }
    /* Bodies are events: nobody else's business. */
    fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!(f = fd < 0 ? NULL : fdopen(fd, "w"))) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    n = write_all(q, f);
    if (fflush(f) || fsync(fd))
        n = -1;
    if (fclose(f) || n < 0 || rename(draft, path)) {
        unlink(draft);
        return -1;
    }
    return n;
}

/* Words are taken as attempt_tell() and headers need them: visible ASCII. */
static bool is_word(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if (*s < '!' || *s > '~')
            return false;
    return true;
}

/* One delivery at *at; NULL: it is damaged. */
static struct delivery *parse_one(const char **at, const char *end)
{
    struct delivery head = { .next = NULL }, *d;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    char line[LINE_ROOM] = "";
    int used = 0;

    if (stop && stop - *at < LINE_ROOM)
        memcpy(line, *at, (size_t)(stop - *at));
    if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %63s %23s %47s%n", &head.hook, &head.due_ns,
                        &head.attempt, &head.len, head.id, head.event, head.type, &used) != 7 || line[used] ||
        head.len > BODY_MAX || (size_t)(end - stop - 1) <= head.len || stop[1 + head.len] != '\n' || !is_word(head.id) ||
        !is_word(head.event) || !is_word(head.type) || !(d = malloc(sizeof *d + head.len + 1)))
        return NULL;
    if (!strcmp(head.event, "-"))
        *head.event = '\0';
    memcpy(d, &head, sizeof head);
    memcpy(d->body, stop + 1, head.len);
    d->body[head.len] = '\0';
    *at = stop + 1 + head.len + 1;
    return d;
}

uint32_t pending_parse(struct queue *q, const char *text, size_t n, uint32_t *lost)
{
    const char *at = text, *end = text + n;
    uint32_t count = 0;

    *lost = 0;
    while (at < end) {
        struct delivery *d = parse_one(&at, end);

        if (!d) {
            ++*lost;
            break;
        }
        if (queue_put(q, d))
            count++;
        else
            ++*lost;
    }
    return count;
}

static char *read_all(int fd, size_t *n)
{
    struct stat st;
    char *text = NULL;
    ssize_t got = 0;

    *n = 0;
    if (!fstat(fd, &st) && (uint64_t)st.st_size <= FILE_MAX)
        text = malloc((size_t)st.st_size + 1);
    while (text && *n < (size_t)st.st_size && (got = read(fd, text + *n, (size_t)st.st_size - *n)) > 0)
        *n += (size_t)got;
    if (!text || got < 0) {
        free(text);
        return NULL;
    }
    text[*n] = '\0';
    return text;
}

int64_t pending_load(struct queue *q, const char *path, uint32_t *lost)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text;
    int64_t n = -1;
    size_t len;

    *lost = 0;
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if ((text = read_all(fd, &len))) {
        n = pending_parse(q, text, len, lost);
        free(text);
        unlink(path);
    }
    close(fd);
    return n;
}
