#include "plugins/socketio/session.h"

#include <event2/event.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define UPGRADE_MS 10000u           /* from the second transport's beginning to its packet 5 */
#define BEARER_MAX 8192u
#define CROWD 128u                  /* sessions whose end is worth looking at memory */

static struct ec_eio **slot(struct server *s, const char *id)
{
    uint32_t h = 2166136261u;

    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 16777619u;
    return &s->index[h % (sizeof s->index / sizeof s->index[0])];
}

struct ec_eio *session_find(struct server *s, const struct engine *engine, const char *id)
{
    struct ec_eio *e = *slot(s, id);

    while (e && (strcmp(e->id, id) != 0 || e->engine != engine))
        e = e->chain;
    return e;
}

static void timer_set(struct event *t, uint32_t ms)
{
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    evtimer_add(t, &tv);
}

static size_t message_max(const struct ec_eio *e)
{
    return e->known || e->s->c.max_payload < SESSION_FREE ? e->s->c.max_payload : SESSION_FREE;
}

void session_known(struct ec_eio *e)
{
    e->known = true;
    if (e->main)
        websocket_max(e->main, message_max(e));
    if (e->probe)
        websocket_max(e->probe, message_max(e));
}

/* --- what goes out ------------------------------------------------------------------------------ */

static void reply(struct ec_eio *e, const void *p, size_t n)
{
    struct ec_req *r = e->poll;

    e->poll = NULL;
    e->s->http->bytes(r, 200, "text/plain; charset=UTF-8", p, n);
}

static void put_packet(struct text *t, const struct frame *f)
{
    if (t->n)
        text_add(t, (char[]){ EIO_SEPARATOR }, 1);
    if (f->binary) {
        text_puts(t, "b");
        eio_base64(t, f->p, f->n);
    } else {
        text_add(t, f->p, f->n);
    }
}

static void flush_poll(struct ec_eio *e)
{
    struct text t = { 0 };
    uint32_t n = 0;

    while (e->out.n && n < EIO_PACKETS_MAX && (!n || t.n < e->s->c.max_payload)) {
        struct frame *f = frames_take(&e->out);

        put_packet(&t, f);
        frame_drop(f);
        n++;
    }
    server_count(e->s, M_PACKETS_OUT, n);
    if (t.bad)
        session_close(e, true);
    else
        reply(e, t.p, t.n);
    text_free(&t);
}

/* Frames go to the connection at once: what waits there is the server's own buffer. */
static void flush(struct ec_eio *e)
{
    struct frame *f;

    if (e->polling) {
        if (e->poll && e->out.n)
            flush_poll(e);
        return;
    }
    while (e->main && (f = frames_take(&e->out))) {
        bool sent = websocket_send(e->main, f->binary, f->p, f->n);

        frame_drop(f);
        server_count(e->s, M_PACKETS_OUT, 1);
        if (!sent) {
            session_close(e, false);
            return;
        }
    }
}

size_t session_waiting(const struct ec_eio *e)
{
    return e->out.bytes + (e->main ? websocket_waiting(e->main) : 0);
}

bool session_full(const struct ec_eio *e, size_t more)
{
    return session_waiting(e) + more + FRAME_COST > e->s->c.buffer;
}

bool session_stuck(const struct ec_eio *e, size_t more)
{
    return session_waiting(e) + more > 2 * e->s->c.buffer + 2 * e->s->c.max_payload;
}

bool session_send(struct ec_eio *e, struct frame *f)
{
    if (e->closed)
        return false;
    if (session_stuck(e, f->n) || !frames_put(&e->out, f)) {
        server_count(e->s, M_SLOW, 1);
        session_close(e, false);
        return false;
    }
    flush(e);
    return !e->closed;
}

