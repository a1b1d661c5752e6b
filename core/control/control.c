#include "core/control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/control/control_peer.h"
#include "core/control/control_request.h"
#include "core/log/log.h"
#include "core/conf/utf8.h"

struct question {                   /* whose answer is awaited */
    struct client *client;          /* NULL: it is gone */
};

struct client {
    struct bufferevent *bev;        /* NULL: free */
    struct question *question;      /* NULL: none is open */
    struct event *deadline;
    bool closing;                   /* after its last reply */
    bool half;                      /* it will send no more */
    bool owner;                     /* root or the daemon's own user */
};

static struct {
    struct event_base *base;
    struct evconnlistener *listener;
    struct sockaddr_un address;
    struct client client[CONTROL_CLIENTS];
} control;

static const struct timeval request_time = {CONTROL_SECONDS, 0};

static void client_free(struct client *c)
{
    if (c->bev)
        bufferevent_free(c->bev);
    if (c->deadline)
        event_free(c->deadline);
    if (c->question)
        c->question->client = NULL;
    memset(c, 0, sizeof *c);
}

static void client_send(struct client *c, char *reply)
{
    if (reply)
        bufferevent_write(c->bev, reply, strlen(reply));
    c->closing |= !reply;
    free(reply);
}

static void client_refuse(struct client *c, const char *code, const char *message)
{
    bufferevent_disable(c->bev, EV_READ);
    c->closing = true;
    client_send(c, control_reply_error(code, message));
}

static void on_answer(void *arg, int32_t err, char *text)
{
    struct question *q = arg;
    struct client *c = q->client;

    (void)err;
    free(q);
    if (!c) {
        free(text);
        return;
    }
    c->question = NULL;
    client_send(c, text);
    evtimer_add(c->deadline, &request_time);
}

static void client_ask(struct client *c, char *line)
{
    c->question = malloc(sizeof *c->question);
    if (!c->question) {
        client_refuse(c, "failed", "out of memory");
        return;
    }
    c->question->client = c;
    control_ask(line, c->owner, on_answer, c->question);
}

/* One request at a time: the next one is looked at when the reply has left. */
static void client_read(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);
    struct client *c = arg;
    char *line;
    size_t n;

    if (evbuffer_get_length(bufferevent_get_output(bev)) || c->question || c->closing)
        return;
    line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);
    if (line && n < CONTROL_REQUEST && strlen(line) == n && utf8_valid(line, n) == n) {
        client_ask(c, line);
    } else if (line || evbuffer_get_length(in) >= CONTROL_REQUEST) {
        client_refuse(c, "usage", "a request is one line of at most 4095 bytes of UTF-8, without NUL");
    }
    free(line);
}

static void client_written(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;

    if (!c->closing)
        client_read(bev, arg);
    if ((c->closing || c->half) && !c->question &&
        !evbuffer_get_length(bufferevent_get_output(bev)))
        client_free(c);
}

static void client_event(struct bufferevent *bev, short what, void *arg)
{
    struct client *c = arg;

    c->half = what & BEV_EVENT_EOF;
    if (!c->half)
        client_free(c);
    else if (!evbuffer_get_length(bufferevent_get_output(bev)))
        client_written(bev, arg);   /* else what it asked is answered first */
}

static void client_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    client_free(arg);
}

static struct client *client_new(evutil_socket_t fd)
{
    struct client *c = NULL;

    for (int i = 0; i < CONTROL_CLIENTS && !c; i++)
        if (!control.client[i].bev)
            c = &control.client[i];
    if (!c || !(c->bev = bufferevent_socket_new(control.base, fd, BEV_OPT_CLOSE_ON_FREE)))
        return NULL;
    if (!(c->deadline = evtimer_new(control.base, client_late, c))) {
        client_free(c);
        return NULL;
    }
    evtimer_add(c->deadline, &request_time);
    bufferevent_setcb(c->bev, client_read, client_written, client_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, CONTROL_REQUEST);
    return c;
}

