#include "plugins/http/chunk.h"

#include "plugins/http/guard.h"
#include "plugins/http/reply.h"
#include "plugins/http/server.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#define UNSENT_MAX (4u << 20)       /* bytes that wait for one client */

struct piece {
    struct piece *next;
    struct ec_req *r;
    void (*more)(void *arg);
    void *arg;
    uint32_t n;
    bool cut;
    char bytes[];
};

/* [loop] All has left, or nobody reads any more: the plugin may go on. */
static void tell(struct ec_req *r)
{
    void (*more)(void *arg) = r->more;

    __atomic_store_n(&r->unsent, 0, __ATOMIC_RELAXED);
    r->more = NULL;
    if (more)
        more(r->more_arg);
}

static void on_left(void *arg)
{
    tell(arg);
}

static void nobody_reads(struct ec_req *r)
{
    __atomic_store_n(&r->over, true, __ATOMIC_RELEASE);
}

static void finish(struct ec_req *r);

static void on_gone(void *arg)
{
    struct ec_req *r = arg;

    server_count(r->s, r->cut ? M_CUT : M_GONE, 1);
    r->guard = NULL;
    nobody_reads(r);
    if (r->cut)
        finish(r);
    else
        tell(r);
}

/* [loop] The headers. Of HEAD nothing more; a client that has left, or was answered with 503 meanwhile, gets none. */
static void begin(struct ec_req *r)
{
    const struct ec_route *t = r->match.route->r;

    r->begun = true;
    r->status = t->status ? t->status : 200;
    r->type = t->type ? t->type : "application/octet-stream";
    if (!r->http || !r->guard || !evhttp_request_get_connection(r->http) || r->head) {
        nobody_reads(r);
        return;
    }
    request_stream(r, NULL, NULL);
    guard_wait(r->guard, 0, NULL, on_gone, r);
    guard_left(r->guard, on_left, r);
}

/* [loop] The last piece: r is answered. */
static void finish(struct ec_req *r)
{
    struct text none = { 0 };

    r->more = NULL;
    if (!r->begun)
        begin(r);
    if (r->over) {
        request_bytes(r, r->status, r->type, &none);    /* HEAD; without a connection it only lets go */
        return;
    }
    guard_end_steady(r->guard);
    evhttp_send_reply_end(r->http);
    guard_push(r->guard);
    r->http = NULL;
    request_free(r);
}

/* [loop] The rest cannot be had. Closing ends in on_gone(). */
static void cut(struct ec_req *r)
{
    if (!r->begun) {
        request_error(r, 500, "Internal Server Error");
        return;
    }
    r->more = NULL;
    r->cut = true;
    if (r->over)
        finish(r);
    else
        guard_close(r->guard, GUARD_LEFT);
}

/* [loop] */
static void give(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg)
{
    if (!n) {
        finish(r);
        return;
    }
    if (!r->begun)
        begin(r);
    if (more) {
        r->more = more;
        r->more_arg = arg;
    }
    if (!r->over)
        request_push(r, p, n);
}

void chunk_take(struct server *s)
{
    struct piece *list, *next;

    pthread_mutex_lock(&s->lock);
    list = s->piece;
    s->piece = NULL;
    s->piece_end = &s->piece;
    pthread_mutex_unlock(&s->lock);
    for (; list; list = next) {
        struct ec_req *r = list->r;
        bool last = !list->n;

        next = list->next;
        if (list->cut)
            cut(r);
        else
            give(r, list->bytes, list->n, list->more, list->arg);
        if (!last && r->over)
            tell(r);
        free(list);
    }
}

/* To the loop, in order. */
static int32_t pass(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg, bool cut)
{
    struct server *s = r->s;
    struct piece *x = malloc(sizeof *x + n);

    if (!x)
        return EC_ENOMEM;
    *x = (struct piece){ .r = r, .more = more, .arg = arg, .n = n, .cut = cut };
    if (n)
        memcpy(x->bytes, p, n);
    pthread_mutex_lock(&s->lock);
    if (!s->piece)
        s->piece_end = &s->piece;
    *s->piece_end = x;
    s->piece_end = &x->next;
    pthread_mutex_unlock(&s->lock);
    event_active(s->wake, 0, 0);
    return EC_OK;
}

int32_t request_chunk(struct ec_req *r, const void *p, uint32_t n, void (*more)(void *arg), void *arg)
{
    bool here = reply_is_on_loop();

    if (!(r->match.route->r->flags & EC_RT_STREAM))
        return EC_EINVAL;
    if (n && here && !r->begun)
        begin(r);
    if (n && __atomic_load_n(&r->over, __ATOMIC_ACQUIRE))
        return EC_EEND;
    if (n && __atomic_load_n(&r->unsent, __ATOMIC_RELAXED) > UNSENT_MAX)
        return EC_EAGAIN;
    __atomic_add_fetch(&r->unsent, n, __ATOMIC_RELAXED);
    if (!here)
        return pass(r, p, n, more, arg, false);
    give(r, p, n, more, arg);
    return EC_OK;
}

int32_t request_cut(struct ec_req *r)
{
    if (!(r->match.route->r->flags & EC_RT_STREAM))
        return EC_EINVAL;
    if (!reply_is_on_loop())
        return pass(r, NULL, 0, NULL, NULL, true);
    cut(r);
    return EC_OK;
}
