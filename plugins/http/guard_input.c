#include "plugins/http/guard_state.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void guard_body_free(struct guard *g)
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

/* What evhttp is told of a request that is refused: something whole. */
static void refuse(struct guard *g, struct evbuffer *in, struct evbuffer *out, int status, const char *why)
{
    static const char harmless[] = "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

    guard_body_free(g);
    evbuffer_drain(in, evbuffer_get_length(in));
    evbuffer_add(out, harmless, sizeof harmless - 1);
    g->refusal = (struct guard_refusal){ status, why };
    g->phase = HANDLING;
    guard_timer(g, g->all->c.request_ms);
}

/* What came, in the clear. false: it is over. */
static bool open_up(struct guard *g, struct evbuffer *in)
{
    bool good = tls_take(g->tls, in, g->plain, g->cipher);

    if (!g->given)
        guard_push_bytes(g, g->cipher);
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
        guard_push_bytes(g, g->cipher);
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
    guard_timer(g, g->all->c.write_ms);
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

enum bufferevent_filter_result guard_input(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
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
        g->since = guard_seconds();
        g->fresh = false;
        g->head = (struct head){ 0 };
        guard_timer(g, g->all->c.request_ms);
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
        guard_timer(g, g->all->c.request_ms);     /* should evhttp answer by itself, nobody else ends it */
    } else {
        refuse(g, in, out, rc, g->late ? "the request took too long" : g->head.why);
    }
    return BEV_OK;
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
