#include "plugins/http/guard_state.h"

#include <stdlib.h>

#define READ_MARGIN 65536u          /* bytes of the socket that may wait beyond one request */
#define WRITE_STEP 65536u           /* bytes that have to leave within write_ms */
#define LINGER_MS 1000u             /* a refused client's bytes are taken so long, else the reset hides the reply */

void guard_timer(struct guard *g, uint32_t ms)
{
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    evtimer_add(g->timer, &tv);
}

void guard_release(struct guard *g)
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
    guard_leave(arg);
}

/* evhttp has freed the filter. The socket is held by us until a refused client has read its reply. */
static void on_filter_gone(void *arg)
{
    struct guard *g = arg;

    if (!g->all) {
        free(g);
        return;
    }
    guards_forget_filter(g);
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
        guard_leave(g);
        return;
    }
    g->phase = LINGERING;
    bufferevent_setcb(g->socket, on_drained, NULL, on_lingered, g);
    bufferevent_enable(g->socket, EV_READ);
    guard_timer(g, LINGER_MS);
}

bool guard_abandoned(const struct guard *g)
{
    bufferevent_event_cb on_event = NULL;

    if (g->filter)
        bufferevent_getcb(g->filter, NULL, NULL, &on_event, NULL);
    return !on_event;
}

void guard_client(const struct guard *g, char to[TLS_NAME])
{
    *to = '\0';
    if (g->tls)
        tls_client(g->tls, to);
}

/* Later, in a clean stack: close it, go on writing, or look at bytes that came while the last request was handled. */
static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    struct guard *g = arg;

    (void)fd;
    (void)what;
    if (guard_abandoned(g))
        return;
    if (!g->arrived)
        guard_arrive(g);
    if (g->close) {
        bufferevent_trigger_event(g->filter, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
        return;
    }
    if (g->tls && !g->given && !guard_push_bytes(g, g->cipher))
        return;
    if (g->phase == STEADY && g->on_left && !guard_waiting(g)) {
        g->on_left(g->left_arg);
    } else if (g->phase == WRITING || g->phase == STEADY) {
        bufferevent_flush(g->filter, EV_WRITE, BEV_NORMAL);
        if (g->on_data)
            guard_stream_kick(g);
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
            guard_timer(g, g->all->c.write_ms);
            break;
        }
        g->end = GUARD_SLOW;
        g->late = true;
        event_active(g->kick, 0, 0);
        break;
    case HANDLING:
        if (g->on_late)
            g->on_late(g->arg);
        else if (!guard_abandoned(g))
            guard_close(g, GUARD_STUCK);
        break;
    case WRITING:
    case STEADY:
        if (guard_abandoned(g))
            break;
        if (!evbuffer_get_length(bufferevent_get_output(g->filter)) ||
            g->written >= (g->phase == STEADY ? 1 : WRITE_STEP)) {
            g->written = 0;
            guard_timer(g, g->all->c.write_ms);
        } else {
            guard_close(g, GUARD_STUCK);
        }
        break;
    case LINGERING:
        guard_leave(g);
        break;
    }
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

void guard_wait(struct guard *g, uint32_t ms, void (*late)(void *arg), void (*gone)(void *arg), void *arg)
{
    g->on_late = late;
    g->on_gone = gone;
    g->arg = arg;
    if (ms)
        guard_timer(g, ms);
    bufferevent_enable(g->filter, EV_READ);     /* guard_input() hands nothing over meanwhile; the end is heard */
}

void guard_wait_no_more(struct guard *g)
{
    g->on_late = g->on_gone = NULL;
    if (g->phase == HANDLING)
        event_del(g->timer);
}

int guard_fd(const struct guard *g)
{
    return bufferevent_getfd(g->socket);
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
    struct guard *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->all = all;
    g->spool = -1;
    g->fresh = true;
    g->since = guard_seconds();
    g->socket = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (g->socket && events_new(g, base) && tls_begin(g))
        g->filter = bufferevent_filter_new(g->socket, guard_input, guard_output,
                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS, on_filter_gone, g);
    if (!g->filter) {
        guard_release(g);
        free(g);
        return NULL;
    }
    bufferevent_incref(g->socket);
    bufferevent_setwatermark(g->socket, EV_READ, 0, all->c.limits.head + (size_t)all->c.body + 2 * READ_MARGIN);
    guard_timer(g, all->c.request_ms);
    event_active(g->kick, 0, 0);
    guards_add(all, g);
    return g->filter;
}
