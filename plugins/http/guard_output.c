#include "plugins/http/guard_state.h"

#include <errno.h>

#define RECORD 16384u               /* plain bytes of a TLS record */

bool guard_push_bytes(struct guard *g, struct evbuffer *from)
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

/* Of `in`, one record after the other: its bytes stay in evhttp's buffer until the record has left. false: not all. */
static bool push_tls(struct guard *g, struct evbuffer *in)
{
    for (;;) {
        size_t n;

        if (!guard_push_bytes(g, g->cipher))
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

enum bufferevent_filter_result guard_output(struct evbuffer *in, struct evbuffer *out, ev_ssize_t limit,
                                                enum bufferevent_flush_mode mode, void *arg)
{
    struct guard *g = arg;

    (void)out;
    (void)limit;
    (void)mode;
    if (!evbuffer_get_length(in) || !(g->tls ? push_tls(g, in) : guard_push_bytes(g, in)))
        return BEV_NEED_MORE;
    if (g->on_left)
        event_active(g->kick, 0, 0);
    return BEV_OK;
}

size_t guard_waiting(const struct guard *g)
{
    return guard_abandoned(g) ? 0 : evbuffer_get_length(bufferevent_get_output(g->filter));
}

bool guard_write(struct guard *g, const void *p, size_t n)
{
    return !guard_abandoned(g) && !evbuffer_add(bufferevent_get_output(g->filter), p, n);
}

void guard_finish(struct guard *g)
{
    g->finish = true;
    if (!guard_waiting(g))
        guard_close(g, GUARD_LEFT);
}

void guard_stream_kick(struct guard *g)
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

static void on_complete(struct evhttp_request *r, void *arg)
{
    struct guard *g = arg;

    (void)r;
    guard_body_free(g);
    g->phase = WAITING;
    guard_timer(g, g->all->c.idle_ms);
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
        g->written = 0, guard_timer(g, g->all->c.write_ms);
    bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}

void guard_end_steady(struct guard *g)
{
    guard_wait_no_more(g);
    g->on_left = NULL;
    g->phase = WRITING;
    if (!guard_abandoned(g))
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}

void guard_left(struct guard *g, void (*left)(void *arg), void *arg)
{
    g->on_left = left;
    g->left_arg = arg;
}

void guard_push(struct guard *g)
{
    if (!guard_abandoned(g))
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
}
