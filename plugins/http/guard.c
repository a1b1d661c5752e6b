#include "plugins/http/guard.h"

#include "plugins/http/tls.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define READ_MARGIN 65536u          /* bytes of the socket that may wait beyond one request */
#define WRITE_STEP 65536u           /* bytes that have to leave within write_ms */
#define RECORD 16384u               /* plain bytes of a TLS record */
#define LINGER_MS 1000u             /* a refused client's bytes are taken so long, else the reset hides the reply */
#define CROWD 256u                  /* connections at once whose memory is worth giving back */

enum phase { WAITING, READING, HANDLING, WRITING, STEADY, LINGERING };

struct guard {
    struct guards *all;
    struct guard *next, *prev, *chain;
    struct bufferevent *filter, *socket;
    struct event *timer, *kick, *writable;
    struct head head;
    struct guard_refusal refusal;
    enum phase phase;
    enum guard_end end;
    time_t since;                   /* it began to send a request, or came; seconds of the monotonic clock */
    bool late, close, fresh;        /* fresh: nothing has come yet */
    bool arrived;                   /* its address was looked at */
    struct crowd_client *client;    /* NULL: it is not counted */
    size_t written, held;           /* held: of guards.held; 0: its body is small, or has gone */
    bool asked;                     /* on.body() has seen this one */
    int spool;                      /* the body goes to this file, -1: to memory */
    uint64_t spool_left, spooled;
    struct evbuffer *spool_head;    /* what evhttp gets when all of it is there */
    struct tls_session *tls;        /* NULL: none */
    struct evbuffer *plain, *cipher;    /* of TLS: what came, what is to be sent */
    size_t given;                   /* plain bytes that stand in cipher, and still in evhttp's buffer */
    void (*on_late)(void *arg);
    void (*on_gone)(void *arg);
    void (*on_data)(void *arg, const void *p, size_t n);   /* taken over */
    void (*on_drained)(void *arg);
    bool blocked, finish;           /* bytes had to wait; close when they have left */
    void (*on_left)(void *arg);     /* nothing of a steady reply waits any more */
    void *arg, *left_arg;
};

static struct guard **slot(struct guards *all, const struct bufferevent *filter)
{
    return &all->index[((uintptr_t)filter >> 6) % (sizeof all->index / sizeof all->index[0])];
}

static time_t seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void timer_set(struct guard *g, uint32_t ms)
{
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    evtimer_add(g->timer, &tv);
}

/* Its body is not in memory any more. */
static void let_go(struct guard *g)
{
    if (g->all)
        g->all->held -= g->held;
    if (g->all && g->spool >= 0)
        g->all->on.spool_close(g->all->on.arg, g->spool);
    if (g->spool_head)
        evbuffer_free(g->spool_head);
    g->spool_head = NULL;
    g->spool = -1;
    g->held = 0;
    g->asked = false;
}

