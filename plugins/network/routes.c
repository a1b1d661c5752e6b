/* The routes of /api/network that answer from memory, and the events of one flow. */
#include "plugins/network/net.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define READERS "admin,operator,analyst,viewer"
#define SECOND  UINT64_C(1000000000)
#define TALKERS 10u
#define ROW(T, flags, has, type, member, name, allow, def, unit, help, min, max) \
    { EC_T_##T, (flags), (has), 0, (uint32_t)offsetof(type, member), (name), NULL, (allow), (def), (unit), (help), \
      (min), (max) }
#define ROW_LIST(sub, type, member, name, help) \
    { EC_T_RECORD, EC_R_LIST | EC_R_OPT, 0, 0, (uint32_t)offsetof(type, member), (name), (sub), NULL, NULL, NULL, \
      (help), 0, 0 }
#define HAS_LIST 1u                 /* its bit: a list is written even where it is empty */

static void *answer_open(struct ec_build *b, uint32_t bytes, uint32_t tail)
{
    uint32_t cap = ((uint32_t)sizeof(struct ec_event) + bytes + tail + 64u) & ~7u;

    *b = (struct ec_build){ .base = calloc(1, cap), .used = sizeof(struct ec_event), .cap = cap };
    return b->base ? ec_add(b, 0, bytes) : NULL;
}

static void answer_send(const struct net *n, struct ec_req *r, struct ec_build *b)
{
    if (b->base)
        n->http->reply(r, 200, ec_part_open(b));
    else
        n->http->error(r, 503, "out of memory");
    free(b->base);
}

/* --- devices --- */
#define SORTS "bytes,packets,flows,alerts,last_seen,first_seen"
enum { SORT_BYTES, SORT_PACKETS, SORT_FLOWS, SORT_ALERTS, SORT_LAST, SORT_FIRST };
struct devices_param { struct ec_part part; uint32_t limit, sort; struct ec_span ip; };
enum { ASK_IP };
static const struct ec_row devices_param_rows[] = {
    ROW(U32, 0, 0, struct devices_param, limit, "limit", NULL, "100", "hosts", "at most so many", 1, 1000),
    ROW(ENUM, 0, 0, struct devices_param, sort, "sort", SORTS, "bytes", NULL, "the most, or the latest, first", 0, 0),
    ROW(TEXT, EC_R_OPT, ASK_IP, struct devices_param, ip, "ip", "cidr", NULL, NULL, "only this address or network", 2,
        48),
};
static const struct ec_record devices_param = EC_RECORD_PART(struct devices_param, devices_param_rows);

struct device_row { uint8_t ip[16]; uint64_t first, last, bytes[2], packets[2], flows, alerts; };
#define NUMBER(member, name, unit, help) EC_FIELD(U64, 0, struct device_row, member, name, unit, help)
static const struct ec_row device_rows[] = {
    EC_FIELD(IP, 0, struct device_row, ip, "ip", NULL, "its address"),
    EC_FIELD(TIME, 0, struct device_row, first, "first_seen", NULL, "by the packets' time"),
    EC_FIELD(TIME, 0, struct device_row, last, "last_seen", NULL, "by the packets' time"),
    NUMBER(bytes[DEVICE_SENT], "bytes_sent", "bytes", "in flows that have ended"),
    NUMBER(bytes[DEVICE_RECEIVED], "bytes_received", "bytes", "in flows that have ended"),
    NUMBER(packets[DEVICE_SENT], "packets_sent", "packets", "in flows that have ended"),
    NUMBER(packets[DEVICE_RECEIVED], "packets_received", "packets", "in flows that have ended"),
    NUMBER(flows, "flows", NULL, "that have ended"), NUMBER(alerts, "alerts", NULL, "with it on either side"),
};
static const struct ec_record device_record = EC_RECORD_ELEMENT(struct device_row, device_rows);
struct devices_reply { struct ec_part part; uint64_t since, count, matched, most, evicted; struct ec_list items; };
static const struct ec_row devices_rows[] = {
    EC_FIELD(TIME, 0, struct devices_reply, since, "since", NULL, "from when on is counted"),
    EC_FIELD(U64, 0, struct devices_reply, count, "count", "hosts", "that are remembered"),
    EC_FIELD(U64, 0, struct devices_reply, matched, "matched", "hosts", "of them that were asked for"),
    EC_FIELD(U64, 0, struct devices_reply, most, "most", "hosts", "that can be remembered (network.devices)"),
    EC_FIELD(U64, 0, struct devices_reply, evicted, "evicted", "hosts", "that were forgotten to make room"),
    ROW_LIST(&device_record, struct devices_reply, items, "items", "the first of those"),
};
static const struct ec_record devices_reply = EC_RECORD_PART(struct devices_reply, devices_rows);

