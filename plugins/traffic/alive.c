#include "plugins/traffic/alive.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plugins/traffic/publish.h"

#include <ecyber/ext/http.h>

#define WAIT_MS   1000              /* for the workers */
#define PROTOS    "TCP,UDP,ICMP,ICMPv6,SCTP"
#define TCP_WORDS "none,syn_sent,syn_recv,established,fin_wait1,fin_wait2,time_wait,last_ack,close_wait,closing,closed"
#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }

struct param { struct ec_part part; uint32_t limit, port, proto, pad; struct ec_span ip; };
enum { ASK_IP, ASK_PORT, ASK_PROTO };
static const struct ec_row param_rows[] = {
    ROW(U32, 0, 0, struct param, limit, "limit", NULL, "100", "flows", "at most so many", 1, 1000),
    ROW(TEXT, EC_R_OPT, ASK_IP, struct param, ip, "ip", "cidr", NULL, NULL, "only with this address or network", 2, 48),
    ROW(U32, EC_R_OPT, ASK_PORT, struct param, port, "port", NULL, NULL, NULL, "only with this port", 0, 65535),
    ROW(ENUM, EC_R_OPT, ASK_PROTO, struct param, proto, "proto", PROTOS, NULL, NULL, "only of this protocol", 0, 0),
};
static const struct ec_record param_record = EC_RECORD_PART(struct param, param_rows);

struct item {
    uint64_t flow_id, pkts[2], bytes[2], start, last, has;
    uint8_t src[16], dst[16];
    struct ec_span proto;
    uint32_t sport, dport, app, iface, state, tcp;
    uint8_t alerted, replay, pad[6];
};
enum { HAS_PORTS, HAS_TCP };
static const struct ec_row item_rows[] = {
    EC_FIELD(U64, 0, struct item, flow_id, "flow_id", NULL, "as its events will have it"),
    EC_FIELD(IP, 0, struct item, src, "src_ip", NULL, "who began"),
    EC_FIELD_OPT(U32, 0, HAS_PORTS, struct item, sport, "src_port", NULL, "of TCP, UDP and SCTP"),
    EC_FIELD(IP, 0, struct item, dst, "dest_ip", NULL, "with whom"),
    EC_FIELD_OPT(U32, 0, HAS_PORTS, struct item, dport, "dest_port", NULL, "of TCP, UDP and SCTP"),
    EC_FIELD(TEXT, 0, struct item, proto, "proto", NULL, "TCP, UDP … or its number"),
    EC_FIELD_NAME(0, struct item, app, "app_proto", "app_proto", "as far as it is known"),
    EC_FIELD_NAME(0, struct item, iface, "in_iface", "iface", "where it was seen"),
    EC_FIELD_ENUM(0, struct item, state, "state", "new,established,closed,bypassed", "how far it got"),
    { EC_T_ENUM, EC_R_OPT, HAS_TCP, 0, offsetof(struct item, tcp), "tcp_state", NULL, TCP_WORDS, NULL, NULL,
      "of the connection", 0, 0 },
    EC_FIELD(U64, 0, struct item, pkts[0], "pkts_toserver", "packets", "so far"),
    EC_FIELD(U64, 0, struct item, pkts[1], "pkts_toclient", "packets", "so far"),
    EC_FIELD(U64, 0, struct item, bytes[0], "bytes_toserver", "bytes", "so far"),
    EC_FIELD(U64, 0, struct item, bytes[1], "bytes_toclient", "bytes", "so far"),
    EC_FIELD(TIME, 0, struct item, start, "start", NULL, "of the first packet"),
    EC_FIELD(TIME, 0, struct item, last, "last", NULL, "of the latest packet"),
    EC_FIELD(BOOL, 0, struct item, alerted, "alerted", NULL, "a rule fired on it"),
    EC_FIELD(BOOL, 0, struct item, replay, "replay", NULL, "it comes from a file"),
};
static const struct ec_record item_record = {
    sizeof(struct ec_record), sizeof(struct item), EC_ROWS(item_rows), offsetof(struct item, has), 0, item_rows };
