#include "plugins/socketio/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SOCKETS_MAX 16u             /* namespaces that one client is in */
#define ROOMS_MAX 64u
#define CONNECT_S 45u               /* seconds in which it has to join one */

struct client {                     /* an Engine.IO session that speaks Socket.IO */
    struct client *next, **prev;
    struct server *s;
    struct ec_eio *eio;             /* NULL: it has ended */
    struct ec_sio *socket[SOCKETS_MAX];
    uint32_t sockets, age;          /* age: seconds without any */
    struct sio_packet pending;      /* waits for its attachments */
    struct ec_blob blob[SIO_BLOBS_MAX];
    uint32_t blobs;                 /* that have come; pending.blobs 0: nothing waits */
    size_t blob_bytes;
};

static struct client *clients;
static uint32_t walking;            /* walks over members that are under way */
static struct ec_sio *graveyard;    /* who left within one */

struct space *space_find(struct server *s, const char *name)
{
    for (uint32_t i = 0; i < s->spaces; i++)
        if (!strcmp(s->space[i].x->name, name))
            return &s->space[i];
    return NULL;
}

int32_t space_add(struct server *s, const struct ec_host *h, const struct ec_sio_space *x, void *self)
{
    if (!x || x->size < sizeof *x || !x->name || *x->name != '/' || strlen(x->name) > SIO_NAME_MAX || !x->event)
        return ec_failf(h, EC_EINVAL, "a namespace lacks its size, its name or its function event()");
    if (space_find(s, x->name))
        return ec_failf(h, EC_EEXIST, "there is a namespace %s already", x->name);
    if (s->spaces == SPACES_MAX)
        return ec_failf(h, EC_ELIMIT, "there are %u namespaces already", SPACES_MAX);
    s->space[s->spaces++] = (struct space){ .s = s, .x = x, .self = self };
    return EC_OK;
}

struct ec_eio *socket_session(const struct ec_sio *x)
{
    return x->client ? x->client->eio : NULL;
}

/* --- sending ------------------------------------------------------------------------------------------ */

static bool send_packet(struct client *c, struct text *t)
{
    struct frame *f = t->bad || !c->eio ? NULL : frame_new(false, "4", t->p, t->n);
    bool good = f && session_send(c->eio, f);

    frame_drop(f);
    text_free(t);
    return good;
}

static void put_event(struct text *t, const char *name, const char *args, size_t n)
{
    size_t skip = 1;

    while (skip < n && strchr(" \t\r\n", args[skip]))
        skip++;
    text_puts(t, "[");
    text_jsons(t, name);
    text_puts(t, skip < n && args[skip] == ']' ? "" : ",");
    text_add(t, args + skip, n - skip);
}

struct frame *socket_frame(const char *space, const char *name, const char *args, size_t n)
{
    struct text t = { 0 };
    struct frame *f = NULL;

    sio_head(&t, SIO_EVENT, space, 0, false, 0);
    put_event(&t, name, args, n);
    if (!t.bad)
        f = frame_new(false, "4", t.p, t.n);
    text_free(&t);
    return f;
}

static int32_t send_blobs(struct client *c, const struct ec_blob *blob, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct frame *f = c->eio ? frame_new(true, "", blob[i].p, blob[i].len) : NULL;
        bool good = f && session_send(c->eio, f);

        frame_drop(f);
        if (!good)
            return EC_ENOENT;
    }
    return EC_OK;
}

static size_t size_of(uint32_t n, const struct ec_blob *blob, uint32_t n_blob)
{
    size_t total = n;

    for (uint32_t i = 0; i < n_blob; i++)
        total += blob[i].len + FRAME_COST;
    return total;
}

int32_t socket_emit(struct ec_sio *x, const char *name, const char *args, uint32_t n, const struct ec_blob *blob,
                    uint32_t n_blob, uint32_t flags)
{
    struct client *c = x->client;
    struct text t = { 0 };

    if (!c || !c->eio)
        return EC_ENOENT;
    if (!sio_is_array(args, n) || n_blob > SIO_BLOBS_MAX || !text_utf8(name, strlen(name)))
        return EC_EINVAL;
    if (flags & EC_SIO_MAY_DROP && session_full(c->eio, size_of(n, blob, n_blob)))
        return EC_EAGAIN;
    sio_head(&t, n_blob ? SIO_BINARY_EVENT : SIO_EVENT, x->space->x->name, n_blob, false, 0);
    put_event(&t, name, args, n);
    return send_packet(c, &t) ? send_blobs(c, blob, n_blob) : EC_ENOENT;
}

