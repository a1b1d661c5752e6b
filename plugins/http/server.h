/* server.h: the HTTP server: what it listens on, whom it asks, what it serves. One for the plugin; after setup() all
 * of it belongs to the loop's thread, except where [any] stands. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
#include "plugins/http/asset.h"
#include "plugins/http/cors.h"
#include "plugins/http/guard.h"
#include "plugins/http/metrics.h"
#include "plugins/http/once.h"
#include "plugins/http/route.h"
#include "plugins/http/sdk.h"
#include "plugins/http/stream.h"

#include <pthread.h>

struct evconnlistener;

struct server_config {              /* the plugin's state of a generation; only read at the start */
    char listen[64], socket[108];   /* "": none */
    char redirect[64];              /* plain HTTP that only says where HTTPS is; "": none */
    bool socket_given;              /* else its place is the default, and a failure only a warning */
    uint32_t deadline_ms, stream_clients, streams_per_user;
    uint64_t stream_buffer, hsts_s; /* seconds of Strict-Transport-Security, 0: none */
    struct cors cors;
    char tls_cert[512], tls_key[512];   /* "": no TLS */
    char client_ca[512];            /* "": clients need no certificate */
    bool client_must;
    struct guard_config guard;
};

struct listener {
    struct evconnlistener *l;
    struct event *retry;            /* after descriptors ran out */
    bool off;
};

struct server {
    const struct ec_host *host;
    const struct ec_json *json;
    const struct ec_daemon *daemon;
    const struct ec_auth *auth;     /* NULL: only public routes and the local socket answer */
    const struct ec_store *store;   /* NULL: 503 where events are asked for */
    void *json_self, *daemon_self, *auth_self, *store_self;
    struct routes routes;
    struct assets assets;
    struct server_config c;
    struct event_base *base;
    struct evhttp *tcp, *local, *plain;     /* plain: of http.redirect */
    struct listener on_tcp, on_local, on_plain;
    struct guards guards, locals, plains;   /* apart, so that no crowd at one fills another */
    struct streams streams;
    struct ec_conn *conns;          /* taken over */
    struct text openapi;            /* and its ETag */
    char etag[40];
    pthread_mutex_t lock;           /* of done */
    struct ec_req *done;            /* answered on other threads, the newest first */
    struct catchup *caught;         /* what the pool has read for clients of the stream */
    struct piece *piece, **piece_end;   /* of chunk() on other threads, the oldest first */
    struct onces onces;
    uint32_t uploads;               /* files of bodies that are open */
    struct tls *tls;                /* of TCP; NULL: none */
    struct event *wake;
    uint32_t open;                  /* requests that wait for their reply, on the loop */
    bool stopping;
};

/* [ctl] 0, or EC_E* with a sentence: EC_EEXIST where the port is taken. */
int32_t server_start(struct server *s, char *why, uint32_t n);
void server_look(struct server *s);     /* every 15 s: is there a new certificate? */
void server_stop(struct server *s);     /* [ctl] the loop does not run any more */
static inline void server_count(const struct server *s, uint32_t metric, int64_t n)
{
    s->host->metric(s->host, metric, n);                                /* [any] */
}

#endif