static void guard_release(struct guard *g)
{
    struct event *const events[] = { g->timer, g->kick, g->writable };

    for (unsigned i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
    tls_session_free(g->tls);
    if (g->plain)
        evbuffer_free(g->plain);
    if (g->cipher)
        evbuffer_free(g->cipher);
    if (g->socket) {
        bufferevent_setcb(g->socket, NULL, NULL, NULL, NULL);
        bufferevent_decref(g->socket);
    }
}

/* The memory of a crowd goes back to the system once hardly anybody of it is left; malloc would keep what lies between
 * the rest. */
static void shrink(struct guards *all)
{
    if (all->most < CROWD || all->n > all->most / 16)
        return;
    all->most = all->n;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/* One fewer: whoever waits may come in. */
static void leave(struct guard *g)
{
    struct guards *all = g->all;

    if (g->next)
        g->next->prev = g->prev;
    if (g->prev)
        g->prev->next = g->next;
    else
        all->list = g->next;
    all->n--;
    crowd_leave(&all->crowd, g->client);
    let_go(g);
    all->on.closed(all->on.arg, g->end);
    if (all->full && all->n < all->c.connections) {
        all->full = false;
        if (all->again)
            event_del(all->again);
        all->on.full(all->on.arg, false);
    }
    guard_release(g);
    free(g);
    shrink(all);
}

static void on_drained(struct bufferevent *bev, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(bev);

    (void)arg;
    evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_lingered(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    leave(arg);
}

/* evhttp has freed the filter. The socket is held by us until a refused client has read its reply. */
static void on_filter_gone(void *arg)
{
    struct guard *g = arg, **p;

    if (!g->all) {
        free(g);
        return;
    }
    p = slot(g->all, g->filter);
    while (*p != g)
        p = &(*p)->chain;
    *p = g->chain;
    g->filter = NULL;
    if (g->on_gone) {
        void (*gone)(void *arg) = g->on_gone;

        g->on_gone = NULL;
        gone(g->arg);
    }
    event_del(g->kick);
    event_del(g->timer);
    if (g->writable)
        event_del(g->writable);
    if (g->tls && !g->given) {
        tls_bye(g->tls, g->cipher);
        evbuffer_write(g->cipher, guard_fd(g));     /* what the socket does not take at once is lost */
    }
    if (!g->refusal.status || g->close) {
        leave(g);
        return;
    }
    g->phase = LINGERING;
    bufferevent_setcb(g->socket, on_drained, NULL, on_lingered, g);
    bufferevent_enable(g->socket, EV_READ);
    timer_set(g, LINGER_MS);
}

/* What evhttp is told of a request that is refused: something whole. */
static void refuse(struct guard *g, struct evbuffer *in, struct evbuffer *out, int status, const char *why)
{
    static const char harmless[] = "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

    let_go(g);
    evbuffer_drain(in, evbuffer_get_length(in));
    evbuffer_add(out, harmless, sizeof harmless - 1);
    g->refusal = (struct guard_refusal){ status, why };
    g->phase = HANDLING;
    timer_set(g, g->all->c.request_ms);
}

/* Straight to the socket. false: some has to wait until it takes more, or it is over. */
static bool push(struct guard *g, struct evbuffer *from)
{
    int n = 0;

    while (evbuffer_get_length(from) && (n = evbuffer_write(from, guard_fd(g))) > 0) {
        g->written += (size_t)n;
        g->all->on.wrote(g->all->on.arg, (size_t)n);
    }
    if (!evbuffer_get_length(from))
        return true;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        g->close = true;
        event_active(g->kick, 0, 0);
        return false;
    }
    g->blocked = true;
    if (!g->writable)
        g->writable = event_new(g->all->base, guard_fd(g), EV_WRITE, event_get_callback(g->kick), g);
    if (!g->writable || event_add(g->writable, NULL)) {
        g->close = true;
        event_active(g->kick, 0, 0);
    }
    return false;
}

/* What came, in the clear. false: it is over. */
static bool open_up(struct guard *g, struct evbuffer *in)
{
    bool good = tls_take(g->tls, in, g->plain, g->cipher);

    if (!g->given)
        push(g, g->cipher);
    if (good)
        return true;
    g->all->on.tls_failed(g->all->on.arg);
    g->close = true;
    event_active(g->kick, 0, 0);
    return false;
}

static void say_continue(struct guard *g)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (g->tls) {
        g->head.expects = !tls_give(g->tls, line, sizeof line - 1, g->cipher);
        push(g, g->cipher);
        return;
    }
    /* A fresh connection's buffer has room for it; where not, the client goes on after a moment (RFC 9110 §10.1.1). */
    g->head.expects = send(guard_fd(g), line, sizeof line - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
}

/* Of a connection that was taken over. */
static void hand_over(struct guard *g, struct evbuffer *in, size_t n)
{
    while (n && !g->close && !g->finish) {
        g->all->on.read(g->all->on.arg, n);
        g->on_data(g->arg, evbuffer_pullup(in, (ev_ssize_t)n), n);
        evbuffer_drain(in, n);
        n = evbuffer_get_length(in);
    }
    evbuffer_drain(in, n);
}

/* The head, with a length of 0, is kept until the whole body is in its file. */
static int spool_begin(struct guard *g, struct evbuffer *in, const char *p)
{
    size_t n = g->head.head;
    char *copy = malloc(n);

    g->spool_head = evbuffer_new();
    if (!copy || !g->spool_head) {
        free(copy);
        g->head.why = "out of memory";
        return 503;
    }
    memcpy(copy, p, n);
    head_no_body(copy, n);
    evbuffer_add(g->spool_head, copy, n);
    free(copy);
    if (g->head.expects)
        say_continue(g);
    evbuffer_drain(in, n);
    g->spool_left = g->head.length;
    g->spooled = 0;
    g->written = 0;
    timer_set(g, g->all->c.write_ms);
    return HEAD_DONE;
}

/* What has come goes to the file. HEAD_DONE: it is all there. */
static int spool(struct guard *g, struct evbuffer *in)
{
    while (g->spool_left && evbuffer_get_length(in)) {
        ev_ssize_t most = g->spool_left < SSIZE_MAX ? (ev_ssize_t)g->spool_left : SSIZE_MAX;
        int n = evbuffer_write_atmost(in, g->spool, most);

        if (n <= 0) {
            g->head.why = "the body cannot be kept: the disk may be full";
            return 507;
        }
        g->spool_left -= (size_t)n;
        g->spooled += (size_t)n;
        g->written += (size_t)n;
    }
    return g->spool_left ? HEAD_MORE : HEAD_DONE;
}

/* May the body grow to what is there, or announced? HEAD_DONE, or a status. */
static int admit(struct guard *g, const char *p, size_t n)
{
    struct guards *all = g->all;
    size_t there = (g->head.total && g->head.total < n ? g->head.total : n) - g->head.head;
    struct guard_body b = { p, g->head.head, g->head.chunked ? there : g->head.length, g->head.chunked, guard_fd(g), -1,
                            NULL };
    int rc;

    if (!b.length || (g->asked && (b.length <= BODY_FREE || b.length <= g->held)))
        return HEAD_DONE;
    if (!g->asked || !g->held) {
        rc = all->on.body(all->on.arg, &b);
        g->spool = b.spool;
        g->head.why = b.why;
        if (rc)
            return rc;
        g->asked = true;
    }
    if (g->spool >= 0 || b.length <= BODY_FREE)
        return HEAD_DONE;
    if (b.length > all->c.body || (g->head.chunked && g->head.sum > all->c.body)) {
        g->head.why = "the body is too large";
        return 413;
    }
    if (all->held - g->held + b.length > all->c.bodies) {
        g->head.why = "too many large bodies are being sent at once";
        return 503;
    }
    all->held += b.length - g->held;
    g->held = b.length;
    return HEAD_DONE;
}

static int scan(struct guard *g, struct evbuffer *in, size_t n)
{
    const char *p;
    int rc, may = HEAD_DONE;

    if (g->spool >= 0)
        return spool(g, in);
    p = (const char *)evbuffer_pullup(in, -1);
    rc = head_scan(&g->head, &g->all->c.limits, p, n);
    if (g->head.head && (rc == HEAD_MORE || rc == HEAD_DONE))
        may = admit(g, p, n);
    if (may == HEAD_DONE && g->spool >= 0)
        return (may = spool_begin(g, in, p)) == HEAD_DONE ? spool(g, in) : may;
    return may == HEAD_DONE ? rc : may;
}

static enum bufferevent_filter_result on_input(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
                                               enum bufferevent_flush_mode mode, void *arg)
{
    struct guard *g = arg;
    size_t n;
    int rc;

    (void)limit;
    (void)mode;
    if (!g->on_data && g->phase != WAITING && g->phase != READING)
        return BEV_NEED_MORE;
    if (g->tls && !open_up(g, in))
        return BEV_NEED_MORE;
    in = g->tls ? g->plain : in;
    n = evbuffer_get_length(in);
    if (g->on_data) {
        hand_over(g, in, n);
        return BEV_NEED_MORE;
    }
    if (!n && !g->late)
        return BEV_NEED_MORE;
    if (g->phase == WAITING) {
        g->phase = READING;
        g->since = seconds();
        g->fresh = false;
        g->head = (struct head){ 0 };
        timer_set(g, g->all->c.request_ms);
    }
    if (g->late)
        rc = 408;
    else
        rc = scan(g, in, n);
    if (rc == HEAD_MORE) {
        if (g->head.expects && g->head.head && g->spool < 0)
            say_continue(g);
        return BEV_NEED_MORE;
    }
    if (rc == HEAD_DONE) {
        if (g->spool >= 0)
            evbuffer_add_buffer(out, g->spool_head);
        else
            evbuffer_remove_buffer(in, out, g->head.total);
        g->all->on.read(g->all->on.arg, g->spool >= 0 ? g->head.head + g->spooled : g->head.total);
        g->phase = HANDLING;
        timer_set(g, g->all->c.request_ms);     /* should evhttp answer by itself, nobody else ends it */
    } else {
        refuse(g, in, out, rc, g->late ? "the request took too long" : g->head.why);
    }
    return BEV_OK;
}

/* Of `in`, one record after the other: its bytes stay in evhttp's buffer until the record has left. false: not all. */
static bool push_tls(struct guard *g, struct evbuffer *in)
{
    for (;;) {
        size_t n;

        if (!push(g, g->cipher))
            return false;
        evbuffer_drain(in, g->given);
        g->given = 0;
        if (!(n = evbuffer_get_length(in)))
            return true;
        n = n < RECORD ? n : RECORD;
        if (!tls_give(g->tls, evbuffer_pullup(in, (ev_ssize_t)n), n, g->cipher)) {
            g->close = true;
            event_active(g->kick, 0, 0);
            return false;
        }
        g->given = n;
    }
}

static enum bufferevent_filter_result on_output(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
                                                enum bufferevent_flush_mode mode, void *arg)
{
    struct guard *g = arg;

    (void)out;
    (void)limit;
    (void)mode;
    if (!evbuffer_get_length(in) || !(g->tls ? push_tls(g, in) : push(g, in)))
        return BEV_NEED_MORE;
    if (g->on_left)
        event_active(g->kick, 0, 0);
    return BEV_OK;
}

/* evhttp has freed its filter, though on_filter_gone() has still to come. */
static bool abandoned(const struct guard *g)
{
    bufferevent_event_cb on_event = NULL;

    if (g->filter)
        bufferevent_getcb(g->filter, NULL, NULL, &on_event, NULL);
    return !on_event;
}

/* Bytes that came before it was taken over, bytes that have left by now. */
static void stream_kick(struct guard *g)
{
    bool left = !evbuffer_get_length(bufferevent_get_output(g->filter));

    if (left && g->finish) {
        guard_close(g, GUARD_LEFT);
        return;
    }
    if (left && g->blocked) {
        g->blocked = false;
        g->on_drained(g->arg);
    }
    bufferevent_flush(g->filter, EV_READ, BEV_NORMAL);
}

/* of: of this client; NULL: of any. */
static bool evict(struct guards *all, const struct crowd_client *of)
{
    struct guard *idle = NULL, *slow = NULL;
    time_t now = seconds();

    for (struct guard *g = all->list; g; g = g->next) {     /* the newest stands first */
        if (of && g->client != of)
            continue;
        if (g->phase == WAITING && !g->close && (!g->fresh || now - g->since > 1))
            idle = g;
        if (g->phase == READING && !g->close && now - g->since > 1)
            slow = g;
    }
    if (idle || slow)
        guard_close(idle ? idle : slow, idle ? GUARD_EVICTED : GUARD_SLOW);
    return idle || slow;
}

void guard_client(const struct guard *g, char to[TLS_NAME])
{
    *to = '\0';
    if (g->tls)
        tls_client(g->tls, to);
}

bool guard_peer(const struct guard *g, uint8_t at[16])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    const struct sockaddr_in *four = (const void *)&a;

    if (getpeername(guard_fd(g), (struct sockaddr *)&a, &len))
        return false;
    if (a.ss_family == AF_INET6) {
        memcpy(at, &((const struct sockaddr_in6 *)(const void *)&a)->sin6_addr, 16);
        return true;
    }
    memset(at, 0, 10);
    memset(at + 10, 0xff, 2);
    memcpy(at + 12, &four->sin_addr, 4);
    return a.ss_family == AF_INET;
}

static bool is_loopback(const uint8_t at[16])
{
    const struct in6_addr *six = (const void *)at;

    return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && at[12] == 127);
}