int32_t socket_ack(struct ec_sio *x, uint64_t id, const char *args, uint32_t n, const struct ec_blob *blob,
                   uint32_t n_blob)
{
    struct client *c = x->client;
    struct text t = { 0 };

    if (!c || !c->eio)
        return EC_ENOENT;
    if (!sio_is_array(args, n) || n_blob > SIO_BLOBS_MAX)
        return EC_EINVAL;
    sio_head(&t, n_blob ? SIO_BINARY_ACK : SIO_ACK, x->space->x->name, n_blob, true, id);
    text_add(&t, args, n);
    return send_packet(c, &t) ? send_blobs(c, blob, n_blob) : EC_ENOENT;
}

/* --- rooms ---------------------------------------------------------------------------------------------- */

bool socket_in(const struct ec_sio *x, const char *room)
{
    for (uint32_t i = 0; i < x->rooms; i++)
        if (!strcmp(x->room[i], room))
            return true;
    return false;
}

int32_t socket_join(struct ec_sio *x, const char *room)
{
    if (socket_in(x, room))
        return EC_OK;
    if (x->rooms == ROOMS_MAX || strlen(room) >= sizeof x->room[0])
        return EC_ELIMIT;
    if (!x->room && !(x->room = calloc(ROOMS_MAX, sizeof x->room[0])))
        return EC_ENOMEM;
    strcpy(x->room[x->rooms++], room);
    return EC_OK;
}

int32_t socket_leave(struct ec_sio *x, const char *room)
{
    for (uint32_t i = 0; i < x->rooms; i++)
        if (!strcmp(x->room[i], room)) {
            if (i != --x->rooms)
                memcpy(x->room[i], x->room[x->rooms], sizeof x->room[0]);
            return EC_OK;
        }
    return EC_ENOENT;
}

/* Who leaves meanwhile stays readable until the walk is over. */
void space_each(struct space *sp, const char *room, void (*fn)(void *arg, struct ec_sio *x), void *arg)
{
    walking++;
    for (struct ec_sio *x = sp->list; x; x = x->next)
        if (x->client && (!room || socket_in(x, room)))
            fn(arg, x);
    if (--walking)
        return;
    while (graveyard) {
        struct ec_sio *x = graveyard;

        graveyard = x->grave;
        free(x);
    }
}

/* --- coming and going ------------------------------------------------------------------------------------ */

static struct ec_sio *socket_of(const struct client *c, const char *space)
{
    for (uint32_t i = 0; i < c->sockets; i++)
        if (!strcmp(c->socket[i]->space->x->name, space))
            return c->socket[i];
    return NULL;
}

/* Out of the lists, and its namespace is told. */
static void socket_remove(struct ec_sio *x)
{
    struct client *c = x->client;
    struct ec_sio **p = &x->space->list;

    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
    for (uint32_t i = 0; i < c->sockets; i++)
        if (c->socket[i] == x) {
            c->socket[i] = c->socket[--c->sockets];
            break;
        }
    if (!c->sockets)
        c->age = 0;
    x->client = NULL;
    if (x->space->x->left)
        x->space->x->left(x->space->self, x);
    free(x->room);
    x->room = NULL;
    x->rooms = 0;
    if (walking) {
        x->grave = graveyard;
        graveyard = x;
    } else {
        free(x);
    }
}

void socket_disconnect(struct ec_sio *x)
{
    struct client *c = x->client;
    struct text t = { 0 };

    if (!c || !x->entered)
        return;
    sio_head(&t, SIO_DISCONNECT, x->space->x->name, 0, false, 0);
    socket_remove(x);
    send_packet(c, &t);
}

static void say_error(struct client *c, const char *space, const char *why)
{
    struct text t = { 0 };

    server_count(c->s, M_DENIED, 1);
    sio_head(&t, SIO_CONNECT_ERROR, space, 0, false, 0);
    text_puts(&t, "{\"message\":");
    text_jsons(&t, why);
    text_puts(&t, "}");
    send_packet(c, &t);
}

static struct ec_sio *socket_new(struct client *c, struct space *sp)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct ec_sio *x = calloc(1, sizeof *x);
    unsigned char b[20];

    if (!x || getrandom(b, sizeof b, 0) != sizeof b) {
        free(x);
        return NULL;
    }
    for (unsigned i = 0; i < sizeof b; i++)
        x->id[i] = digits[b[i] & 63];
    x->client = c;
    x->space = sp;
    return x;
}

static void on_connect(struct client *c, const struct sio_packet *k)
{
    struct space *sp = space_find(c->s, k->space);
    char why[256] = "Not allowed";
    struct text t = { 0 };
    struct ec_sio *x;

    if (!sp || c->sockets == SOCKETS_MAX || socket_of(c, k->space)) {
        say_error(c, k->space, !sp ? "Invalid namespace" : "Already connected, or to too many namespaces");
        return;
    }
    if (!(x = socket_new(c, sp))) {
        say_error(c, k->space, "out of memory");
        return;
    }
    if (sp->x->connect && sp->x->connect(sp->self, x, k->args.p, (uint32_t)k->args.n, why, sizeof why) != EC_OK) {
        say_error(c, k->space, why);
        free(x);
        return;
    }
    x->entered = true;
    session_known(c->eio);
    c->socket[c->sockets++] = x;
    x->next = sp->list;
    sp->list = x;
    sio_head(&t, SIO_CONNECT, k->space, 0, false, 0);
    text_printf(&t, "{\"sid\":\"%s\"}", x->id);
    if (send_packet(c, &t) && sp->x->joined)
        sp->x->joined(sp->self, x, k->args.p, (uint32_t)k->args.n);
}

