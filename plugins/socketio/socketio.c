/* socketio: Socket.IO 5 over Engine.IO 4. This file is the glue: options, metrics, the service for other plugins, and
 * what happens when. */
#include "plugins/socketio/engine.h"
#include "plugins/socketio/events.h"
#include "plugins/socketio/orders.h"
#include "plugins/socketio/socket.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define KIB INT64_C(1024)

static const struct ec_row option_rows[] = {
    EC_OPTION(TEXT, 0, "namespace", "/", 1, 60, NULL, "where the daemon's events are; none: nowhere"),
    EC_OPTION(DURATION, 0, "ping_interval", "25s", SECOND / 10, 3600 * SECOND, NULL, "between two pings of a client"),
    EC_OPTION(DURATION, 0, "ping_timeout", "20s", SECOND / 20, 3600 * SECOND, NULL,
              "in which it has to answer, else it is gone"),
    EC_OPTION(SIZE, 0, "max_payload", "1000000", KIB, 64 * KIB * KIB, "bytes",
              "of one message, and of a POST (also bounded by http.body_max)"),
    EC_OPTION(U32, 0, "sessions", "512", 1, 100000, "clients", "at once"),
    EC_OPTION(SIZE, 0, "buffer", "1MiB", 64 * KIB, 64 * KIB * KIB, "bytes",
              "that may wait for one client; then its events are dropped, and it is told how many"),
    EC_OPTION(U32, 0, "replay", "1000", 0, 100000, "events", "that one `since` brings back at most"),
    EC_OPTION(TEXT, EC_R_LIST, "origins", NULL, 1, 127, NULL,
              "of pages that may connect beside the server's own, such as http://localhost:4000; *: all"),
};
static const struct ec_record options = EC_RECORD_OPTIONS(option_rows);

#define COUNTER(name, unit, help) { (uint32_t)sizeof(struct ec_metric), EC_METRIC_COUNTER, (name), (unit), (help) }
static const struct ec_metric metrics[METRICS] = {
    [M_SESSIONS] = { (uint32_t)sizeof(struct ec_metric), EC_METRIC_GAUGE, "sessions", "clients", "connected now" },
    [M_OPENED] = COUNTER("opened", "clients", "that connected"),
    [M_UPGRADES] = COUNTER("upgrades", "clients", "that went on from polling to WebSocket"),
    [M_REFUSED] = COUNTER("refused", "requests", "that fit no session, or were one too many"),
    [M_MALFORMED] = COUNTER("malformed", "packets", "that are none, each the end of its session"),
    [M_TIMEOUTS] = COUNTER("timeouts", "clients", "gone, because they did not answer a ping"),
    [M_SLOW] = COUNTER("slow", "clients", "sent away, because not even answers could wait for them any more"),
    [M_PACKETS_IN] = COUNTER("packets_in", "packets", "of Engine.IO that came"),
    [M_PACKETS_OUT] = COUNTER("packets_out", "packets", "of Engine.IO that were sent"),
    [M_DENIED] = COUNTER("denied", "connects", "to a namespace that were refused"),
    [M_EVENTS] = COUNTER("events", "events", "of the daemon sent to clients"),
    [M_DROPPED] = COUNTER("dropped", "events", "not sent, because the client did not read fast enough"),
    [M_MISSED] = COUNTER("missed", "events", "lost ahead of all clients: each is told"),
};

/* --- ec.socketio/1 --------------------------------------------------------------------------------------------- */

static int32_t add_space(void *self, const struct ec_host *h, const struct ec_sio_space *x, void *space_self)
{
    return space_add(self, h, x, space_self);
}

static int32_t add_engine(void *self, const struct ec_host *h, const struct ec_eio_engine *x, void *engine_self)
{
    return engine_add(self, h, x, engine_self);
}

static const char *socket_id(const struct ec_sio *x)
{
    return x->id;
}

static const char *socket_peer(const struct ec_sio *x)
{
    return socket_session(x) ? socket_session(x)->peer : "";
}

static const struct ec_who *socket_who(const struct ec_sio *x)
{
    return socket_session(x) && socket_session(x)->who.size ? &socket_session(x)->who : NULL;
}

static const char *socket_bearer(const struct ec_sio *x)
{
    return socket_session(x) ? socket_session(x)->bearer : NULL;
}

static void socket_set(struct ec_sio *x, void *data)
{
    x->data = data;
}

static void *socket_get(const struct ec_sio *x)
{
    return x->data;
}