static uint64_t key_of(const struct device *d, uint32_t sort)
{
    switch (sort) {
    case SORT_BYTES:
        return d->bytes[0] + d->bytes[1];
    case SORT_PACKETS:
        return d->packets[0] + d->packets[1];
    case SORT_FLOWS:
        return d->flows;
    case SORT_ALERTS:
        return d->alerts;
    case SORT_LAST:
        return d->last_ns;
    default:
        return d->first_ns;
    }
}

static int by_key(const void *a, const void *b, void *arg)
{
    uint32_t sort = *(const uint32_t *)arg;
    uint64_t x = key_of(a, sort), y = key_of(b, sort);

    return x != y ? (x > y ? -1 : 1) : memcmp(((const struct device *)a)->ip, ((const struct device *)b)->ip, 16);
}

/* A copy of the table, so that the lock is not held while it is sorted. NULL: out of memory. */
static struct device *devices_copy(struct net *n, struct devices *head)
{
    struct device *d;

    pthread_mutex_lock(&n->lock);
    *head = n->devices;
    d = malloc(((size_t)head->n + 1) * sizeof *d);
    if (d)
        memcpy(d, n->devices.d, (size_t)head->n * sizeof *d);
    pthread_mutex_unlock(&n->lock);
    return d;
}

struct net_mask { uint8_t net[16]; uint32_t bits; };

static bool mask_read(struct net_mask *m, const char *text)
{
    char address[64], *slash, *end;
    unsigned long bits;
    bool v4;

    snprintf(address, sizeof address, "%s", text);
    if ((slash = strchr(address, '/')))
        *slash = '\0';
    v4 = !strchr(address, ':');
    *m = (struct net_mask){ .bits = 128 };
    if (v4)
        m->net[10] = m->net[11] = 0xff;
    if (inet_pton(v4 ? AF_INET : AF_INET6, address, m->net + (v4 ? 12 : 0)) != 1)
        return false;
    if (!slash)
        return true;
    bits = strtoul(slash + 1, &end, 10);
    m->bits = (uint32_t)bits + (v4 ? 96 : 0);
    return slash[1] >= '0' && slash[1] <= '9' && !*end && bits <= (v4 ? 32 : 128);
}

static bool mask_has(const struct net_mask *m, const uint8_t ip[16])
{
    uint32_t whole = m->bits / 8, rest = m->bits % 8;

    return !memcmp(ip, m->net, whole) && (!rest || !((ip[whole] ^ m->net[whole]) >> (8 - rest)));
}

static void device_put(struct device_row *to, const struct device *d)
{
    memcpy(to->ip, d->ip, 16);
    to->first = d->first_ns;
    to->last = d->last_ns;
    memcpy(to->bytes, d->bytes, sizeof to->bytes);
    memcpy(to->packets, d->packets, sizeof to->packets);
    to->flows = d->flows;
    to->alerts = d->alerts;
}

