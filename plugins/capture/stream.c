#include "plugins/capture/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void stream_open(struct stream *s, int fd, uint8_t *buf)
{
    struct stat st;

    memset(s, 0, sizeof *s);
    s->fd = fd;
    s->wake_fd = -1;
    s->buf = buf;
    s->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void stream_close(struct stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* A pipe may stay silent for ever: wait for it and for the wake-up. */
static enum stream_status stream_wait(const struct stream *s)
{
    struct pollfd p[2] = {{s->fd, POLLIN, 0}, {s->wake_fd, POLLIN, 0}};
    int n = poll(p, 2, (int)s->timeout_ms);

    if (n <= 0)
        return STREAM_IDLE;
    return p[1].revents ? STREAM_WOKEN : STREAM_OK;
}

static enum stream_status stream_fill(struct stream *s)
{
    enum stream_status st;
    ssize_t n;

    if (s->eof)
        return STREAM_END;
    if (s->pinned)
        return STREAM_PINNED;
    memmove(s->buf, s->buf + s->pos, s->len - s->pos);
    s->base += s->pos;
    s->len -= s->pos;
    s->pos = 0;
    if (!s->regular && (st = stream_wait(s)) != STREAM_OK)
        return st;
    do
        n = read(s->fd, s->buf + s->len, STREAM_SIZE - s->len);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        s->error = errno;
        return errno == EAGAIN ? STREAM_IDLE : STREAM_ERROR;
    }
    s->eof = n == 0;
    s->len += (uint32_t)n;
    return n ? STREAM_OK : STREAM_END;
}

enum stream_status stream_need(struct stream *s, uint32_t n, const uint8_t **p)
{
    enum stream_status st;

    for (;;) {
        uint32_t left = s->len - s->pos, over = s->skip < left ? (uint32_t)s->skip : left;

        s->pos += over;
        s->skip -= over;
        if (!s->skip && s->len - s->pos >= n) {
            *p = s->buf + s->pos;
            return STREAM_OK;
        }
        if ((st = stream_fill(s)) != STREAM_OK)
            return st;
    }
}
