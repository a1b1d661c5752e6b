#include "plugins/http/server.h"

#include "plugins/http/catchup.h"
#include "plugins/http/input.h"
#include "plugins/http/openapi.h"
#include "plugins/http/request.h"
#include "plugins/http/tls.h"
#include "plugins/http/upgrade.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 256
#define KERNEL_UNSENT 131072        /* bytes that the kernel keeps beyond a client's window; else up to 4 MB */
#define LOCAL_CONNECTIONS 64u
#define PLAIN_CONNECTIONS 128u     /* of http.redirect, and of one client there */
#define PLAIN_PER_CLIENT 16u
#define METHODS (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | \
                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS)

static void on_full(void *arg, bool full)
{
    struct server *s = arg;

    if (full && s->on_tcp.l) {
        server_count(s, M_FULL, 1);
        EC_LOG(s->host, EC_LOG_WARNING, "there are %u connections (http.connections): new ones wait", s->guards.n);
        evconnlistener_disable(s->on_tcp.l);
    } else if (!full && s->on_tcp.l && !s->on_tcp.off) {
        evconnlistener_enable(s->on_tcp.l);
    }
}

static void stop_or_go(const struct listener *on, bool full)
{
    if (on->l && full)
        evconnlistener_disable(on->l);
    else if (on->l && !on->off)
        evconnlistener_enable(on->l);
}

static void on_local_full(void *arg, bool full)
{
    stop_or_go(&((struct server *)arg)->on_local, full);
}

static void on_plain_full(void *arg, bool full)
{
    stop_or_go(&((struct server *)arg)->on_plain, full);
}

static uint32_t open_now(const struct server *s)
{
    return s->guards.n + s->locals.n + s->plains.n;
}

static void on_closed(void *arg, enum guard_end why)
{
    struct server *s = arg;

    server_count(s, M_END_LEFT + (uint32_t)why, 1);
    s->host->gauge(s->host, M_OPEN, open_now(s));
}

static void on_opened(void *arg)
{
    struct server *s = arg;

    server_count(s, M_CONNECTIONS, 1);
    s->host->gauge(s->host, M_OPEN, open_now(s));
}

static void on_tls_failed(void *arg)
{
    server_count(arg, M_TLS_FAILED, 1);
}

static void on_wrote(void *arg, size_t n)
{
    server_count(arg, M_BYTES_OUT, (int64_t)n);
}

static void on_read(void *arg, size_t n)
{
    server_count(arg, M_BYTES_IN, (int64_t)n);
}

static int on_body(void *arg, struct guard_body *b)
{
    return input_body(arg, b, false);
}

static int on_local_body(void *arg, struct guard_body *b)
{
    return input_body(arg, b, true);
}

static void on_spool_close(void *arg, int fd)
{
    input_upload_close(arg, fd);
}

/* Heads are looked at before their route is known, so they may announce what the largest upload may have. */
static void allow_uploads(struct server *s)
{
    uint64_t *most = &s->guards.c.limits.body;

    for (uint32_t i = 0; i < s->routes.n; i++)
        if (s->routes.route[i].r->flags & EC_RT_UPLOAD && s->routes.route[i].r->body_max > *most)
            *most = s->routes.route[i].r->body_max;
}

/* A listener's argument is evhttp's own, so its error callback has to know the server otherwise. */
static struct server *served;