static void devices_job(struct ec_req *r, void *arg)
{
    struct net *n = arg;
    const struct devices_param *q = n->http->param(r);
    struct net_mask mask = { .bits = 0 };
    struct devices head;
    struct device *d;
    struct devices_reply *to;
    struct device_row *row;
    struct ec_build b = { 0 };
    char text[64] = "";
    uint32_t sort = q->sort, kept = 0;

    if (q->part.has >> ASK_IP & 1) {
        snprintf(text, sizeof text, "%.*s", (int)q->ip.len, (const char *)ec_bytes(&q->part, q->ip));
        if (!mask_read(&mask, text)) {
            n->http->invalid(r, "query.ip", "value_error", "it is no address or network");
            return;
        }
    }
    if ((d = devices_copy(n, &head)) &&
        (to = answer_open(&b, sizeof *to, q->limit * (uint32_t)sizeof *row))) {
        for (uint32_t i = 0; i < head.n; i++)
            if (mask_has(&mask, d[i].ip))
                d[kept++] = d[i];
        qsort_r(d, kept, sizeof *d, by_key, &sort);
        to->part.has = HAS_LIST;
        to->since = n->since_ns;
        to->count = head.n;
        to->matched = kept;
        to->most = head.max;
        to->evicted = head.evicted;
        kept = kept < q->limit ? kept : q->limit;
        row = ec_rows(&b, &to->items, kept, sizeof *row);
        for (uint32_t i = 0; row && i < kept; i++)
            device_put(&row[i], &d[i]);
    }
    free(d);
    answer_send(n, r, &b);
}

/* --- over time --- */
struct series_param { struct ec_part part; uint32_t resolution, points; };
static const struct ec_row series_param_rows[] = {
    ROW(ENUM, 0, 0, struct series_param, resolution, "resolution", "1s,1m", "1s", NULL,
        "1s: the last hour, 1m: the last day", 0, 0),
    ROW(U32, 0, 0, struct series_param, points, "points", NULL, "60", NULL, "the last so many", 1, SERIES_SECONDS),
};
static const struct ec_record series_param = EC_RECORD_PART(struct series_param, series_param_rows);
struct point_row { uint64_t time, n[COUNTS]; };
static const struct ec_row point_rows[] = {
    EC_FIELD(TIME, 0, struct point_row, time, "time", NULL, "its beginning"),
    EC_FIELD(U64, 0, struct point_row, n[COUNT_PACKETS], "packets", "packets", "that were looked at"),
    EC_FIELD(U64, 0, struct point_row, n[COUNT_BYTES], "bytes", "bytes", "of them on the wire"),
    EC_FIELD(U64, 0, struct point_row, n[COUNT_FLOWS], "flows", NULL, "that began"),
    EC_FIELD(U64, 0, struct point_row, n[COUNT_ALERTS], "alerts", NULL, "that fired"),
    EC_FIELD(U64, 0, struct point_row, n[COUNT_DROPS], "drops", "events", "that were lost between plugins"),
};
static const struct ec_record point_record = EC_RECORD_ELEMENT(struct point_row, point_rows);
struct series_reply { struct ec_part part; uint32_t resolution, pad; struct ec_list items; };
static const struct ec_row series_rows[] = {
    EC_FIELD_ENUM(0, struct series_reply, resolution, "resolution", "1s,1m", "of each point"),
    ROW_LIST(&point_record, struct series_reply, items, "items",
             "the oldest first; a time that is missing was not measured"),
};
static const struct ec_record series_reply = EC_RECORD_PART(struct series_reply, series_rows);

static void series_job(struct ec_req *r, void *arg)
{
    struct net *n = arg;
    const struct series_param *q = n->http->param(r);
    struct bucket *b = malloc(q->points * sizeof *b);
    struct series_reply *to;
    struct point_row *row;
    struct ec_build build = { 0 };
    uint32_t count;

    if (b && (to = answer_open(&build, sizeof *to, q->points * (uint32_t)sizeof *row))) {
        pthread_mutex_lock(&n->lock);
        count = series_read(&n->series, q->resolution, n->host->now(n->host) / SECOND, b, q->points);
        pthread_mutex_unlock(&n->lock);
        to->resolution = q->resolution;
        to->part.has = HAS_LIST;
        row = ec_rows(&build, &to->items, count, sizeof *row);
        for (uint32_t i = 0; row && i < count; i++) {
            row[i].time = b[i].at_s * SECOND;
            memcpy(row[i].n, b[i].n, sizeof row[i].n);
        }
    }
    free(b);
    answer_send(n, r, &build);
}

/* --- totals --- */
static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* `name` is of our own making or of a parser's: letters, digits, '-', '_', '.' and ':' only. */
static void member(FILE *out, bool first, const char *name, uint64_t v)
{
    fprintf(out, "%s\"%s\":%" PRIu64, first ? "" : ",", name, v);
}