struct reply { struct ec_part part; uint64_t alive, matched; uint8_t partial, pad[7]; struct ec_list items; };
static const struct ec_row reply_rows[] = {
    EC_FIELD(U64, 0, struct reply, alive, "alive", "flows", "that there are"),
    EC_FIELD(U64, 0, struct reply, matched, "matched", "flows", "of them that were asked for"),
    EC_FIELD(BOOL, 0, struct reply, partial, "partial", NULL, "a worker did not answer in time: its flows are missing"),
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, offsetof(struct reply, items), "items", &item_record, NULL, NULL, NULL,
      "those with the latest packets first", 0, 0 },
};
static const struct ec_record reply_record = EC_RECORD_PART(struct reply, reply_rows);

static const uint8_t proto_numbers[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP };
static const char *const proto_names[] = { "TCP", "UDP", "ICMP", "ICMPv6", "SCTP" };

static bool net_read(struct flow_wanted *w, const char *text)
{
    char address[64], *slash, *end;
    unsigned long bits;
    bool v4;

    snprintf(address, sizeof address, "%s", text);
    if ((slash = strchr(address, '/')))
        *slash = '\0';
    v4 = !strchr(address, ':');
    w->bits = 128;
    if (v4)
        w->net[10] = w->net[11] = 0xff;
    if (inet_pton(v4 ? AF_INET : AF_INET6, address, w->net + (v4 ? 12 : 0)) != 1)
        return false;
    if (!slash)
        return true;
    bits = strtoul(slash + 1, &end, 10);
    w->bits = (uint32_t)bits + (v4 ? 96 : 0);
    return slash[1] >= '0' && slash[1] <= '9' && !*end && bits <= (v4 ? 32 : 128);
}

static bool wanted_read(const struct param *q, struct flow_wanted *w)
{
    char text[64];

    *w = (struct flow_wanted){ 0 };
    if (q->part.has >> ASK_PORT & 1) {
        w->has |= WANT_PORT;
        w->port = (uint16_t)q->port;
    }
    if (q->part.has >> ASK_PROTO & 1) {
        w->has |= WANT_PROTO;
        w->proto = proto_numbers[q->proto];
    }
    if (!(q->part.has >> ASK_IP & 1))
        return true;
    w->has |= WANT_NET;
    snprintf(text, sizeof text, "%.*s", (int)q->ip.len, (const char *)ec_bytes(&q->part, q->ip));
    return net_read(w, text);
}

/* Until all that run have answered, or it takes too long. */
static void wait_for(struct traffic *tr, struct snapshot *s)
{
    static const struct timespec pause = { 0, 2000000 };

    for (uint32_t ms = 0; ms < WAIT_MS; ms += 2) {
        bool all = true;

        for (uint32_t i = 0; i < s->workers; i++)
            all &= !atomic_load(&tr->ask[i].runs) || atomic_load(&s->look[i].done);
        if (all)
            return;
        nanosleep(&pause, NULL);
    }
}

