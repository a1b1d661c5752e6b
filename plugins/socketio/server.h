/* server.h: what the parts of the plugin share. All of it belongs to the HTTP server's lane once it runs, except what
 * stands under the lock. */
#ifndef SOCKETIO_SERVER_H
#define SOCKETIO_SERVER_H
#include "plugins/socketio/frame.h"
#include "plugins/socketio/sdk.h"

#include <pthread.h>

#define ENGINES_MAX 8u
#define SPACES_MAX 32u
#define ORIGINS_MAX 32u

enum {
    M_SESSIONS, M_OPENED, M_UPGRADES, M_REFUSED, M_MALFORMED, M_TIMEOUTS, M_SLOW, M_PACKETS_IN, M_PACKETS_OUT,
    M_DENIED, M_EVENTS, M_DROPPED, M_MISSED,
    METRICS
};

struct config {                     /* the plugin's state of a generation; only read at the start */
    uint32_t ping_interval_ms, ping_timeout_ms, max_payload, sessions, replay;
    uint64_t buffer;
    char space[64];                 /* where the daemon's events are; "": nowhere */
    uint32_t origins;
    char origin[ORIGINS_MAX][128];
};

struct ec_eio;
struct engine {                     /* a path that Engine.IO is spoken at */
    struct server *s;
    const struct ec_eio_engine *x;
    const struct ec_host *host;
    void *self;
};
struct space {                      /* a namespace of Socket.IO */
    struct server *s;
    const struct ec_sio_space *x;
    void *self;
    struct ec_sio *list;
};
struct order;                       /* what another thread wants sent */

struct server {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_auth *auth;     /* NULL: only who comes by the local socket has a name */
    const struct ec_store *store;   /* NULL: nothing is replayed */
    const struct ec_json *json;
    const struct ec_capture *capture;   /* NULL: nothing that could capture */
    void *http_self, *auth_self, *store_self, *json_self, *capture_self;
    struct config c;
    struct event_base *base;        /* NULL: with --workers 0 nothing is served */
    struct engine engine[ENGINES_MAX];
    struct space space[SPACES_MAX];
    uint32_t engines, spaces, sessions, most;  /* most: sessions since memory was given back */
    struct ec_eio *index[1024], *dead;
    struct event *reap, *wake, *beat;
    pthread_mutex_t lock;
    struct order *orders, **last;   /* under the lock */
    uint64_t orders_bytes, orders_lost;     /* under the lock */
    struct events *events;          /* the daemon's namespace */
};

static inline void server_count(const struct server *s, uint32_t metric, int64_t n)
{
    s->host->metric(s->host, metric, n);                                /* [any] */
}

#endif
