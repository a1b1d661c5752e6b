#include "plugins/socketio/orders.h"

#include <event2/event.h>
#include <stdlib.h>

static struct order *take_all(struct server *s)
{
    struct order *list;

    pthread_mutex_lock(&s->lock);
    list = s->orders;
    s->orders = NULL;
    s->last = &s->orders;
    s->orders_bytes = 0;
    pthread_mutex_unlock(&s->lock);
    return list;
}

static void do_all(struct order *list, struct server *s)
{
    while (list) {
        struct order *o = list;

        list = o->next;
        o->done(s, o);
        free(o);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    do_all(take_all(arg), arg);
}

bool orders_start(struct server *s)
{
    s->last = &s->orders;
    s->wake = event_new(s->base, -1, EV_PERSIST, on_wake, s);
    return s->wake != NULL;
}

bool orders_post(struct server *s, struct order *o, bool forced)
{
    bool good;

    o->next = NULL;
    pthread_mutex_lock(&s->lock);
    good = s->wake && (forced || s->orders_bytes + o->bytes <= ORDERS_BYTES_MAX);
    if (good) {
        bool first = !s->orders;

        *s->last = o;
        s->last = &o->next;
        s->orders_bytes += o->bytes;
        if (first)
            event_active(s->wake, 0, 0);
    }
    pthread_mutex_unlock(&s->lock);
    return good;
}

void orders_stop(struct server *s)
{
    struct event *wake;

    pthread_mutex_lock(&s->lock);
    wake = s->wake;
    s->wake = NULL;
    pthread_mutex_unlock(&s->lock);
    do_all(take_all(s), NULL);
    if (wake)
        event_free(wake);
}
