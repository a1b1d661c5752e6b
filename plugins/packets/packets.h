/* packets.h: the plugin as its files of glue share it. ring.c and layers.c are the engine and know nothing of plugins;
 * packets.c is the packet stage, recent.c finds packets in the rings of all workers, jobs.c writes captures, routes.c,
 * captures.c and download.c are the API. */
#ifndef PACKETS_PACKETS_H
#define PACKETS_PACKETS_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/http.h>
#include <ecyber/ext/stage.h>
#include <ecyber/ext/store.h>

#include "plugins/packets/jobs.h"
#include "plugins/packets/layers.h"
#include "plugins/packets/ring.h"

#define PACKETS_WORKERS 64u         /* workers beyond keep nothing */
#define PACKETS_KEEPERS "admin,operator"
#define PACKETS_WATCHERS "admin,operator,analyst"   /* roles: packets carry what people wrote to each other */

struct packets {
    const struct ec_host *host;
    const struct ec_http *http;
    const struct ec_store *store;
    void *store_self;
    uint32_t snap;                  /* bytes kept of each packet */
    uint32_t n_ring;
    struct ring ring[PACKETS_WORKERS];
    struct jobs jobs;
};

/* The id of a packet: which ring, and where in it. Below 2^53. */
static inline uint64_t packet_id(uint32_t worker, uint64_t seq) { return seq * PACKETS_WORKERS + worker; }

/* recent.c: packets of all rings, the newest first. [any] but the workers. */
struct recent {                     /* what is wanted */
    uint64_t before_ns, before_id;  /* older than this one; both UINT64_MAX: from the newest on */
    bool by_net, by_port;
    uint8_t net[16];                /* either side is in it; IPv4 mapped */
    uint32_t prefix;                /* of 128 bits */
    uint16_t port;                  /* either side's */
    const char *proto;              /* layers.proto in any case, NULL: any */
};
struct packet {                     /* one that was found, as it was when it was looked at */
    uint64_t id;
    struct ring_packet head;
    struct layers layers;
    uint8_t *data;                  /* of the finder: RING_PACKET_MAX bytes */
};
/* fn for each; false ends it. data: RING_PACKET_MAX bytes of scratch. */
void recent_each(struct packets *k, const struct recent *want, uint8_t *data, bool (*fn)(void *arg, struct packet *p),
                 void *arg);
bool recent_get(struct packets *k, uint64_t id, uint8_t *data, struct packet *to);
/* "192.0.2.1", "2001:db8::/32". false: it is no address or network. */
bool recent_net(struct recent *want, const char *text);

int32_t routes_setup(struct packets *k, void *http_self);      /* [ctl] routes.c */

#endif