static void talkers_write(FILE *out, struct device *d, uint32_t n)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    uint32_t sort = SORT_BYTES;
    char text[INET6_ADDRSTRLEN];

    qsort_r(d, n, sizeof *d, by_key, &sort);
    for (uint32_t i = 0; i < n && i < TALKERS && key_of(&d[i], sort); i++) {
        bool v4 = !memcmp(d[i].ip, mapped, sizeof mapped);

        inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? d[i].ip + 12 : d[i].ip, text, sizeof text);
        member(out, !i, text, key_of(&d[i], sort));
    }
}

static void apps_write(FILE *out, const struct net *n, const struct by_app *app, uint32_t apps)
{
    for (uint32_t i = 0; i < apps; i++) {
        const char *name = app[i].app ? n->host->interned(n->host, "app_proto", app[i].app) : NULL;

        fprintf(out, "%s\"%s\":{\"flows\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", i ? "," : "", name ? name : "unknown",
                app[i].flows, app[i].bytes);
    }
}

static void stats_write(FILE *out, struct net *n, struct device *d, uint32_t devices)
{
    static const char *const names[TRANSPORTS] = { "TCP", "UDP", "ICMP", "other" };
    struct by_app app[PROTOCOLS_MAX];
    struct figures now = net_figures(n), base;
    uint64_t alerts, since, started, at = n->host->now(n->host);
    uint32_t apps;
    double seconds;

    pthread_mutex_lock(&n->lock);
    base = n->base;
    since = n->since_ns;
    started = n->started_ns;
    alerts = less(n->alerts, base.count[COUNT_ALERTS]);
    apps = n->apps;
    memcpy(app, n->app, sizeof app);
    pthread_mutex_unlock(&n->lock);
    seconds = (double)less(at, since) / (double)SECOND;
    fprintf(out, "{\"total_packets\":%" PRIu64 ",\"total_bytes_processed\":%" PRIu64 ",\"total_flows\":%" PRIu64
            ",\"active_flows\":%" PRIu64 ",\"alerts\":%" PRIu64 ",\"drops\":%" PRIu64,
            less(now.count[COUNT_PACKETS], base.count[COUNT_PACKETS]),
            less(now.count[COUNT_BYTES], base.count[COUNT_BYTES]), less(now.count[COUNT_FLOWS], base.count[COUNT_FLOWS]), now.active, alerts,
            less(now.count[COUNT_DROPS], base.count[COUNT_DROPS]));
    fprintf(out, ",\"uptime_seconds\":%" PRIu64 ",\"seconds_counted\":%.3f,\"avg_packets_per_second\":%.3f"
            ",\"protocols\":{",
            less(at, started) / SECOND, seconds,
            seconds > 0 ? (double)less(now.count[COUNT_PACKETS], base.count[COUNT_PACKETS]) / seconds : 0.0);
    for (uint32_t i = 0; i < TRANSPORTS; i++)
        member(out, !i, names[i], less(now.transport[i], base.transport[i]));
    fputs("},\"app_protocols\":{", out);
    apps_write(out, n, app, apps);
    fputs("},\"top_talkers\":{", out);
    talkers_write(out, d, devices);
    fputs("}}", out);
}

static void stats_job(struct ec_req *r, void *arg)
{
    struct net *n = arg;
    struct devices head = { 0 };
    struct device *d = devices_copy(n, &head);
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = d ? open_memstream(&bytes, &len) : NULL;

    if (out)
        stats_write(out, n, d, head.n);
    if (out && !fclose(out))
        n->http->json(r, 200, bytes, len);
    else
        n->http->error(r, 503, "out of memory");
    free(bytes);
    free(d);
}
#define COUNT_SCHEMA "{\"type\":\"integer\",\"minimum\":0}"
#define STATS_SCHEMA \
    "{\"type\":\"object\",\"required\":[\"total_packets\",\"total_bytes_processed\",\"protocols\",\"top_talkers\"," \
    "\"uptime_seconds\",\"avg_packets_per_second\"],\"properties\":{" \
    "\"total_packets\":" COUNT_SCHEMA ",\"total_bytes_processed\":" COUNT_SCHEMA ",\"total_flows\":" COUNT_SCHEMA "," \
    "\"active_flows\":" COUNT_SCHEMA ",\"alerts\":" COUNT_SCHEMA ",\"drops\":" COUNT_SCHEMA "," \
    "\"uptime_seconds\":" COUNT_SCHEMA ",\"seconds_counted\":{\"type\":\"number\"}," \
    "\"avg_packets_per_second\":{\"type\":\"number\"}," \
    "\"protocols\":{\"type\":\"object\",\"description\":\"packets by transport\"," \
    "\"additionalProperties\":" COUNT_SCHEMA "}," \
    "\"app_protocols\":{\"type\":\"object\",\"description\":\"flows that have ended, by protocol\"," \
    "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"flows\":" COUNT_SCHEMA "," \
    "\"bytes\":" COUNT_SCHEMA "}}}," \
    "\"top_talkers\":{\"type\":\"object\",\"description\":\"bytes by address, of flows that have ended\"," \
    "\"additionalProperties\":" COUNT_SCHEMA "}}}"

