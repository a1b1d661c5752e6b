#include "plugins/eve/output.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

bool output_socket_connect(struct output *o)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    /* A reader that stands still must not hold up the end of the daemon. */
    struct timeval patience = {.tv_sec = 1};
    int type = o->c.socket_type == OUTPUT_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM, saved;
    size_t len = strlen(o->c.path);

    if (len >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(to.sun_path, o->c.path, len);
    o->skip = 0; /* a new reader gets whole lines */
    o->fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (o->fd < 0)
        return false;
    if (!setsockopt(o->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) &&
        !connect(o->fd, (struct sockaddr *)&to, sizeof to))
        return true;
    saved = errno;
    close(o->fd);
    o->fd = -1;
    errno = saved;
    return false;
}

/* One line as a datagram, or as much as the stream takes. */
ssize_t output_socket_send(struct output *o, const char *s, size_t n)
{
    const char *newline = memchr(s, '\n', n);
    size_t want = o->c.socket_type == OUTPUT_DATAGRAM && newline ? (size_t)(newline + 1 - s) : n;
    ssize_t sent;
    int saved;

    do
        sent = send(o->fd, s, want, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EMSGSIZE) {
        saved = errno;
        close(o->fd);
        o->fd = -1;
        errno = saved;
    }
    return sent;
}