static bool send_text(struct ec_eio *e, const char *packet)
{
    struct frame *f = frame_new(false, "", packet, strlen(packet));
    bool good = f && session_send(e, f);

    frame_drop(f);
    return good;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void drop_socket(struct ec_eio *e, struct websocket **w, unsigned code)
{
    if (!*w)
        return;
    if (code)
        websocket_close(*w, code);
    e->gone[e->gone[0] != NULL] = *w;
    *w = NULL;
}

void session_close(struct ec_eio *e, bool say)
{
    struct server *s = e->s;
    struct ec_eio **p = slot(s, e->id);

    if (e->closed)
        return;
    e->closed = true;
    while (*p != e)
        p = &(*p)->chain;
    *p = e->chain;
    s->host->gauge(s->host, M_SESSIONS, --s->sessions);
    event_del(e->timer);
    event_del(e->probe_timer);
    if (e->poll)
        reply(e, say ? "1" : "6", 1);
    drop_socket(e, &e->main, 1000);
    drop_socket(e, &e->probe, 1000);
    frames_free(&e->out);
    if (e->engine)
        e->engine->x->closed(e->engine->self, e);
    e->next = s->dead;
    s->dead = e;
    event_active(s->reap, 0, 0);
}

static void session_free(struct ec_eio *e)
{
    for (unsigned i = 0; i < 2; i++)
        if (e->gone[i])
            websocket_reap(e->gone[i]);
    if (e->timer)
        event_free(e->timer);
    if (e->probe_timer)
        event_free(e->probe_timer);
    frames_free(&e->out);
    free(e->bearer);
    free(e);
}

/* The memory of a crowd goes back to the system up to a second after hardly anybody of it is left, when its connections
 * are gone, too; malloc would keep what lies between the rest. */
void sessions_beat(struct server *s)
{
    if (s->most < CROWD || s->sessions > s->most / 16)
        return;
    s->most = s->sessions;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void sessions_reap(struct server *s)
{
    while (s->dead) {
        struct ec_eio *e = s->dead;

        s->dead = e->next;
        session_free(e);
    }
}

void sessions_stop(struct server *s)
{
    for (unsigned i = 0; i < sizeof s->index / sizeof s->index[0]; i++)
        while (s->index[i])
            session_close(s->index[i], true);
    sessions_reap(s);
}

/* --- pings ------------------------------------------------------------------------------------------ */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct ec_eio *e = arg;

    (void)fd;
    (void)what;
    if (e->awaits_pong) {
        server_count(e->s, M_TIMEOUTS, 1);
        session_close(e, true);
        return;
    }
    e->awaits_pong = true;
    timer_set(e->timer, e->s->c.ping_timeout_ms);
    send_text(e, "2");
}

static void on_pong(struct ec_eio *e)
{
    e->awaits_pong = false;
    timer_set(e->timer, e->s->c.ping_interval_ms);
}

/* --- what comes in ----------------------------------------------------------------------------------- */

static void malformed(struct ec_eio *e)
{
    server_count(e->s, M_MALFORMED, 1);
    session_close(e, true);
}

static void on_packet(struct ec_eio *e, const struct eio_packet *k)
{
    server_count(e->s, M_PACKETS_IN, 1);
    switch (k->type) {
    case EIO_MESSAGE:
        e->engine->x->message(e->engine->self, e, k->binary, k->p, (uint32_t)k->n);
        break;
    case EIO_PONG:
        on_pong(e);
        break;
    case EIO_CLOSE:
        session_close(e, false);
        break;
    case EIO_NOOP:
        break;
    case EIO_OPEN:
    case EIO_PING:
    case EIO_UPGRADE:
        malformed(e);
        break;
    }
}

void session_post(struct ec_eio *e, struct ec_req *r)
{
    const struct ec_raw *raw = e->s->http->raw(r);
    const char *p = raw->body, *end = p + raw->len;
    struct text room = { 0 };
    struct eio_packet k;
    int rc = 1;

    if (raw->len > message_max(e)) {
        e->s->http->error(r, 413, "the body is too large");
        return;
    }
    while (!e->closed && (rc = eio_next(&k, &p, end, &room)) == 1)
        on_packet(e, &k);
    text_free(&room);
    if (rc < 0) {
        malformed(e);
        e->s->http->bytes(r, 400, "application/json", "{\"code\":3,\"message\":\"Bad request\"}", 34);
        return;
    }
    e->s->http->bytes(r, 200, "text/html", "ok", 2);
}

static void on_poll_gone(void *arg)
{
    struct ec_eio *e = arg;

    session_close(e, false);        /* which replies, so that the request can go */
}

void session_poll(struct ec_eio *e, struct ec_req *r)
{
    if (e->poll) {                  /* two at once: nobody knows which of them has the packets */
        server_count(e->s, M_MALFORMED, 1);
        session_close(e, true);
        e->s->http->bytes(r, 400, "application/json", "{\"code\":3,\"message\":\"Bad request\"}", 34);
        return;
    }
    e->poll = r;
    e->s->http->watch(r, on_poll_gone, e);
    if (e->out.n)
        flush_poll(e);
    else if (e->probed)
        reply(e, "6", 1);
}

static void on_message(void *arg, bool binary, const char *p, size_t n)
{
    struct ec_eio *e = arg;
    struct eio_packet k = { .type = EIO_MESSAGE, .binary = true, .p = p, .n = n };

    if (e->closed)
        return;
    if (!binary && eio_text(&k, p, n))
        malformed(e);
    else
        on_packet(e, &k);
}

static void on_drained(void *arg)
{
    struct ec_eio *e = arg;

    if (!e->closed)
        flush(e);
}

static void on_closed(void *arg)
{
    struct ec_eio *e = arg;

    drop_socket(e, &e->main, 0);
    session_close(e, false);
}

static const struct websocket_ops main_ops = { on_message, on_drained, on_closed };

/* --- the upgrade: a second transport, which becomes the first one ------------------------------------- */

static void probe_end(struct ec_eio *e, unsigned code)
{
    event_del(e->probe_timer);
    drop_socket(e, &e->probe, code);
    e->probed = false;
}

static void probe_wins(struct ec_eio *e)
{
    event_del(e->probe_timer);
    e->main = e->probe;
    e->probe = NULL;
    e->probed = e->polling = false;
    server_count(e->s, M_UPGRADES, 1);
    if (e->poll)
        reply(e, "6", 1);
    flush(e);
}

static void on_probe_message(void *arg, bool binary, const char *p, size_t n)
{
    struct ec_eio *e = arg;

    if (e->main) {                  /* it has won */
        on_message(arg, binary, p, n);
    } else if (!e->probe) {
        return;
    } else if (!binary && !e->probed && n == 6 && !memcmp(p, "2probe", 6)) {
        websocket_send(e->probe, false, "3probe", 6);
        e->probed = true;
        if (e->poll)
            reply(e, "6", 1);
    } else if (!binary && e->probed && n == 1 && *p == '5') {
        probe_wins(e);
    } else {
        server_count(e->s, M_MALFORMED, 1);
        probe_end(e, 1002);
    }
}

static void on_probe_closed(void *arg)
{
    struct ec_eio *e = arg;

    if (e->main)
        on_closed(arg);
    else
        probe_end(e, 0);
}

static const struct websocket_ops probe_ops = { on_probe_message, on_drained, on_probe_closed };

static void on_probe_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    probe_end(arg, 1008);
}

