#include "plugins/http/upgrade.h"

#include "plugins/http/guard.h"
#include "plugins/http/reply.h"
#include "plugins/http/request.h"
#include "plugins/http/server.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

struct ec_conn {
    struct ec_conn *next, **prev;
    struct ec_req *r;
    const struct ec_conn_ops *ops;  /* NULL: its owner has closed it */
    void *arg;
};

const struct ec_raw *upgrade_raw(struct ec_req *r)
{
    r->as_raw = (struct ec_raw){ .size = sizeof r->as_raw, .len = (uint32_t)r->raw.n, .method = r->method,
                                 .query = r->query, .body = r->raw.n ? r->raw.p : "" };
    r->as_raw.path = r->path;
    return &r->as_raw;
}

int32_t upgrade_bytes(struct ec_req *r, uint32_t status, const char *type, const void *p, uint64_t n)
{
    struct text t = { 0 };

    text_add(&t, p, n);
    if (type && request_set_header(r, "Content-Type", type) != EC_OK)
        t.bad = true;
    return request_bytes(r, status, NULL, &t);
}

int32_t upgrade_watch(struct ec_req *r, void (*gone)(void *arg), void *arg)
{
    r->left = gone;
    r->left_arg = arg;
    return EC_OK;
}

static void conn_free(struct ec_conn *c)
{
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    request_free(c->r);
    free(c);
}

static void on_data(void *arg, const void *p, size_t n)
{
    struct ec_conn *c = arg;

    if (c->ops)
        c->ops->data(c->arg, p, (uint32_t)n);
}

static void on_drained(void *arg)
{
    struct ec_conn *c = arg;

    if (c->ops && c->ops->drained)
        c->ops->drained(c->arg);
}

static void on_gone(void *arg)
{
    struct ec_conn *c = arg;
    const struct ec_conn_ops *ops = c->ops;

    c->ops = NULL;
    if (ops)
        ops->closed(c->arg);
    evhttp_send_reply(c->r->http, 500, NULL, NULL);     /* it has no connection: this frees it */
    conn_free(c);
}

/* RFC 9110 §15.2.2 */
static bool say_switching(struct ec_req *r, const char *protocol)
{
    struct text t = { 0 };
    bool good;

    text_puts(&t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ");
    text_puts(&t, protocol);
    for (const char *p = r->set.p, *end = p + r->set.n; p && p < end; ) {
        const char *value = p + strlen(p) + 1;

        text_puts(&t, "\r\n");
        text_puts(&t, p);
        text_puts(&t, ": ");
        text_puts(&t, value);
        p = value + strlen(value) + 1;
    }
    text_puts(&t, "\r\n\r\n");
    good = !t.bad && guard_write(r->guard, t.p, t.n);
    text_free(&t);
    return good;
}

int32_t upgrade_take(struct ec_req *r, const char *protocol, const struct ec_conn_ops *ops, void *arg,
                     struct ec_conn **conn)
{
    struct server *s = r->s;
    struct ec_conn *c;

    if (!protocol || !ops || ops->size < sizeof *ops || !ops->data || !ops->closed ||
        !(r->match.route->r->flags & EC_RT_RAW))
        return EC_EINVAL;
    if (!r->http || !r->guard || !evhttp_request_get_connection(r->http))
        return EC_ENOENT;
    if (!(c = calloc(1, sizeof *c)))
        return EC_ENOMEM;
    c->r = r;
    c->ops = ops;
    c->arg = arg;
    c->next = s->conns;
    if (c->next)
        c->next->prev = &c->next;
    c->prev = &s->conns;
    s->conns = c;
    guard_take(r->guard, on_data, on_drained, on_gone, c);
    server_count(s, M_UPGRADED, 1);
    *conn = c;
    if (!say_switching(r, protocol))
        guard_close(r->guard, GUARD_LEFT);      /* and closed() tells it */
    return EC_OK;
}

int32_t upgrade_write(struct ec_conn *c, const void *p, uint32_t n)
{
    return guard_write(c->r->guard, p, n) ? EC_OK : EC_ENOMEM;
}

uint64_t upgrade_waiting(const struct ec_conn *c)
{
    return guard_waiting(c->r->guard);
}

void upgrade_close(struct ec_conn *c)
{
    c->ops = NULL;
    guard_finish(c->r->guard);
}

void upgrade_stop(struct server *s)
{
    while (s->conns) {
        guard_wait_no_more(s->conns->r->guard);
        conn_free(s->conns);
    }
}