struct call { struct order order; char space[SIO_NAME_MAX + 1], room[64]; bool in_room; char name[SIO_NAME_MAX + 1];
              uint32_t n; char args[]; };

static void call_one(void *arg, struct ec_sio *x)
{
    struct frame *f = arg;
    struct ec_eio *e = socket_session(x);

    if (e && !session_full(e, f->n))
        session_send(e, f);
    else if (e)
        server_count(e->s, M_DROPPED, 1);
}

static void call_done(struct server *s, struct order *o)
{
    struct call *c = (struct call *)o;
    const char *space = s && !*c->space ? s->c.space : c->space;
    struct space *sp = s ? space_find(s, space) : NULL;
    struct frame *f = sp && sio_is_array(c->args, c->n) ? socket_frame(space, c->name, c->args, c->n) : NULL;

    if (f)
        space_each(sp, c->in_room ? c->room : NULL, call_one, f);
    frame_drop(f);
}

static int32_t to_room(void *self, const char *space, const char *room, const char *name, const char *args, uint32_t n)
{
    struct call *c;

    if ((space && (!*space || strlen(space) >= sizeof c->space)) || strlen(name) >= sizeof c->name ||
        (room && strlen(room) >= sizeof c->room) || !text_utf8(name, strlen(name)))
        return EC_EINVAL;
    if (!(c = calloc(1, sizeof *c + n)))
        return EC_ENOMEM;
    c->order = (struct order){ .bytes = sizeof *c + n, .done = call_done };
    strcpy(c->space, space ? space : "");
    strcpy(c->name, name);
    strcpy(c->room, room ? room : "");
    c->in_room = room != NULL;
    c->n = n;
    memcpy(c->args, args, n);
    if (orders_post(self, &c->order, false))
        return EC_OK;
    free(c);
    return EC_EAGAIN;
}

static int32_t eio_send(struct ec_eio *e, uint32_t binary, const void *p, uint32_t n)
{
    struct frame *f;
    bool good;

    if (e->closed)
        return EC_ENOENT;
    if (!binary && !text_utf8(p, n))
        return EC_EINVAL;
    if (session_full(e, n))
        return EC_EAGAIN;
    if (!(f = frame_new(binary, binary ? "" : "4", p, n)))
        return EC_ENOMEM;
    good = session_send(e, f);
    frame_drop(f);
    return good ? EC_OK : EC_ENOENT;
}

static void eio_close(struct ec_eio *e)
{
    session_close(e, true);
}

static void eio_set(struct ec_eio *e, void *data)
{
    e->data = data;
}

static void *eio_get(const struct ec_eio *e)
{
    return e->data;
}

static const struct ec_socketio service = {
    .size = sizeof service, .space = add_space, .engine = add_engine, .emit = socket_emit, .ack = socket_ack,
    .disconnect = socket_disconnect, .id = socket_id, .peer = socket_peer, .who = socket_who, .bearer = socket_bearer,
    .set = socket_set, .get = socket_get, .join = socket_join, .leave = socket_leave, .to = to_room, .send = eio_send,
    .close = eio_close, .eio_set = eio_set, .eio_get = eio_get };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_SOCKETIO_ID, &service } };

static const struct ec_use uses[] = {
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_RUN, sizeof(struct ec_http), 0, EC_HTTP_ID },
    { sizeof(struct ec_use), EC_USE_SETUP, sizeof(struct ec_json), 0, EC_JSON_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_auth), 0, EC_AUTH_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_store), 0, EC_STORE_ID },
    { sizeof(struct ec_use), EC_USE_SETUP | EC_USE_OPTIONAL, sizeof(struct ec_capture), 0, EC_CAPTURE_ID },
};

/* --- the plugin's life ----------------------------------------------------------------------------------------- */

static int32_t plugin_create(const struct ec_host *h, void **self)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s)
        return h->fail(h, EC_ENOMEM, "out of memory");
    s->host = h;
    s->last = &s->orders;
    pthread_mutex_init(&s->lock, NULL);
    *self = s;
    return EC_OK;
}

static void on_event(void *self, const void *state, const struct ec_event *ev)
{
    (void)state;
    events_on(self, ev);
}

