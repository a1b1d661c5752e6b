#define EC_API_LEVEL 1
#include "lib/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 262144u               /* bytes */

struct download {
    const struct ec_host *h;
    const struct ec_http *http;
    struct ec_req *r;
    int fd;
    uint64_t left;                  /* bytes */
    uint8_t piece[PIECE];
};

static void more(void *arg);

static void end(struct download *d)
{
    close(d->fd);
    free(d);
}

/* [pool] One piece; the last one ends the request. */
static void send_piece(struct download *d)
{
    ssize_t n = d->left ? read(d->fd, d->piece, d->left < PIECE ? (size_t)d->left : PIECE) : 0;

    if (n <= 0 && d->left) {
        EC_LOG(d->h, EC_LOG_WARNING, "a download of %s was cut off: %s", d->http->peer(d->r),
               n ? strerror(errno) : "the file has become shorter");
        d->http->cut(d->r);
        end(d);
        return;
    }
    d->left -= (uint64_t)n;
    if (n && d->http->chunk(d->r, d->piece, (uint32_t)n, more, d) == EC_OK)
        return;                     /* more() goes on; it may have done so already */
    d->http->chunk(d->r, NULL, 0, NULL, NULL);
    end(d);
}

static void piece_job(void *self, const void *state, void *arg)
{
    (void)self;
    (void)state;
    send_piece(arg);
}

/* [sub] Where the pool is full the file is read here: it has just been written, or read ahead. */
static void more(void *arg)
{
    struct download *d = arg;

    if (d->h->work(d->h, piece_job, d) != EC_OK)
        send_piece(d);
}

void download(const struct ec_host *h, const struct ec_http *http, struct ec_req *r, int fd, const char *name)
{
    struct download *d = malloc(sizeof *d);
    char value[128];
    struct stat st;

    if (!d || fstat(fd, &st)) {
        free(d);
        close(fd);
        http->error(r, 503, "the file cannot be read at the moment");
        return;
    }
    d->h = h;
    d->http = http;
    d->r = r;
    d->fd = fd;
    d->left = (uint64_t)st.st_size;
    snprintf(value, sizeof value, "attachment; filename=\"%s\"", name);
    http->set_header(r, "Content-Disposition", value);
    send_piece(d);
}
