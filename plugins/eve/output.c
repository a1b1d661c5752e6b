#include "plugins/eve/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 100  /* after a failed write */
#define CHECK_MS 1000 /* between looks whether the path is still the same file */

uint64_t output_clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int output_open(struct output *o, const struct output_config *c, char *why, size_t n)
{
    o->c = *c;
    o->fd = -1;
    o->regular = false;
    o->size = o->born_ns = o->retry_ms = 0;
    o->trouble = false;
    if (c->to == OUTPUT_FILE)
        return output_file_open(o, why, n);
    if (c->to == OUTPUT_STDOUT)
        o->fd = STDOUT_FILENO;
    else if (!output_socket_connect(o))
        o->trouble = true;
    return 0;
}

bool output_need(struct output *o, size_t n)
{
    struct output_buffer *b = &o->buffer;
    size_t cap = b->cap ? b->cap : OUTPUT_ROOM;
    char *base;

    if (b->cap - b->len >= n)
        return true;
    while (cap - b->len < n)
        cap *= 2;
    if (!(base = realloc(b->base, cap)))
        return false;
    b->base = base;
    b->cap = cap;
    return true;
}

static void failed(struct output *o, int error)
{
    o->n.errors++;
    o->trouble = true;
    o->error = error;
    o->retry_ms = output_clock_ms() + RETRY_MS;
}

/* n bytes were written: whole lines leave the buffer, the rest of a line is remembered. */
static void consume(struct output *o, size_t n)
{
    struct output_buffer *b = &o->buffer;
    char *end = b->base + o->skip + n, *line = b->base, *newline;

    o->n.bytes += n;
    if (end == b->base + b->len) { /* the usual case */
        o->n.events += o->pending;
        o->pending = 0;
        o->skip = 0;
        b->len = 0;
        return;
    }
    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line)))) {
        o->n.events++;
        o->pending--;
        line = newline + 1;
    }
    o->skip = (size_t)(end - line);
    b->len -= (size_t)(line - b->base);
    memmove(b->base, line, b->len);
}

static ssize_t put(struct output *o, const char *s, size_t n)
{
    ssize_t put;

    if (o->c.to == OUTPUT_SOCKET)
        return output_socket_send(o, s, n);
    do
        put = write(o->fd, s, n);
    while (put < 0 && errno == EINTR);
    return put;
}

/* One write. false: no more now. */
static bool write_some(struct output *o, uint64_t now_ns)
{
    size_t len = o->buffer.len - o->skip, want = len;
    uint64_t before;
    ssize_t done;

    if (o->regular && !o->skip)
        want = output_file_rotate(o, len, now_ns);
    if (o->fd < 0) {
        failed(o, errno);
        return false;
    }
    done = put(o, o->buffer.base + o->skip, want);
    if (done < 0 && errno == EMSGSIZE && o->c.to == OUTPUT_SOCKET) {
        done = (char *)memchr(o->buffer.base, '\n', len) + 1 - o->buffer.base;
        consume(o, (size_t)done);
        o->n.bytes -= (uint64_t)done;
        o->n.events--;
        o->n.dropped_long++;
        return true;
    }
    if (done <= 0) {
        failed(o, done ? errno : EIO);
        return false;
    }
    before = o->n.events;
    o->size += (uint64_t)done;
    consume(o, (size_t)done);
    if (o->regular && o->skip) {
        output_file_mend(o);
        if (o->n.events == before) { /* not even one line: the disk is full */
            failed(o, ENOSPC);
            return false;
        }
    }
    o->trouble = false;
    return true;
}

void output_flush(struct output *o, uint64_t now_ns)
{
    uint64_t now = output_clock_ms();

    if (!o->pending || (o->trouble && now < o->retry_ms))
        return;
    if (o->fd < 0 && o->c.to == OUTPUT_SOCKET && !output_socket_connect(o)) {
        failed(o, errno);
        o->retry_ms = now + CHECK_MS;
        return;
    }
    if (o->c.to == OUTPUT_FILE && now - o->checked_ms >= CHECK_MS) {
        o->checked_ms = now;
        output_file_renew(o);
    }
    while (o->pending && write_some(o, now_ns))
        ;
}

static void close_fd(struct output *o)
{
    if (o->fd >= 0 && o->c.to != OUTPUT_STDOUT)
        close(o->fd);
    o->fd = -1;
}

int output_reopen(struct output *o, const struct output_config *c, uint64_t now_ns, char *why,
                  size_t n)
{
    struct output fresh;

    o->retry_ms = 0;
    output_flush(o, now_ns);
    fresh = *o;
    fresh.skip = 0;
    if (output_open(&fresh, c, why, n))
        return -1;
    close_fd(o);
    *o = fresh;
    return 0;
}

void output_close(struct output *o, uint64_t now_ns)
{
    o->retry_ms = 0;
    output_flush(o, now_ns);
    o->n.dropped_stop += o->pending;
    o->pending = 0;
    o->skip = 0;
    o->buffer.len = 0;
    close_fd(o);
}
