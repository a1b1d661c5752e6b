#include "plugins/capture/interfaces.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READERS   "admin,operator,analyst,viewer"
#define NAMES_MAX 512u
#define ADDRESSES 32u               /* of one interface; more are counted */

enum { RX_BYTES, RX_PACKETS, RX_ERRORS, RX_DROPS, TX_BYTES, TX_PACKETS, TX_ERRORS, TX_DROPS, COUNTERS };
#define COUNTER_ROWS(type) \
    EC_FIELD(U64, 0, type, n[RX_BYTES], "rx_bytes", "bytes", "received, since the interface is there"), \
    EC_FIELD(U64, 0, type, n[RX_PACKETS], "rx_packets", "packets", "received"), \
    EC_FIELD(U64, 0, type, n[RX_ERRORS], "rx_errors", "packets", "received damaged"), \
    EC_FIELD(U64, 0, type, n[RX_DROPS], "rx_drops", "packets", "received and dropped"), \
    EC_FIELD(U64, 0, type, n[TX_BYTES], "tx_bytes", "bytes", "sent"), \
    EC_FIELD(U64, 0, type, n[TX_PACKETS], "tx_packets", "packets", "sent"), \
    EC_FIELD(U64, 0, type, n[TX_ERRORS], "tx_errors", "packets", "that could not be sent"), \
    EC_FIELD(U64, 0, type, n[TX_DROPS], "tx_drops", "packets", "dropped unsent"), \
    EC_FIELD(BOOL, 0, type, captured, "captured", NULL, "packets of it are looked at")

struct address { uint8_t ip[16]; uint32_t prefix, pad; };
static const struct ec_row address_rows[] = {
    EC_FIELD(IP, 0, struct address, ip, "ip", NULL, "its address"),
    EC_FIELD(U32, 0, struct address, prefix, "prefix", "bits", "of its network"),
};
static const struct ec_record address_record = EC_RECORD_ELEMENT(struct address, address_rows);

struct item {
    struct ec_span name;
    uint64_t n[COUNTERS], speed, has;
    uint32_t index, mtu;
    struct ec_list addresses;
    uint8_t up, loopback, captured, mac[6], pad[7];
};
enum { HAS_SPEED, HAS_MAC, HAS_ADDRESSES };
static const struct ec_row item_rows[] = {
    EC_FIELD(WIRE, 0, struct item, name, "name", NULL, "of the interface"),
    EC_FIELD(U32, 0, struct item, index, "index", NULL, "its number in the kernel"),
    EC_FIELD(BOOL, 0, struct item, up, "is_up", NULL, "it is switched on and has a link"),
    EC_FIELD(BOOL, 0, struct item, loopback, "loopback", NULL, "it leads to this machine alone"),
    EC_FIELD_OPT(U64, 0, HAS_SPEED, struct item, speed, "speed", "Mbit/s", "of the link; absent: not known"),
    EC_FIELD(U32, 0, struct item, mtu, "mtu", "bytes", "of a packet at most"),
    EC_FIELD_OPT(MAC, 0, HAS_MAC, struct item, mac, "mac", NULL, "its hardware address"),
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, HAS_ADDRESSES, 0, offsetof(struct item, addresses), "addresses",
      &address_record, NULL, NULL, NULL, "the first 32 of them", 0, 0 },
    COUNTER_ROWS(struct item),
};
static const struct ec_record item_record = {
    sizeof(struct ec_record), sizeof(struct item), EC_ROWS(item_rows), offsetof(struct item, has), 0, item_rows };
struct list_reply { struct ec_part part; uint64_t over; struct ec_list items; };
static const struct ec_row list_rows[] = {
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, offsetof(struct list_reply, items), "items", &item_record, NULL,
      NULL, NULL, "in the order of their numbers", 0, 0 },
    EC_FIELD(U64, 0, struct list_reply, over, "over", "interfaces", "that are too many to show"),
};
static const struct ec_record list_record = EC_RECORD_PART(struct list_reply, list_rows);

struct name_param { struct ec_part part; struct ec_span name; };
static const struct ec_row name_rows[] = {
    { EC_T_TEXT, 0, 0, 0, offsetof(struct name_param, name), "name", NULL, NULL, NULL, NULL, "of an interface", 1,
      IFNAMSIZ - 1 },
};
static const struct ec_record name_record = EC_RECORD_PART(struct name_param, name_rows);
struct stats_reply { struct ec_part part; uint64_t time, n[COUNTERS]; struct ec_span name; uint8_t captured, pad[7]; };
static const struct ec_row stats_rows[] = {
    EC_FIELD(WIRE, 0, struct stats_reply, name, "name", NULL, "of the interface"),
    EC_FIELD(TIME, 0, struct stats_reply, time, "time", NULL, "when it was looked at"),
    COUNTER_ROWS(struct stats_reply),
};
static const struct ec_record stats_record = EC_RECORD_PART(struct stats_reply, stats_rows);