static int by_last(const void *a, const void *b)
{
    const struct ec_flow *x = &((const struct flow_seen *)a)->pub, *y = &((const struct flow_seen *)b)->pub;

    return x->last_ns != y->last_ns ? (x->last_ns > y->last_ns ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

/* All parts that are done in one array; NULL: no memory. */
static struct flow_seen *gather(struct traffic *tr, const struct snapshot *s, struct reply *to, uint32_t *n)
{
    struct flow_seen *all = malloc(((size_t)s->workers * s->max + 1) * sizeof *all);

    *n = 0;
    for (uint32_t i = 0; all && i < s->workers; i++) {
        const struct look *l = &s->look[i];

        if (!atomic_load(&l->done)) {
            to->partial |= atomic_load(&tr->ask[i].runs);
            continue;
        }
        memcpy(all + *n, l->flow, l->n * sizeof *all);
        *n += l->n;
        to->alive += l->alive;
        to->matched += l->matched;
    }
    if (all)
        qsort(all, *n, sizeof *all, by_last);
    return all;
}

static struct ec_span proto_put(struct ec_build *b, uint8_t proto)
{
    char text[8];

    for (uint32_t i = 0; i < sizeof proto_numbers; i++)
        if (proto_numbers[i] == proto)
            return ec_puts(b, proto_names[i]);
    snprintf(text, sizeof text, "%u", proto);
    return ec_puts(b, text);
}

static void item_put(struct ec_build *b, struct item *to, const struct flow_seen *s)
{
    const struct ec_flow *f = &s->pub;

    to->flow_id = f->id;
    memcpy(to->pkts, f->pkts, sizeof to->pkts);
    memcpy(to->bytes, f->bytes, sizeof to->bytes);
    memcpy(to->src, f->src, 16);
    memcpy(to->dst, f->dst, 16);
    to->start = f->first_ns;
    to->last = f->last_ns;
    to->proto = proto_put(b, f->ip_proto);
    to->sport = f->sport;
    to->dport = f->dport;
    to->app = f->proto;
    to->iface = s->iface;
    to->state = s->bypassed ? EC_FLOW_CLOSED + 1u : f->state;
    to->tcp = s->tcp_state;
    to->alerted = !!(s->flags & FL_ALERTED);
    to->replay = !!(s->flags & FL_REPLAY);
    if (f->ip_proto == PROTO_TCP || f->ip_proto == PROTO_UDP || f->ip_proto == PROTO_SCTP)
        to->has |= 1u << HAS_PORTS;
    if (f->ip_proto == PROTO_TCP && s->flags & FL_SESSION)
        to->has |= 1u << HAS_TCP;
}

static void answer(struct traffic *tr, struct ec_req *r, const struct snapshot *s, uint32_t limit)
{
    uint32_t tail = limit * (uint32_t)(sizeof(struct item) + 16) + 64;
    uint32_t cap = ((uint32_t)(sizeof(struct ec_event) + sizeof(struct reply)) + tail) & ~7u;
    struct ec_build b = { .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    struct reply *to = b.base ? ec_add(&b, 0, sizeof *to) : NULL;
    uint32_t n;
    struct flow_seen *all = to ? gather(tr, s, to, &n) : NULL;
    struct item *row = NULL;

    if (!all) {
        tr->http->error(r, 503, "out of memory");
        free(b.base);
        return;
    }
    n = n < limit ? n : limit;
    row = ec_rows(&b, &to->items, n, sizeof *row);
    to->part.has = 1;
    for (uint32_t i = 0; row && i < n; i++)
        item_put(&b, &row[i], &all[i]);
    tr->http->reply(r, 200, &to->part);
    free(all);
    free(b.base);
}

/* [pool] One at a time; where the pool's thread is the worker's own (--workers 0), it looks at once. */
static void alive_job(struct ec_req *r, void *arg)
{
    struct traffic *tr = arg;
    const struct param *q = tr->http->param(r);
    struct flow_wanted wanted;
    struct snapshot *s;

    if (!wanted_read(q, &wanted)) {
        tr->http->invalid(r, "query.ip", "value_error", "it is no address or network");
        return;
    }
    if (!tr->ask || !(s = snapshot_new(tr->asks, q->limit, &wanted))) {
        tr->http->error(r, 503, "out of memory");
        return;
    }
    pthread_mutex_lock(&tr->ask_lock);
    for (uint32_t i = 0; i < tr->asks; i++)
        if (atomic_load(&tr->ask[i].runs)) {
            snapshot_ask(&tr->ask[i].slot, s);
            if (pthread_equal(tr->ask[i].thread, pthread_self()))
                snapshot_step(&tr->ask[i].slot, i, tr->ask[i].table, UINT32_MAX);
        }
    wait_for(tr, s);
    atomic_store(&s->cancelled, true);
    pthread_mutex_unlock(&tr->ask_lock);
    answer(tr, r, s, q->limit);
    snapshot_unref(s);
}

static int32_t alive_run(void *self, const void *state, struct ec_req *r)
{
    struct traffic *tr = self;

    (void)state;
    return tr->http->work(r, alive_job, tr) ? EC_OK : EC_EAGAIN;
}

static const struct ec_route route = {
    .size = sizeof(struct ec_route), .method = "GET", .path = "/api/network/connections", .opid = "list_connections",
    .summary = "Flows that are alive now, those with the latest packets first", 
    .roles = "admin,operator,analyst,viewer",
    .param = &param_record, .reply = &reply_record, .run = alive_run };

void alive_declare(struct traffic *tr)
{
    tr->http = tr->host->use(tr->host, EC_HTTP_ID, &tr->http_self);
    if (tr->http && tr->http->route(tr->http_self, tr->host, &route, tr))
        EC_LOG(tr->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", route.path);
}
