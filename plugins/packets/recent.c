#include "plugins/packets/packets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The next older packet of each ring. */
struct walker { uint64_t tail, next; bool there; struct ring_packet head; };

static void step(struct ring *r, struct walker *w)
{
    w->there = false;
    while (w->next > w->tail && !(w->there = ring_get(r, --w->next, &w->head, NULL, 0)))
        ;                           /* overwritten meanwhile: so are all before it, and the tail ends it */
}

static bool newer(uint64_t ts, uint64_t id, uint64_t than_ts, uint64_t than_id)
{
    return ts > than_ts || (ts == than_ts && id > than_id);
}

static uint32_t newest(const struct walker *w, uint32_t n)
{
    uint32_t best = n;

    for (uint32_t i = 0; i < n; i++)
        if (w[i].there && (best == n || newer(w[i].head.ts_ns, packet_id(i, w[i].head.seq), w[best].head.ts_ns,
                                               packet_id(best, w[best].head.seq))))
            best = i;
    return best;
}

static bool in_net(const struct recent *want, const uint8_t *a)
{
    uint32_t whole = want->prefix / 8, rest = want->prefix % 8;

    return !memcmp(a, want->net, whole) && (!rest || !((a[whole] ^ want->net[whole]) & (0xff00u >> rest & 0xff)));
}

static bool wanted(const struct recent *want, const struct layers *l)
{
    if (want->by_net && !(l->ip && (in_net(want, l->src) || in_net(want, l->dst))))
        return false;
    if (want->by_port && !(l->ports && (l->sport == want->port || l->dport == want->port)))
        return false;
    return !want->proto || !strcasecmp(want->proto, l->proto);
}

bool recent_get(struct packets *k, uint64_t id, uint8_t *data, struct packet *to)
{
    uint32_t worker = (uint32_t)(id % PACKETS_WORKERS);

    if (worker >= k->n_ring || !ring_get(&k->ring[worker], id / PACKETS_WORKERS, &to->head, data, RING_PACKET_MAX))
        return false;
    to->id = id;
    to->data = data;
    layers_read(&to->layers, to->head.linktype, data, to->head.caplen);
    return true;
}

void recent_each(struct packets *k, const struct recent *want, uint8_t *data, bool (*fn)(void *arg, struct packet *p),
                 void *arg)
{
    struct walker w[PACKETS_WORKERS];
    struct packet p;
    uint64_t id;
    uint32_t i;

    for (i = 0; i < k->n_ring; i++) {
        ring_range(&k->ring[i], &w[i].tail, &w[i].next);
        step(&k->ring[i], &w[i]);
    }
    while ((i = newest(w, k->n_ring)) < k->n_ring) {
        id = packet_id(i, w[i].head.seq);
        if (newer(want->before_ns, want->before_id, w[i].head.ts_ns, id) && recent_get(k, id, data, &p) &&
            wanted(want, &p.layers) && !fn(arg, &p))
            return;
        step(&k->ring[i], &w[i]);
    }
}

bool recent_net(struct recent *want, const char *text)
{
    char address[INET6_ADDRSTRLEN + 4], *slash, *end;
    unsigned long prefix;
    bool v4;

    if (strlen(text) >= sizeof address)
        return false;
    strcpy(address, text);
    if ((slash = strchr(address, '/')))
        *slash = '\0';
    v4 = !strchr(address, ':');
    memset(want->net, 0, sizeof want->net);
    if (v4)
        want->net[10] = want->net[11] = 0xff;
    if (inet_pton(v4 ? AF_INET : AF_INET6, address, want->net + (v4 ? 12 : 0)) != 1)
        return false;
    prefix = slash ? strtoul(slash + 1, &end, 10) : v4 ? 32 : 128;
    if (slash && (slash[1] < '0' || slash[1] > '9' || *end || prefix > (v4 ? 32 : 128)))
        return false;
    want->prefix = (uint32_t)prefix + (v4 ? 96 : 0);
    want->by_net = true;
    return true;
}