/* --- which are captured on --- */
void interfaces_live(struct interfaces *i, const char *name, int32_t by)
{
    uint32_t k, empty = LIVE_MAX;

    pthread_mutex_lock(&i->lock);
    for (k = 0; k < LIVE_MAX && (!i->live[k].sources || strcmp(i->live[k].name, name)); k++)
        if (!i->live[k].sources && empty == LIVE_MAX)
            empty = k;
    if (k == LIVE_MAX && by > 0 && empty < LIVE_MAX)
        snprintf(i->live[k = empty].name, sizeof i->live[0].name, "%s", name);
    if (k < LIVE_MAX)
        i->live[k].sources += (uint32_t)by;
    pthread_mutex_unlock(&i->lock);
}

/* By every worker: before, packets are not looked at yet. */
static uint8_t captured(struct interfaces *i, const char *name)
{
    uint32_t workers = i->host->workers(i->host);
    uint8_t found = 0;

    pthread_mutex_lock(&i->lock);
    for (uint32_t k = 0; k < LIVE_MAX; k++)
        found |= i->live[k].sources >= (workers ? workers : 1) && (!strcmp(i->live[k].name, name) || !strcmp(i->live[k].name, "any"));
    pthread_mutex_unlock(&i->lock);
    return found;
}

/* --- what the kernel says: of the engine's own namespace, which /sys need not be of --- */
struct counted { char name[IFNAMSIZ]; uint64_t n[COUNTERS]; };

/* "  name: 8 numbers received, 8 sent". false: it is no such line. */
static bool line_read(const char *line, struct counted *to)
{
    uint64_t v[16];
    int at = 0;

    if (sscanf(line, " %15[^: ]:%n", to->name, &at) != 1 || !at)
        return false;
    for (uint32_t i = 0; i < 16; i++) {
        char *end;

        v[i] = strtoull(line + at, &end, 10);
        if (end == line + at)
            return false;
        at = (int)(end - line);
    }
    memcpy(to->n, v, 4 * sizeof v[0]);
    memcpy(to->n + TX_BYTES, v + 8, 4 * sizeof v[0]);
    return true;
}

/* Of all interfaces, or of one; returns how many there were. */
static uint32_t counters(const char *name, struct counted *to, uint32_t max)
{
    FILE *from = fopen("/proc/self/net/dev", "re");
    char line[512];
    uint32_t n = 0;

    while (from && n < max && fgets(line, sizeof line, from))
        n += line_read(line, &to[n]) && (!name || !strcmp(to[n].name, name));
    if (from)
        fclose(from);
    return n;
}

static uint32_t mtu_of(int fd, const char *name)
{
    struct ifreq r = { 0 };

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return !ioctl(fd, SIOCGIFMTU, &r) && r.ifr_mtu > 0 ? (uint32_t)r.ifr_mtu : 0;
}

/* In Mbit/s; 0: the driver does not know. */
static uint32_t speed_of(int fd, const char *name)
{
    struct ethtool_cmd c = { .cmd = ETHTOOL_GSET };
    struct ifreq r = { 0 };
    uint32_t v;

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_data = (void *)&c;
    if (ioctl(fd, SIOCETHTOOL, &r))
        return 0;
    v = ethtool_cmd_speed(&c);
    return v == (uint32_t)SPEED_UNKNOWN || v == UINT16_MAX ? 0 : v;
}

/* --- one interface --- */
static uint32_t prefix_of(const uint8_t *mask, uint32_t n)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits += (uint32_t)__builtin_popcount(mask[i]);
    return bits;
}

/* false: it is no IP address. */
static bool address_of(const struct ifaddrs *a, struct address *to)
{
    const struct sockaddr_in *four = (const void *)a->ifa_addr, *mask4 = (const void *)a->ifa_netmask;
    const struct sockaddr_in6 *six = (const void *)a->ifa_addr, *mask6 = (const void *)a->ifa_netmask;

    *to = (struct address){ .prefix = 0 };
    if (!a->ifa_addr || (a->ifa_addr->sa_family != AF_INET && a->ifa_addr->sa_family != AF_INET6))
        return false;
    if (a->ifa_addr->sa_family == AF_INET) {
        to->ip[10] = to->ip[11] = 0xff;
        memcpy(to->ip + 12, &four->sin_addr, 4);
        to->prefix = mask4 ? prefix_of((const uint8_t *)&mask4->sin_addr, 4) : 32;
    } else {
        memcpy(to->ip, &six->sin6_addr, 16);
        to->prefix = mask6 ? prefix_of((const uint8_t *)&mask6->sin6_addr, 16) : 128;
    }
    return true;
}

static void addresses_put(struct ec_build *b, struct item *to, const struct ifaddrs *all, const char *name)
{
    struct address found[ADDRESSES], *row;
    uint32_t n = 0;

    for (const struct ifaddrs *a = all; a && n < ADDRESSES; a = a->ifa_next)
        n += !strcmp(a->ifa_name, name) && address_of(a, &found[n]);
    row = ec_rows(b, &to->addresses, n, sizeof *row);
    if (row)
        memcpy(row, found, n * sizeof *row);
    to->has |= 1u << HAS_ADDRESSES;
}

struct kernel { const struct ifaddrs *all; const struct counted *count; uint32_t counts; int fd; };