/* --- what comes in ------------------------------------------------------------------------------------------ */

static void forget_pending(struct client *c)
{
    for (uint32_t i = 0; i < c->blobs; i++)
        free((void *)(uintptr_t)c->blob[i].p);
    c->blobs = 0;
    c->blob_bytes = 0;
    sio_free(&c->pending);
    c->pending.blobs = 0;
}

static void malformed(struct client *c, const char *why)
{
    server_count(c->s, M_MALFORMED, 1);
    EC_LOG(c->s->host, EC_LOG_DEBUG, "a client at %s sent a bad packet: %s", c->eio->peer, why);
    session_close(c->eio, true);
}

/* A packet with all of its attachments. Who is in no such namespace (any more) is not heard. */
static void on_packet(struct client *c, const struct sio_packet *k)
{
    struct ec_sio *x = k->type == SIO_CONNECT ? NULL : socket_of(c, k->space);

    if (k->type == SIO_CONNECT) {
        on_connect(c, k);
    } else if (x && k->type == SIO_DISCONNECT) {
        socket_remove(x);
    } else if (x && (k->type == SIO_EVENT || k->type == SIO_BINARY_EVENT)) {
        const struct ec_sio_event e = {
            .size = sizeof e, .flags = k->has_id ? EC_SIO_ACK : 0, .name = k->name, .args = k->args.p,
            .args_len = (uint32_t)k->args.n, .n_blob = c->blobs, .blob_stride = sizeof c->blob[0], .blob = c->blob,
            .ack = k->id };

        x->space->x->event(x->space->self, x, &e);
    }
}

static void on_text(struct client *c, const char *p, size_t n)
{
    struct sio_packet k;
    const char *why = NULL;

    if (c->pending.blobs) {
        malformed(c, "text came where an attachment was due");
        return;
    }
    if (sio_read(&k, p, n, &why)) {
        malformed(c, why);
    } else if (k.blobs) {
        c->pending = k;
        return;
    } else {
        on_packet(c, &k);
    }
    sio_free(&k);
}

static void on_binary(struct client *c, const char *p, size_t n)
{
    void *copy = malloc(n ? n : 1);

    if (!c->pending.blobs || c->blob_bytes + n > c->s->c.max_payload || !copy) {
        free(copy);
        malformed(c, c->pending.blobs ? "the attachments of a packet are too large" : "nobody waits for an attachment");
        return;
    }
    memcpy(copy, p, n);
    c->blob[c->blobs++] = (struct ec_blob){ sizeof c->blob[0], (uint32_t)n, copy };
    c->blob_bytes += n;
    if (c->blobs == c->pending.blobs) {
        on_packet(c, &c->pending);
        if (c->eio)
            forget_pending(c);
    }
}

static int32_t eio_open(void *self, struct ec_eio *e)
{
    struct client *c = calloc(1, sizeof *c);

    if (!c)
        return EC_ENOMEM;
    c->s = self;
    c->eio = e;
    c->next = clients;
    if (c->next)
        c->next->prev = &c->next;
    c->prev = &clients;
    clients = c;
    e->data = c;
    return EC_OK;
}

static void client_free(struct client *c)
{
    forget_pending(c);
    free(c);
}

static void eio_message(void *self, struct ec_eio *e, uint32_t binary, const void *p, uint32_t n)
{
    struct client *c = e->data;

    (void)self;
    e->busy++;
    if (binary)
        on_binary(c, p, n);
    else
        on_text(c, p, n);
    if (!--e->busy && e->closed)
        client_free(c);
}

/* Within eio_message() it is freed when that is done. */
static void eio_closed(void *self, struct ec_eio *e)
{
    struct client *c = e->data;

    (void)self;
    c->eio = NULL;
    while (c->sockets)
        socket_remove(c->socket[0]);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (!e->busy)
        client_free(c);
}

void socket_beat(struct server *s)
{
    struct client *next;

    (void)s;
    for (struct client *c = clients; c; c = next) {
        next = c->next;
        if (!c->sockets && ++c->age > CONNECT_S)
            session_close(c->eio, true);
    }
}

const struct ec_eio_engine socket_engine = {
    sizeof socket_engine, 0, "/socket.io/", eio_open, eio_message, eio_closed };
