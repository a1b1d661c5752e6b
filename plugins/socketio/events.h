/* events.h: the namespace of the daemon's events: who may come in, what they subscribe to, and what they miss. */
#ifndef SOCKETIO_EVENTS_H
#define SOCKETIO_EVENTS_H
#include "plugins/socketio/filter.h"
#include "plugins/socketio/orders.h"
#include "plugins/socketio/socket.h"

#include <stdatomic.h>

#define TOPICS_MAX 64u              /* that one client follows */
#define HELD_MAX 8192u              /* events that wait until a replay is over */

struct following { char type[64]; struct filter *filter; };
struct held { uint64_t id; struct frame *f; };
struct viewer {                     /* data of a socket of this namespace */
    struct events *all;
    struct ec_sio *x;
    struct ec_who who;
    char *token;                    /* NULL: by the local socket */
    struct following topic[TOPICS_MAX];
    uint32_t topics, jobs, replays; /* jobs: answers that other threads are at */
    struct held *held;
    uint32_t n_held;
    uint64_t lost;                  /* events since the last gap was told */
};

struct events {
    struct server *s;
    struct ec_sio_space x;
    struct space *space;
    uint32_t beats;
    _Atomic uint32_t wanted[512];   /* by topic: clients that follow it. [any] */
    uint32_t publishers;
    uint64_t *seq;                  /* the last of each publisher; of the bus's thread */
};

bool events_start(struct server *s);                    /* [ctl] */
void events_stop(struct server *s);
void events_on(struct server *s, const struct ec_event *ev);    /* [sub] of this plugin's own lane */
void events_beat(struct server *s);                     /* once a second */

/* For the requests of a client. */
void viewer_give(struct viewer *v, uint64_t id, struct frame *f);
/* The held events that the replay did not have, then live again. seen: sorted by id. */
struct old;
void viewer_release(struct viewer *v, const struct old *seen, uint32_t n);
bool viewer_follow(struct viewer *v, const char *type, struct filter *f);   /* false: too many */
bool viewer_unfollow(struct viewer *v, const char *type);
bool has_role(const char *have, const char *want);

#endif