static void on_client(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a, int len,
                      void *arg)
{
    static const char busy[] =
        "{\"error\":{\"code\":\"failed\",\"message\":\"32 clients are being served already; "
        "try again later\"}}\n";
    char why[256];
    struct client *c;

    (void)l, (void)a, (void)len, (void)arg;
    if (!(c = client_new(fd))) {
        if (send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            LOG(EC_LOG_DEBUG, "a control client was turned away: %s", strerror(errno));
        evutil_closesocket(fd);
        return;
    }
    if (control_peer_allowed(fd, why, sizeof why)) {
        c->owner = control_peer_owner(fd);
        bufferevent_enable(c->bev, EV_READ | EV_WRITE);
        return;
    }
    LOG(EC_LOG_WARNING, "control socket: %s", why);
    client_refuse(c, "refused", why);
}

/* A socket of a daemon that is gone is in the way; one that answers is not ours to take. */
static int stale_remove(char *why, uint32_t n)
{
    const char *path = control.address.sun_path;
    struct stat st;
    int fd, err;

    if (lstat(path, &st))
        return 0;
    if (!S_ISSOCK(st.st_mode)) {
        snprintf(why, n,
                 "%s is in the way: it is not a socket; remove it or set core.control_socket",
                 path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    err = connect(fd, (struct sockaddr *)&control.address, sizeof control.address) ? errno : 0;
    close(fd);
    if (err != ECONNREFUSED) {
        snprintf(why, n,
                 "another ecyberd is running: %s answers; stop it or set core.control_socket",
                 path);
        return -1;
    }
    unlink(path);
    return 0;
}

static int control_bind(char *why, uint32_t n)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *path = control.address.sun_path;

    if (fd < 0 || fchmod(fd, 0660) ||
        bind(fd, (struct sockaddr *)&control.address, sizeof control.address)) {
        snprintf(why, n, "the control socket %s cannot be made: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    /* Whom the mode keeps out is kept out by the credentials too: a failure here only shuts people
     * out. */
    if (control_group() != (gid_t)-1 && chown(path, (uid_t)-1, control_group()))
        LOG(EC_LOG_DEBUG, "%s keeps its group: %s", path, strerror(errno));
    if (chmod(path, 0660))
        LOG(EC_LOG_DEBUG, "%s keeps its mode: %s", path, strerror(errno));
    return fd;
}

int control_open(struct event_base *base, const char *path, char *why, uint32_t n)
{
    int fd;

    control.base = base;
    control.address.sun_family = AF_UNIX;
    if (!*path || strlen(path) >= sizeof control.address.sun_path) {
        snprintf(why, n,
                 "core.control_socket: a socket's path has 1 to %zu bytes, this has %zu: %s",
                 sizeof control.address.sun_path - 1, strlen(path), path);
        return -1;
    }
    memset(control.address.sun_path, 0, sizeof control.address.sun_path);
    memcpy(control.address.sun_path, path, strlen(path));
    if (stale_remove(why, n) || (fd = control_bind(why, n)) < 0)
        return -1;
    control.listener = evconnlistener_new(base, on_client, NULL, LEV_OPT_CLOSE_ON_FREE, 32, fd);
    if (!control.listener) {
        snprintf(why, n, "the control socket %s cannot be served: out of memory", path);
        close(fd);
        unlink(path);
        return -1;
    }
    return 0;
}

/* The reply to the request that ends the daemon: the loop will not run again. */
static void client_flush(struct client *c)
{
    struct evbuffer *out = c->bev ? bufferevent_get_output(c->bev) : NULL;

    if (!out)
        return;
    evbuffer_unfreeze(out, 1);
    while (evbuffer_get_length(out) && evbuffer_write(out, bufferevent_getfd(c->bev)) > 0)
        continue;
}

void control_close(void)
{
    if (!control.listener)
        return;
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        client_flush(&control.client[i]);
        client_free(&control.client[i]);
    }
    evconnlistener_free(control.listener);
    control.listener = NULL;
    unlink(control.address.sun_path);
}