/* accept() failed, most likely for want of descriptors: again in a moment, instead of spinning. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    static const struct timeval moment = { 0, 200000 };
    struct server *s = served;
    struct listener *which = l == s->on_tcp.l ? &s->on_tcp : l == s->on_plain.l ? &s->on_plain : &s->on_local;
    int err = EVUTIL_SOCKET_ERROR();

    (void)arg;
    server_count(s, M_ACCEPT, 1);
    EC_LOG(s->host, EC_LOG_WARNING, "a connection could not be taken: %s", evutil_socket_error_to_string(err));
    which->off = true;
    evconnlistener_disable(l);
    evtimer_add(which->retry, &moment);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct listener *which = arg;

    (void)fd;
    (void)what;
    which->off = false;
    evconnlistener_enable(which->l);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request_done(arg);
    catchup_done(arg);
}

static struct evhttp *http_new(struct server *s, struct guards *guards, void (*fn)(struct evhttp_request *, void *))
{
    struct evhttp *h = evhttp_new(s->base);

    if (!h)
        return NULL;
    evhttp_set_bevcb(h, guard_new, guards);
    evhttp_set_gencb(h, fn, s);
    evhttp_set_allowed_methods(h, METHODS);
    evhttp_set_default_content_type(h, NULL);
    evhttp_set_max_headers_size(h, (ev_ssize_t)guards->c.limits.head + 1024);
    evhttp_set_max_body_size(h, (ev_ssize_t)guards->c.body + 1024);
    return h;
}

static int32_t listen_on(struct server *s, struct listener *on, struct evhttp *h, int fd, char *why, uint32_t n)
{
    on->l = evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    on->retry = evtimer_new(s->base, on_retry, on);
    if (!on->l || !on->retry || !evhttp_bind_listener(h, on->l)) {
        snprintf(why, n, "it cannot listen: %s", strerror(errno));
        if (!on->l)
            close(fd);
        return EC_EIO;
    }
    evconnlistener_set_error_cb(on->l, on_accept_error);
    return EC_OK;
}

/* option, where: "http.listen", "127.0.0.1:8000" */
static int32_t open_port(struct server *s, const char *option, const char *where, struct listener *on, struct evhttp *h,
                         char *why, uint32_t n)
{
    struct sockaddr_storage a;
    int len = sizeof a, one = 1, unsent = KERNEL_UNSENT, fd;

    if (evutil_parse_sockaddr_port(where, (struct sockaddr *)&a, &len)) {
        snprintf(why, n, "%s: %s is not ADDRESS:PORT", option, where);
        return EC_EINVAL;
    }
    fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) ||
        bind(fd, (struct sockaddr *)&a, (socklen_t)len)) {
        int err = errno;

        if (err == EADDRINUSE)
            snprintf(why, n, "port %s of %.*s is taken by another program: stop it, or set %s to another one",
                     strrchr(where, ':') + 1, (int)(strrchr(where, ':') - where), where, option);
        else
            snprintf(why, n, "it cannot listen on %s (%s): %s", where, option, strerror(err));
        if (fd >= 0)
            close(fd);
        return err == EADDRINUSE ? EC_EEXIST : EC_EIO;
    }
    return listen_on(s, on, h, fd, why, n);
}

/* A socket that nobody answers on is left from a daemon that is gone; any other is not ours to take. */
static bool clear_away(const struct sockaddr_un *a, char *why, uint32_t n)
{
    struct stat st;
    int fd, err;

    if (lstat(a->sun_path, &st))
        return true;
    fd = S_ISSOCK(st.st_mode) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    err = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && err == ECONNREFUSED && !unlink(a->sun_path))
        return true;
    snprintf(why, n, "%s is in the way: %s", a->sun_path,
             S_ISSOCK(st.st_mode) ? "another daemon answers there; set http.socket" : "it is not a socket");
    return false;
}

/* The runtime folder of the daemon, and what it stands in, as core.control_socket has it. */
static void make_folder(const char *path)
{
    char folder[108];

    snprintf(folder, sizeof folder, "%s", path);
    for (char *p = folder + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        if (mkdir(folder, 0755) && errno != EEXIST)
            return;
        *p = '/';
    }
}

/* Members of the group ecyber may connect; a failure only shuts people out. */
static void give_to_group(const struct server *s)
{
    struct group g, *found = NULL;
    char buf[4096];

    if (!getgrnam_r("ecyber", &g, buf, sizeof buf, &found) && found && chown(s->c.socket, (uid_t)-1, g.gr_gid))
        EC_LOG(s->host, EC_LOG_DEBUG, "%s keeps its group: %s", s->c.socket, strerror(errno));
    if (chmod(s->c.socket, 0660))
        EC_LOG(s->host, EC_LOG_DEBUG, "%s keeps its mode: %s", s->c.socket, strerror(errno));
}

static int32_t open_local(struct server *s, char *why, uint32_t n)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", s->c.socket);
    if (!s->c.socket_given)
        make_folder(s->c.socket);
    if (!clear_away(&a, why, n))
        return EC_EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || fchmod(fd, 0660) || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, BACKLOG)) {
        snprintf(why, n, "the socket %s (http.socket) cannot be made: %s", s->c.socket, strerror(errno));
        if (fd >= 0)
            close(fd);
        return EC_EIO;
    }
    give_to_group(s);
    return listen_on(s, &s->on_local, s->local, fd, why, n);
}