/* --- begin anew --- */
struct reset_reply { struct ec_part part; struct ec_span status; uint64_t since; };
static const struct ec_row reset_rows[] = {
    EC_FIELD(TEXT, 0, struct reset_reply, status, "status", NULL, "reset"),
    EC_FIELD(TIME, 0, struct reset_reply, since, "since", NULL, "from when on is counted"),
};
static const struct ec_record reset_reply = EC_RECORD_PART(struct reset_reply, reset_rows);

static int32_t reset_run(void *self, const void *state, struct ec_req *r)
{
    struct net *n = self;
    struct figures now = net_figures(n);
    struct reset_reply *to;
    struct ec_build b;
    char detail[160];

    (void)state;
    if (!(to = answer_open(&b, sizeof *to, 64)))
        return n->http->error(r, 503, "out of memory");
    pthread_mutex_lock(&n->lock);
    snprintf(detail, sizeof detail, "before: packets %" PRIu64 ", bytes %" PRIu64 ", flows %" PRIu64 "; after: 0",
             less(now.count[COUNT_PACKETS], n->base.count[COUNT_PACKETS]),
             less(now.count[COUNT_BYTES], n->base.count[COUNT_BYTES]),
             less(now.count[COUNT_FLOWS], n->base.count[COUNT_FLOWS]));
    now.count[COUNT_ALERTS] = n->alerts;
    n->base = now;
    n->apps = 0;
    devices_zero(&n->devices);
    to->since = n->since_ns = n->host->now(n->host);
    pthread_mutex_unlock(&n->lock);
    to->status = ec_puts(&b, "reset");
    n->http->audit(r, "network.reset", "success", NULL, detail);
    answer_send(n, r, &b);
    return EC_OK;
}

/* --- the events of one flow --- */
struct flow_param { struct ec_part part; uint64_t id; };
static const struct ec_row flow_param_rows[] = {
    ROW(U64, 0, 0, struct flow_param, id, "id", NULL, NULL, NULL, "id of a stored flow", 1, INT64_MAX),
};
static const struct ec_record flow_param = EC_RECORD_PART(struct flow_param, flow_param_rows);

static int32_t flow_id_of(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct json_tokener *tok = json_tokener_new_ex(32);
    struct json_object *o = tok ? json_tokener_parse_ex(tok, json, (int)len) : NULL, *type, *flow;

    (void)id;
    if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "event_type", &type) &&
        !strcmp(json_object_get_string(type), "flow") && json_object_object_get_ex(o, "flow_id", &flow))
        *(uint64_t *)arg = json_object_get_uint64(flow);
    json_object_put(o);
    if (tok)
        json_tokener_free(tok);
    return 0;
}

struct page { FILE *out; uint32_t n; };

static int32_t page_add(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct page *p = arg;

    (void)id;
    fputs(p->n++ ? "," : "", p->out);
    fwrite(json, 1, len, p->out);
    return 0;
}