static void ignore_message(void *arg, bool binary, const char *p, size_t n)
{
    (void)arg;
    (void)binary;
    (void)p;
    (void)n;
}

static void ignore(void *arg)
{
    (void)arg;
}

/* The protocol wants the handshake to succeed and the WebSocket to be closed, where its session has one already. */
static void turn_away(struct server *s, struct ec_req *r)
{
    static const struct websocket_ops nothing = { ignore_message, NULL, ignore };
    struct websocket *w = websocket_open(s->http, r, 1, &nothing, NULL);

    server_count(s, M_REFUSED, 1);
    if (!w) {
        s->http->bytes(r, 400, "application/json", "{\"code\":3,\"message\":\"Bad request\"}", 34);
        return;
    }
    websocket_close(w, 1008);
    websocket_reap(w);
}

void session_upgrade(struct ec_eio *e, struct ec_req *r)
{
    if (!e->polling || e->probe || e->gone[0]) {
        turn_away(e->s, r);
        return;
    }
    e->probe = websocket_open(e->s->http, r, message_max(e), &probe_ops, e);
    if (!e->probe) {
        e->s->http->bytes(r, 400, "application/json", "{\"code\":3,\"message\":\"Bad request\"}", 34);
        return;
    }
    timer_set(e->probe_timer, UPGRADE_MS);
}

