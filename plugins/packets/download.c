/* A file leaves in pieces, each when the client has read the one before. */
#include "plugins/packets/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 262144u               /* bytes */

struct leaving { struct packets *k; struct ec_req *r; int fd; uint8_t piece[PIECE]; };

static void more(void *arg);

/* [pool] One piece; the last one ends the request. */
static void send_piece(struct leaving *l)
{
    ssize_t n = read(l->fd, l->piece, sizeof l->piece);

    if (n > 0 && l->k->http->chunk(l->r, l->piece, (uint32_t)n, more, l) == EC_OK)
        return;                     /* more() goes on; it may have done so already */
    l->k->http->chunk(l->r, NULL, 0, NULL, NULL);
    close(l->fd);
    free(l);
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
    struct leaving *l = arg;

    if (l->k->host->work(l->k->host, piece_job, l) != EC_OK)
        send_piece(l);
}

void download(struct packets *k, struct ec_req *r, int fd, const char *name)
{
    struct leaving *l = malloc(sizeof *l);
    char value[128];

    if (!l) {
        close(fd);
        k->http->error(r, 503, "out of memory");
        return;
    }
    l->k = k;
    l->r = r;
    l->fd = fd;
    snprintf(value, sizeof value, "attachment; filename=\"%s\"", name);
    k->http->set_header(r, "Content-Disposition", value);
    send_piece(l);
}