/* a: its entry of AF_PACKET. */
static void item_put(struct interfaces *i, struct ec_build *b, struct item *to, const struct kernel *k,
                     const struct ifaddrs *a)
{
    const struct sockaddr_ll *link = (const void *)a->ifa_addr;

    to->name = ec_puts(b, a->ifa_name);
    to->index = (uint32_t)link->sll_ifindex;
    to->up = (a->ifa_flags & IFF_UP) && (a->ifa_flags & IFF_RUNNING);
    to->loopback = !!(a->ifa_flags & IFF_LOOPBACK);
    to->captured = captured(i, a->ifa_name);
    to->mtu = mtu_of(k->fd, a->ifa_name);
    to->speed = speed_of(k->fd, a->ifa_name);
    to->has |= (uint64_t)(to->speed != 0) << HAS_SPEED;
    if (link->sll_halen == 6 && !to->loopback) {
        memcpy(to->mac, link->sll_addr, 6);
        to->has |= 1u << HAS_MAC;
    }
    for (uint32_t c = 0; c < k->counts; c++)
        if (!strcmp(k->count[c].name, a->ifa_name))
            memcpy(to->n, k->count[c].n, sizeof to->n);
    addresses_put(b, to, k->all, a->ifa_name);
}

static bool is_link(const struct ifaddrs *a)
{
    return a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET;
}

static int by_index(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 64u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

static void list_fill(struct interfaces *i, struct ec_build *b, struct list_reply *to, const struct kernel *k)
{
    uint32_t links = 0, n = 0;
    struct item *row;

    for (const struct ifaddrs *a = k->all; a; a = a->ifa_next)
        links += is_link(a);
    to->over = links > NAMES_MAX ? links - NAMES_MAX : 0;
    to->part.has = 1;
    links = links < NAMES_MAX ? links : NAMES_MAX;
    row = ec_rows(b, &to->items, links, sizeof *row);
    for (const struct ifaddrs *a = k->all; row && a && n < links; a = a->ifa_next)
        if (is_link(a))
            item_put(i, b, &row[n++], k, a);
    if (row)
        qsort(row, n, sizeof *row, by_index);
}

static void list_job(struct ec_req *r, void *arg)
{
    struct interfaces *i = arg;
    struct counted *count = malloc(NAMES_MAX * sizeof *count);
    struct ifaddrs *all = NULL;
    struct list_reply *to = NULL;
    struct ec_build b = { 0 };

    if (getifaddrs(&all)) {
        i->http->error(r, 503, "the kernel does not say which interfaces there are");
    } else if (count && (to = answer_open(&b, sizeof *to, NAMES_MAX * (sizeof(struct item) + IFNAMSIZ +
                                                                       ADDRESSES * sizeof(struct address))))) {
        struct kernel k = { all, count, counters(NULL, count, NAMES_MAX),
                            socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };

        list_fill(i, &b, to, &k);
        i->http->reply(r, 200, &to->part);
        if (k.fd >= 0)
            close(k.fd);
    } else {
        i->http->error(r, 503, "out of memory");
    }
    if (all)
        freeifaddrs(all);
    free(count);
    free(b.base);
}

static void stats_job(struct ec_req *r, void *arg)
{
    struct interfaces *i = arg;
    const struct name_param *q = i->http->param(r);
    char name[IFNAMSIZ];
    struct counted count;
    struct stats_reply *to;
    struct ec_build b;

    snprintf(name, sizeof name, "%.*s", (int)q->name.len, (const char *)ec_bytes(&q->part, q->name));
    if (!counters(name, &count, 1)) {
        i->http->error(r, 404, "there is no such interface");
        return;
    }
    if (!(to = answer_open(&b, sizeof *to, 64))) {
        i->http->error(r, 503, "out of memory");
        return;
    }
    to->name = ec_puts(&b, name);
    to->time = i->host->now(i->host);
    to->captured = captured(i, name);
    memcpy(to->n, count.n, sizeof to->n);
    i->http->reply(r, 200, &to->part);
    free(b.base);
}

#define RUN(name) \
    static int32_t name##_run(void *self, const void *state, struct ec_req *r) \
    { \
        struct interfaces *i = self; \
        (void)state; \
        return i->http->work(r, name##_job, i) ? EC_OK : EC_EAGAIN; \
    }
RUN(list)
RUN(stats)

static const struct ec_route routes[] = {
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/network/interfaces", .opid = "list_interfaces",
      .summary = "Interfaces, and which of them are captured on", .roles = READERS, .reply = &list_record,
      .run = list_run },
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/network/interfaces/{name}/stats",
      .opid = "get_interface_stats", .summary = "What one interface has counted", .roles = READERS,
      .param = &name_record, .reply = &stats_record, .run = stats_run, .errors = "404" },
};

void interfaces_declare(struct interfaces *i, const struct ec_host *h)
{
    i->host = h;
    i->http = h->use(h, EC_HTTP_ID, &i->http_self);
    for (uint32_t k = 0; i->http && k < sizeof routes / sizeof routes[0]; k++)
        if (i->http->route(i->http_self, h, &routes[k], i))
            EC_LOG(h, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[k].path);
}