/* --- the beginning ------------------------------------------------------------------------------------ */

static bool new_id(char id[24])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char b[20];

    if (getrandom(b, sizeof b, 0) != sizeof b)
        return false;
    for (unsigned i = 0; i < sizeof b; i++)
        id[i] = digits[b[i] & 63];
    id[sizeof b] = '\0';
    return true;
}

static struct ec_eio *session_new(struct engine *engine, struct ec_req *r)
{
    struct server *s = engine->s;
    struct ec_eio *e = calloc(1, sizeof *e);
    const struct ec_who *who = s->http->who(r);
    const char *bearer = s->http->header(r, "Authorization");

    if (!e)
        return NULL;
    e->s = s;
    e->timer = evtimer_new(s->base, on_timer, e);
    e->probe_timer = evtimer_new(s->base, on_probe_timer, e);
    strncpy(e->peer, s->http->peer(r), sizeof e->peer - 1);
    if (who && who->flags & EC_WHO_LOCAL)
        e->who = *who;
    if (bearer && !strncasecmp(bearer, "Bearer ", 7) && strlen(bearer) < BEARER_MAX)
        e->bearer = strdup(bearer + 7 + strspn(bearer + 7, " "));
    if (!e->timer || !e->probe_timer || !new_id(e->id)) {
        session_free(e);
        return NULL;
    }
    return e;
}

/* It is one of them; the engine may not want it. */
static void session_enter(struct ec_eio *e, struct engine *engine)
{
    struct server *s = e->s;
    struct ec_eio **p = slot(s, e->id);
    char hello[256];

    e->chain = *p;
    *p = e;
    s->host->gauge(s->host, M_SESSIONS, ++s->sessions);
    s->most = s->sessions > s->most ? s->sessions : s->most;
    server_count(s, M_OPENED, 1);
    snprintf(hello, sizeof hello,
             "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,\"maxPayload\":%u}", e->id,
             e->polling ? "\"websocket\"" : "", s->c.ping_interval_ms, s->c.ping_timeout_ms, s->c.max_payload);
    timer_set(e->timer, s->c.ping_interval_ms);
    if (!send_text(e, hello))
        return;
    if (engine->x->open(engine->self, e) != EC_OK)
        session_close(e, true);
    else if (!e->closed)
        e->engine = engine;
    if (e->engine && engine->self != s)
        session_known(e);           /* another plugin's: its open() has judged */
}

void session_begin(struct engine *engine, struct ec_req *r, bool websocket)
{
    struct server *s = engine->s;
    struct ec_eio *e = s->sessions < s->c.sessions ? session_new(engine, r) : NULL;

    if (!e) {
        server_count(s, M_REFUSED, 1);
        s->http->set_header(r, "Retry-After", "30");
        s->http->error(r, 503, "too many clients are connected already (socketio.sessions)");
        return;
    }
    e->polling = !websocket;
    if (websocket) {
        e->main = websocket_open(s->http, r, message_max(e), &main_ops, e);
        if (!e->main) {
            session_free(e);
            s->http->error(r, 503, "the connection could not be taken over");
            return;
        }
    } else {
        e->poll = r;
    }
    session_enter(e, engine);
}