/* The page that was asked for, of this flow alone. */
static int32_t page_write(struct net *n, struct ec_req *r, uint64_t flow_id, struct page *p, char *why, uint32_t room)
{
    struct ec_query q = *n->http->query(r);
    struct ec_filter *f = calloc(q.n_filter + 1u, sizeof *f);
    struct ec_page got = { .size = sizeof got };
    char id[24];
    int32_t err;

    if (!f)
        return EC_ENOMEM;
    snprintf(id, sizeof id, "%" PRIu64, flow_id);
    f[0] = (struct ec_filter){ sizeof *f, EC_F_EQ, "flow_id", id };
    for (uint32_t i = 0; i < q.n_filter; i++)
        f[i + 1] = *(const struct ec_filter *)(const void *)((const char *)q.filter + (size_t)i * q.filter_stride);
    q.filter = f;
    q.filter_stride = sizeof *f;
    q.n_filter++;
    fputs("{\"items\":[", p->out);
    err = n->store->events(n->store_self, &q, page_add, p, &got, why, room);
    fprintf(p->out, "],\"next_cursor\":%s%s%s,\"partial\":%s}", *got.next ? "\"" : "", *got.next ? got.next : "null",
            *got.next ? "\"" : "", got.flags & EC_PAGE_PARTIAL ? "true" : "false");
    free(f);
    return err;
}

static void flow_job(struct ec_req *r, void *arg)
{
    struct net *n = arg;
    uint64_t flow_id = 0;
    const struct flow_param *q = n->http->param(r);
    int32_t err = n->store->event(n->store_self, q->id, flow_id_of, &flow_id);
    char why[256] = "", *bytes = NULL;
    size_t len = 0;
    struct page p = { 0 };

    if (err == EC_ENOENT || (!err && !flow_id)) {
        n->http->error(r, 404, "Not Found");
        return;
    }
    if (!err)
        err = (p.out = open_memstream(&bytes, &len)) ? page_write(n, r, flow_id, &p, why, sizeof why) : EC_ENOMEM;
    if (p.out && fclose(p.out))
        err = EC_ENOMEM;
    if (!err)
        n->http->json(r, 200, bytes, len);
    else if (err == EC_EINVAL)
        n->http->invalid(r, "query", "value_error", why);
    else
        n->http->error(r, 503, "the store cannot be read at the moment");
    free(bytes);
}

#define RUN(name, need) \
    static int32_t name##_run(void *self, const void *state, struct ec_req *r) \
    { \
        struct net *n = self; \
        (void)state; \
        if (!(need)) \
            return n->http->error(r, 503, "there is no store"); \
        return n->http->work(r, name##_job, n) ? EC_OK : EC_EAGAIN; \
    }
RUN(devices, true)
RUN(series, true)
RUN(stats, true)
RUN(flow, n->store)

#define ROUTE(m, p, id, text) \
    .size = sizeof(struct ec_route), .method = m, .path = "/api/network" p, .opid = id, .summary = text
static const struct ec_route routes[] = {
    { ROUTE("GET", "/stats", "get_network_stats", "Packets, bytes, flows, and who talks most"),
      .roles = READERS, .run = stats_run, .schema = STATS_SCHEMA },
    { ROUTE("GET", "/timeseries", "get_network_timeseries", "Packets, bytes, flows, alerts and drops over time"),
      .roles = READERS, .param = &series_param, .reply = &series_reply, .run = series_run },
    { ROUTE("GET", "/devices", "list_network_devices", "The hosts that were seen in flows"), .roles = READERS,
      .param = &devices_param, .reply = &devices_reply, .run = devices_run },
    { ROUTE("POST", "/reset", "reset_network_stats", "Count the stats anew; the metrics of /metrics go on"),
      .roles = "admin,operator", .reply = &reset_reply, .run = reset_run },
    { ROUTE("GET", "/events", "list_network_events", "Stored events of any type; filters have old names too"),
      .roles = READERS, .flags = EC_RT_EVENTS,
      .alias = "source_ip=src_ip,destination_ip=dest_ip,source_port=src_port,destination_port=dest_port,"
               "protocol=proto" },
    { ROUTE("GET", "/flows/{id}/events", "list_flow_events", "Every stored event of one flow, the newest first"),
      .roles = READERS, .flags = EC_RT_EVENTS, .param = &flow_param, .run = flow_run, .errors = "404" },
};

void net_routes(struct net *n)
{
    for (uint32_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (n->http->route(n->http_self, n->host, &routes[i], n))
            EC_LOG(n->host, EC_LOG_WARNING, "the HTTP server did not take %s: it is not served", routes[i].path);
}