/* Its socket is known by now: has its client too many of them? */
static void arrive(struct guard *g)
{
    struct guards *all = g->all;
    uint8_t at[16];

    g->arrived = true;
    if (!all->c.per_client || !guard_peer(g, at) || is_loopback(at) || proxies_have(&all->c.proxies, at))
        return;
    g->client = crowd_join(&all->crowd, at);
    if (g->client && g->client->n > all->c.per_client && !evict(all, g->client)) {
        g->end = GUARD_CROWDED;
        g->close = true;
    }
}

/* Later, in a clean stack: close it, go on writing, or look at bytes that came while the last request was handled. */
static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    struct guard *g = arg;

    (void)fd;
    (void)what;
    if (abandoned(g))
        return;
    if (!g->arrived)
        arrive(g);
    if (g->close) {
        bufferevent_trigger_event(g->filter, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
        return;
    }
    if (g->tls && !g->given && !push(g, g->cipher))
        return;
    if (g->phase == STEADY && g->on_left && !guard_waiting(g)) {
        g->on_left(g->left_arg);
    } else if (g->phase == WRITING || g->phase == STEADY) {
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
        if (g->on_data)
            stream_kick(g);
    } else if (bufferevent_flush(g->filter, EV_READ, BEV_NORMAL) > 0) {
        bufferevent_trigger(g->filter, EV_READ, 0);
    }
}

