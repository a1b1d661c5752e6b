/* net.h: the plugin, as its glue and its routes see it. */
#ifndef NETWORK_NET_H
#define NETWORK_NET_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/daemon.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/store.h>

#include <pthread.h>

#include "plugins/network/devices.h"
#include "plugins/network/series.h"

#define PROTOCOLS_MAX 64u           /* application protocols that are told apart */

enum { BY_TCP, BY_UDP, BY_ICMP, BY_OTHER, TRANSPORTS };
struct figures { uint64_t count[COUNTS], transport[TRANSPORTS], active; };      /* as the metrics have them */
struct by_app { uint32_t app; uint64_t flows, bytes; };         /* app: interned name; 0: not known */

struct net {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_store *store;
    const struct ec_daemon *daemon;
    void *http_self, *store_self, *daemon_self;
    uint32_t off_pkts, off_bytes;   /* of ec.flow/1; UINT32_MAX: it has no such rows */
    pthread_mutex_t lock;           /* of all below */
    uint64_t started_ns, since_ns;  /* since: the start, or the last reset */
    uint64_t alerts;
    struct figures now, base;       /* base: at `since` */
    struct devices devices;
    struct by_app app[PROTOCOLS_MAX];
    uint32_t apps;
    struct series series;
};

/* [any] Every figure of the daemon that we show. */
struct figures net_figures(struct net *n);
/* [ctl] setup() */
void net_routes(struct net *n);

#endif
