#include "plugins/http/guard_state.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define CROWD 256u                  /* connections at once whose memory is worth giving back */

time_t guard_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static struct guard **slot(struct guards *all, const struct bufferevent *filter)
{
    return &all->index[((uintptr_t)filter >> 6) % (sizeof all->index / sizeof all->index[0])];
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

void guard_leave(struct guard *g)
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
    guard_body_free(g);
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

/* of: of this client; NULL: of any. */
static bool evict(struct guards *all, const struct crowd_client *of)
{
    struct guard *idle = NULL, *slow = NULL;
    time_t now = guard_seconds();

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

void guards_add(struct guards *all, struct guard *g)
{
    struct guard **p = slot(all, g->filter);

    g->chain = *p;
    *p = g;
    g->next = all->list;
    if (g->next)
        g->next->prev = g;
    all->list = g;
    all->on.opened(all->on.arg);
    if (++all->n > all->most)
        all->most = all->n;
    if (all->n >= all->c.connections && !all->full && !guard_evict(all))
        fill(all);
}

void guards_forget_filter(struct guard *g)
{
    struct guard **p = slot(g->all, g->filter);

    while (*p != g)
        p = &(*p)->chain;
    *p = g->chain;
    g->filter = NULL;
}

bool guard_peer(struct guard *g, uint8_t at[16])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    if (!g->named) {
        if (getpeername(guard_fd(g), (struct sockaddr *)&a, &len) ||
            (a.ss_family != AF_INET && a.ss_family != AF_INET6))
            return false;
        if (a.ss_family == AF_INET6) {
            memcpy(g->peer, &((const struct sockaddr_in6 *)(const void *)&a)->sin6_addr, 16);
        } else {
            memset(g->peer + 10, 0xff, 2);
            memcpy(g->peer + 12, &((const struct sockaddr_in *)(const void *)&a)->sin_addr, 4);
        }
        g->named = true;
    }
    memcpy(at, g->peer, 16);
    return true;
}

static bool is_loopback(const uint8_t at[16])
{
    const struct in6_addr *six = (const void *)at;

    return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && at[12] == 127);
}

void guard_arrive(struct guard *g)
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

/* Filters are freed with the loop, later than the server; what hangs on them then is the bare struct. */
void guards_free(struct guards *all)
{
    while (all->list) {
        struct guard *g = all->list;

        all->list = g->next;
        crowd_leave(&all->crowd, g->client);
        guard_body_free(g);
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