/* Half of the descriptors stay for files, sources and helpers. */
static void limit_connections(struct server *s)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur == RLIM_INFINITY || l.rlim_cur / 2 >= s->guards.c.connections)
        return;
    s->guards.c.connections = (uint32_t)(l.rlim_cur / 2);
    EC_LOG(s->host, EC_LOG_WARNING, "http.connections is %u, because the process may open %llu files only",
           s->guards.c.connections, (unsigned long long)l.rlim_cur);
}

static void prepare(struct server *s)
{
    const struct guard_events on = { s, on_full, on_opened, on_closed, on_wrote, on_read, on_body, on_spool_close,
                                     on_tls_failed };

    s->guards = (struct guards){ .base = s->base, .c = s->c.guard, .on = on };
    allow_uploads(s);
    s->locals = s->guards;
    s->plains = s->guards;
    s->plains.c.connections = PLAIN_CONNECTIONS;
    s->plains.c.per_client = PLAIN_PER_CLIENT;
    s->plains.on.full = on_plain_full;
    s->guards.tls = s->tls;
    s->locals.c.connections = LOCAL_CONNECTIONS;
    s->locals.c.per_client = 0;
    s->locals.on.full = on_local_full;
    s->locals.on.body = on_local_body;
    limit_connections(s);
}

void server_look(struct server *s)
{
    char why[512];
    bool fresh;

    if (!s->tls)
        return;
    if (!tls_look(s->tls, &fresh, why, sizeof why))
        EC_LOG(s->host, EC_LOG_WARNING, "the certificate stays the one that was read before: %s", why);
    else if (fresh)
        EC_LOG(s->host, EC_LOG_INFO, "new connections get the new certificate of %s", s->c.tls_cert);
}

int32_t server_start(struct server *s, char *why, uint32_t n)
{
    int32_t err;

    const struct tls_files files = { s->c.tls_cert, s->c.tls_key, *s->c.client_ca ? s->c.client_ca : NULL,
                                     s->c.client_must };

    if (*s->c.tls_cert && !(s->tls = tls_new(&files, why, n)))
        return EC_EINVAL;
    prepare(s);
    served = s;
    s->wake = event_new(s->base, -1, EV_PERSIST, on_wake, s);
    s->tcp = http_new(s, &s->guards, request_tcp);
    s->local = http_new(s, &s->locals, request_local);
    s->plain = http_new(s, &s->plains, request_plain);
    if (!s->wake || !s->tcp || !s->local || !s->plain || !openapi_build(s) || !stream_start(s)) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    if (*s->c.listen && (err = open_port(s, "http.listen", s->c.listen, &s->on_tcp, s->tcp, why, n)))
        return err;
    if (*s->c.redirect && (err = open_port(s, "http.redirect", s->c.redirect, &s->on_plain, s->plain, why, n)))
        return err;
    if (*s->c.socket && (err = open_local(s, why, n))) {
        if (s->c.socket_given)
            return err;
        EC_LOG(s->host, EC_LOG_WARNING, "%s; ecyberctl cannot ask this daemon for what plugins know", why);
        *s->c.socket = '\0';
    }
    return EC_OK;
}

void server_stop(struct server *s)
{
    s->stopping = true;
    stream_stop(s);
    upgrade_stop(s);
    if (s->wake)
        request_done(s);
    catchup_done(s);
    onces_free(&s->onces);
    if (s->tcp)
        evhttp_free(s->tcp);
    if (s->local)
        evhttp_free(s->local);
    if (s->plain)
        evhttp_free(s->plain);
    guards_free(&s->guards);
    guards_free(&s->locals);
    guards_free(&s->plains);
    tls_free(s->tls);
    s->tls = NULL;
    for (unsigned i = 0; i < 3; i++) {
        struct listener *on = i == 0 ? &s->on_tcp : i == 1 ? &s->on_local : &s->on_plain;

        if (on->retry)
            event_free(on->retry);
        *on = (struct listener){ 0 };
    }
    if (*s->c.socket && s->local)
        unlink(s->c.socket);
    if (s->wake)
        event_free(s->wake);
    s->tcp = s->local = s->plain = NULL;
    s->wake = NULL;
}