static int32_t plugin_setup(void *self)
{
    static const struct ec_sub everything = {
        .size = sizeof everything, .mode = EC_SUB_QUEUED, .capacity = 16384, .overflow = EC_OVF_DROP_OLD, .topic = "*",
        .fn = on_event,
    };
    struct server *s = self;
    const struct ec_host *h = s->host;
    int32_t err;

    s->http = h->use(h, EC_HTTP_ID, &s->http_self);
    s->json = h->use(h, EC_JSON_ID, &s->json_self);
    s->auth = h->use(h, EC_AUTH_ID, &s->auth_self);
    s->store = h->use(h, EC_STORE_ID, &s->store_self);
    s->capture = h->use(h, EC_CAPTURE_ID, &s->capture_self);
    if ((err = engine_add(s, h, &socket_engine, s)))
        return err;
    return h->subscribe(h, &everything);
}

static int64_t number(const struct ec_host *h, const struct ec_conf *c, const char *name)
{
    int64_t v = 0;

    h->conf_num(c, name, 0, &v);
    return v;
}

static int32_t plugin_configure(void *self, const struct ec_conf *c, void **state)
{
    struct server *s = self;
    const struct ec_host *h = s->host;
    struct config *o = calloc(1, sizeof *o);
    const char *space = h->conf_text(c, "namespace", 0);

    if (!o)
        return h->fail(h, EC_ENOMEM, "out of memory");
    if (space && strcmp(space, "none") != 0) {
        if (*space != '/' || strpbrk(space, ",?")) {
            free(o);
            return ec_failf(h, EC_EINVAL, "%s: socketio.namespace: '%s' is no namespace, such as / or /events",
                            h->conf_where(c, "namespace", 0), space);
        }
        strcpy(o->space, space);
    }
    o->ping_interval_ms = (uint32_t)(number(h, c, "ping_interval") / 1000000);
    o->ping_timeout_ms = (uint32_t)(number(h, c, "ping_timeout") / 1000000);
    o->max_payload = (uint32_t)number(h, c, "max_payload");
    o->sessions = (uint32_t)number(h, c, "sessions");
    o->buffer = (uint64_t)number(h, c, "buffer");
    o->replay = (uint32_t)number(h, c, "replay");
    for (uint32_t i = 0; i < h->conf_count(c, "origins"); i++) {
        if (i == ORIGINS_MAX) {
            free(o);
            return ec_failf(h, EC_EINVAL, "%s: socketio.origins: at most %u", h->conf_where(c, "origins", i),
                            ORIGINS_MAX);
        }
        strcpy(o->origin[o->origins++], h->conf_text(c, "origins", i));
    }
    *state = o;
    return EC_OK;
}

static void plugin_state_free(void *self, void *state)
{
    (void)self;
    free(state);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sessions_reap(arg);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    socket_beat(arg);
    events_beat(arg);
    sessions_beat(arg);
}

static void plugin_stop(void *self)
{
    struct server *s = self;

    if (!s->base)
        return;
    sessions_stop(s);
    orders_stop(s);
    events_stop(s);
    if (s->reap)
        event_free(s->reap);
    if (s->beat)
        event_free(s->beat);
    s->reap = s->beat = NULL;
    s->base = NULL;
}

static int32_t plugin_start(void *self, const void *state)
{
    static const struct timeval second = { 1, 0 };
    struct server *s = self;

    s->c = *(const struct config *)state;
    s->base = s->http->loop(s->http_self);
    if (!s->base)
        return EC_OK;
    s->reap = event_new(s->base, -1, 0, on_reap, s);
    s->beat = event_new(s->base, -1, EV_PERSIST, on_beat, s);
    if (!s->reap || !s->beat || event_add(s->beat, &second) || !orders_start(s) || !events_start(s)) {
        plugin_stop(s);
        return ec_failf(s->host, EC_EIO,
                        "it cannot start: out of memory, or the namespace %s (socketio.namespace) is taken", s->c.space);
    }
    return EC_OK;
}

static void plugin_destroy(void *self)
{
    struct server *s = self;

    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const struct ec_plugin socketio = {
    EC_PLUGIN_HEAD,
    .id = "ecyber.socketio",
    .name = "socketio",
    .version = "0.1.0",
    .summary = "real-time events over Socket.IO",
    .license = "MIT",
    .n_use = sizeof uses / sizeof uses[0],
    .use_stride = sizeof uses[0],
    .use = uses,
    .n_offer = 1,
    .offer_stride = sizeof offers[0],
    .offer = offers,
    .n_metric = METRICS,
    .metric_stride = sizeof metrics[0],
    .metric = metrics,
    .options = &options,
    .create = plugin_create,
    .setup = plugin_setup,
    .configure = plugin_configure,
    .state_free = plugin_state_free,
    .start = plugin_start,
    .stop = plugin_stop,
    .destroy = plugin_destroy,
};
EC_PLUGIN(socketio)