void guard_close(struct guard *g, enum guard_end why)
{
    g->end = why;
    g->close = true;
    event_active(g->kick, 0, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct guard *g = arg;

    (void)fd;
    (void)what;
    switch (g->phase) {
    case WAITING:
        guard_close(g, g->fresh ? GUARD_SLOW : GUARD_IDLE);
        break;
    case READING:
        if (g->spool >= 0 && g->written >= WRITE_STEP) {
            g->written = 0;
            timer_set(g, g->all->c.write_ms);
            break;
        }
        g->end = GUARD_SLOW;
        g->late = true;
        event_active(g->kick, 0, 0);
        break;
    case HANDLING:
        if (g->on_late)
            g->on_late(g->arg);
        else if (!abandoned(g))
            guard_close(g, GUARD_STUCK);
        break;
    case WRITING:
    case STEADY:
        if (abandoned(g))
            break;
        if (!evbuffer_get_length(bufferevent_get_output(g->filter)) ||
            g->written >= (g->phase == STEADY ? 1 : WRITE_STEP)) {
            g->written = 0;
            timer_set(g, g->all->c.write_ms);
        } else {
            guard_close(g, GUARD_STUCK);
        }
        break;
    case LINGERING:
        leave(g);
        break;
    }
}

static void on_complete(struct evhttp_request *r, void *arg)
{
    struct guard *g = arg;

    (void)r;
    let_go(g);
    g->phase = WAITING;
    timer_set(g, g->all->c.idle_ms);
    if (evbuffer_get_length(bufferevent_get_input(g->socket)) || (g->plain && evbuffer_get_length(g->plain)))
        event_active(g->kick, 0, 0);
}

void guard_send(struct guard *g, struct evhttp_request *r, bool steady)
{
    guard_wait_no_more(g);
    if (g->phase == HANDLING)
        evhttp_request_set_on_complete_cb(r, on_complete, g);
    g->phase = steady ? STEADY : WRITING;
    if (!evtimer_pending(g->timer, NULL))
        g->written = 0, timer_set(g, g->all->c.write_ms);
    bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}

void guard_end_steady(struct guard *g)
{
    guard_wait_no_more(g);
    g->on_left = NULL;
    g->phase = WRITING;
    if (!abandoned(g))
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}

void guard_left(struct guard *g, void (*left)(void *arg), void *arg)
{
    g->on_left = left;
    g->left_arg = arg;
}

void guard_push(struct guard *g)
{
    if (!abandoned(g))
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}

void guard_take(struct guard *g, void (*data)(void *arg, const void *p, size_t n), void (*drained)(void *arg),
                void (*gone)(void *arg), void *arg)
{
    bufferevent_event_cb on_event;
    void *event_arg;

    bufferevent_getcb(g->filter, NULL, NULL, &on_event, &event_arg);
    bufferevent_setcb(g->filter, NULL, NULL, on_event, event_arg);      /* evhttp only hears its end */
    g->phase = STEADY;
    g->written = 0;
    g->on_data = data;
    g->on_drained = drained;
    bufferevent_enable(g->filter, EV_WRITE);    /* evhttp disables it while it reads */
    guard_wait(g, g->all->c.write_ms, NULL, gone, arg);
    event_active(g->kick, 0, 0);
}

bool guard_write(struct guard *g, const void *p, size_t n)
{
    return !abandoned(g) && !evbuffer_add(bufferevent_get_output(g->filter), p, n);
}

void guard_finish(struct guard *g)
{
    g->finish = true;
    if (!guard_waiting(g))
        guard_close(g, GUARD_LEFT);
}

size_t guard_waiting(const struct guard *g)
{
    return abandoned(g) ? 0 : evbuffer_get_length(bufferevent_get_output(g->filter));
}

void guard_wait(struct guard *g, uint32_t ms, void (*late)(void *arg), void (*gone)(void *arg), void *arg)
{
    g->on_late = late;
    g->on_gone = gone;
    g->arg = arg;
    if (ms)
        timer_set(g, ms);
    bufferevent_enable(g->filter, EV_READ);     /* on_input() hands nothing over meanwhile; the end is heard */
}

void guard_wait_no_more(struct guard *g)
{
    g->on_late = g->on_gone = NULL;
    if (g->phase == HANDLING)
        event_del(g->timer);
}

struct guard *guard_of(struct guards *all, struct evhttp_request *r)
{
    struct evhttp_connection *c = evhttp_request_get_connection(r);
    struct bufferevent *filter = c ? evhttp_connection_get_bufferevent(c) : NULL;
    struct guard *g = filter ? *slot(all, filter) : NULL;

    while (g && g->filter != filter)
        g = g->chain;
    return g;
}

const struct guard_refusal *guard_refused(const struct guard *g)
{
    return &g->refusal;
}

int guard_take_upload(struct guard *g, uint64_t *len)
{
    int fd = g->spool;

    *len = g->spooled;
    g->spool = -1;
    return fd;
}

int guard_fd(const struct guard *g)
{
    return bufferevent_getfd(g->socket);
}

bool guard_evict(struct guards *all)
{
    return evict(all, NULL);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct guards *all = arg;

    (void)fd;
    (void)what;
    if (all->full)
        guard_evict(all);
}

/* Nobody can be sent away at once: new ones wait until somebody leaves, or has become too slow. */
static void fill(struct guards *all)
{
    static const struct timeval moment = { 0, 250000 };

    all->full = true;
    all->on.full(all->on.arg, true);
    if (!all->again)
        all->again = event_new(all->base, -1, EV_PERSIST, on_again, all);
    if (all->again)
        event_add(all->again, &moment);
}

static bool events_new(struct guard *g, struct event_base *base)
{
    g->timer = evtimer_new(base, on_timer, g);
    g->kick = event_new(base, -1, 0, on_kick, g);
    return g->timer && g->kick;
}

static bool tls_begin(struct guard *g)
{
    if (!g->all->tls)
        return true;
    g->tls = tls_session_new(g->all->tls);
    g->plain = evbuffer_new();
    g->cipher = evbuffer_new();
    return g->tls && g->plain && g->cipher;
}

struct bufferevent *guard_new(struct event_base *base, void *arg)
{
    struct guards *all = arg;
    struct guard *g = calloc(1, sizeof *g), **p;

    if (!g)
        return NULL;
    g->all = all;
    g->spool = -1;
    g->fresh = true;
    g->since = seconds();
    g->socket = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (g->socket && events_new(g, base) && tls_begin(g))
        g->filter = bufferevent_filter_new(g->socket, on_input, on_output,
                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS, on_filter_gone, g);
    if (!g->filter) {
        guard_release(g);
        free(g);
        return NULL;
    }
    bufferevent_incref(g->socket);
    bufferevent_setwatermark(g->socket, EV_READ, 0, all->c.limits.head + (size_t)all->c.body + 2 * READ_MARGIN);
    p = slot(all, g->filter);
    g->chain = *p;
    *p = g;
    g->next = all->list;
    if (g->next)
        g->next->prev = g;
    all->list = g;
    timer_set(g, all->c.request_ms);
    event_active(g->kick, 0, 0);
    all->on.opened(all->on.arg);
    if (++all->n > all->most)
        all->most = all->n;
    if (all->n >= all->c.connections && !all->full && !guard_evict(all))
        fill(all);
    return g->filter;
}

/* Filters are freed with the loop, later than the server; what hangs on them then is the bare struct. */
void guards_free(struct guards *all)
{
    while (all->list) {
        struct guard *g = all->list;

        all->list = g->next;
        crowd_leave(&all->crowd, g->client);
        let_go(g);
        guard_release(g);
        if (!g->filter)
            free(g);
        else
            g->all = NULL;
    }
    if (all->again)
        event_free(all->again);
    all->again = NULL;
    all->n = 0;
}
