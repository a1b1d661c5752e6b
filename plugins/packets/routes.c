/* The API: /api/packets, declared through ec.http/1. */
#include "plugins/packets/api.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MOST 1000

/* What is asked. */
struct page_param { struct ec_part part; uint32_t limit, port; struct ec_span cursor, ip, proto; };
enum { ASK_CURSOR, ASK_IP, ASK_PORT, ASK_PROTO };
static const struct ec_row page_rows[] = {
    ROW(U32, 0, 0, struct page_param, limit, "limit", NULL, "100", "packets", "at most so many", 1, PAGE_MOST),
    ROW(TEXT, EC_R_OPT, ASK_CURSOR, struct page_param, cursor, "cursor", NULL, NULL, NULL,
        "next_cursor of the page before", 1, 48),
    ROW(TEXT, EC_R_OPT, ASK_IP, struct page_param, ip, "ip", "cidr", NULL, NULL,
        "only from or to this address or network", 2, 48),
    ROW(U32, EC_R_OPT, ASK_PORT, struct page_param, port, "port", NULL, NULL, NULL, "only from or to this port", 0,
        65535),
    ROW(TEXT, EC_R_OPT, ASK_PROTO, struct page_param, proto, "proto", NULL, NULL, NULL,
        "only of this protocol, as the field proto has it: TCP, UDP, ICMP, ARP", 1, 15),
};
static const struct ec_record page_param = EC_RECORD_PART(struct page_param, page_rows);

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    ROW(U64, 0, 0, struct id_param, id, "id", NULL, NULL, NULL, "id of a packet", 0, 0) };
static const struct ec_record id_param = EC_RECORD_PART(struct id_param, id_rows);

/* What is answered. A packet is written once, as an element of a list or as an answer of its own. */
#define ITEM_MEMBERS \
    uint64_t id, ts, count, length, captured, linktype, sport, dport, has; \
    struct ec_span iface, src, dst, proto, info; uint8_t replay, pad[7]
enum { HAS_PORTS, HAS_COUNT };
#define ITEM_ROWS(type) \
    EC_FIELD(U64, 0, type, id, "id", NULL, "while it is in the ring"), \
    EC_FIELD(TIME, 0, type, ts, "timestamp", NULL, "the packet's own time"), \
    EC_FIELD(TEXT, 0, type, iface, "in_iface", NULL, "where it came from"), \
    EC_FIELD(TEXT, 0, type, src, "src_ip", NULL, "absent: it is no IP"), \
    EC_FIELD_OPT(U64, 0, HAS_PORTS, type, sport, "src_port", NULL, "of TCP and UDP"), \
    EC_FIELD(TEXT, 0, type, dst, "dest_ip", NULL, "absent: it is no IP"), \
    EC_FIELD_OPT(U64, 0, HAS_PORTS, type, dport, "dest_port", NULL, "of TCP and UDP"), \
    EC_FIELD(TEXT, 0, type, proto, "proto", NULL, "the innermost protocol that was read"), \
    EC_FIELD(TEXT, 0, type, info, "info", NULL, "its header in one line"), \
    EC_FIELD(U64, 0, type, length, "length", "bytes", "on the wire"), \
    EC_FIELD(U64, 0, type, captured, "captured", "bytes", "of it that are kept (packets.snap)"), \
    EC_FIELD(U64, 0, type, linktype, "linktype", NULL, "LINKTYPE_* of tcpdump.org: 1 is Ethernet"), \
    EC_FIELD_OPT(U64, 0, HAS_COUNT, type, count, "pcap_cnt", NULL, "its position in the capture, from 1"), \
    EC_FIELD(BOOL, 0, type, replay, "replay", NULL, "it comes from a file")
struct item { ITEM_MEMBERS; };
static const struct ec_row item_rows[] = { ITEM_ROWS(struct item) };
static const struct ec_record item_record = {
    sizeof(struct ec_record), sizeof(struct item), EC_ROWS(item_rows), offsetof(struct item, has), 0, item_rows };

struct page_reply { struct ec_part part; struct ec_list items; struct ec_span next; };
static const struct ec_row page_reply_rows[] = {
    ROW_LIST(&item_record, struct page_reply, items, "items", "packets, the newest first"),
    EC_FIELD(TEXT, 0, struct page_reply, next, "next_cursor", NULL, "for the next page; absent at the end"),
};
static const struct ec_record page_reply = EC_RECORD_PART(struct page_reply, page_reply_rows);

struct shown_layer { struct ec_span name; uint64_t off, len; struct ec_list field; uint8_t cut, pad[7]; };
static const struct ec_row layer_rows[] = {
    EC_FIELD(TEXT, 0, struct shown_layer, name, "layer", NULL, "ethernet, vlan, ipv4, tcp, payload ..."),
    EC_FIELD(U64, 0, struct shown_layer, off, "offset", "bytes", "where its header stands in the packet"),
    EC_FIELD(U64, 0, struct shown_layer, len, "length", "bytes", "of its header; of a payload, all of it"),
    EC_FIELD(BOOL, 0, struct shown_layer, cut, "cut", NULL, "it breaks off, or is malformed"),
    EC_FIELD(MAP, 0, struct shown_layer, field, "fields", NULL, "what stands in it"),
};
static const struct ec_record layer_record = EC_RECORD_ELEMENT(struct shown_layer, layer_rows);
struct packet_reply { struct ec_part part; ITEM_MEMBERS; struct ec_list layers; };
static const struct ec_row packet_reply_rows[] = {
    ITEM_ROWS(struct packet_reply),
    EC_FIELD_LIST(&layer_record, struct packet_reply, layers, "layers", "outermost first"),
};
static const struct ec_record packet_reply = EC_RECORD_PART(struct packet_reply, packet_reply_rows);

struct hex_reply { struct ec_part part; uint64_t id, length, captured; struct ec_span hex, dump; };
static const struct ec_row hex_rows[] = {
    EC_FIELD(U64, 0, struct hex_reply, id, "id", NULL, "of the packet"),
    EC_FIELD(U64, 0, struct hex_reply, length, "length", "bytes", "on the wire"),
    EC_FIELD(U64, 0, struct hex_reply, captured, "captured", "bytes", "that follow"),
    EC_FIELD(HEX, 0, struct hex_reply, hex, "hex", NULL, "all that is kept"),
    EC_FIELD(TEXT, 0, struct hex_reply, dump, "dump", NULL, "the same for people, as 'hexdump -C' writes it"),
};
static const struct ec_record hex_reply = EC_RECORD_PART(struct hex_reply, hex_rows);

struct stats_reply {
    struct ec_part part;
    uint64_t held, bytes, memory, most, snap, kept, kept_bytes, missed, oldest, newest;
};
enum { HAS_TIMES };
static const struct ec_row stats_rows[] = {
    EC_FIELD(U64, 0, struct stats_reply, held, "packets", "packets", "in the rings now"),
    EC_FIELD(U64, 0, struct stats_reply, bytes, "bytes", "bytes", "that they take"),
    EC_FIELD(U64, 0, struct stats_reply, memory, "memory", "bytes", "that they may take, of all workers"),
    EC_FIELD(U64, 0, struct stats_reply, most, "most", "packets", "that there may be, of all workers"),
    EC_FIELD(U64, 0, struct stats_reply, snap, "snap", "bytes", "kept of each packet"),
    EC_FIELD(U64, 0, struct stats_reply, kept, "kept", "packets", "that were put into the rings since the start"),
    EC_FIELD(U64, 0, struct stats_reply, kept_bytes, "kept_bytes", "bytes", "of them"),
    EC_FIELD(U64, 0, struct stats_reply, missed, "missed", "packets", "not kept because somebody just read the ring"),
    EC_FIELD_OPT(TIME, 0, HAS_TIMES, struct stats_reply, oldest, "oldest", NULL, "time of the oldest packet there is"),
    EC_FIELD_OPT(TIME, 0, HAS_TIMES, struct stats_reply, newest, "newest", NULL, "time of the newest"),
};
static const struct ec_record stats_reply = EC_RECORD_PART(struct stats_reply, stats_rows);

#define ITEM_TAIL 512u              /* bytes of its texts */

static struct ec_span put_address(struct ec_build *b, const uint8_t *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN];
    bool v4 = !memcmp(a, mapped, sizeof mapped);

    return ec_puts(b, inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, text, sizeof text));
}

static void fill_item(const struct packets *k, struct ec_build *b, struct item *to, const struct packet *p)
{
    const struct layers *l = &p->layers;

    to->id = p->id;
    to->ts = p->head.ts_ns;
    to->count = p->head.count;
    to->length = p->head.wirelen;
    to->captured = p->head.caplen;
    to->linktype = p->head.linktype;
    to->replay = p->head.flags & EC_FR_REPLAY ? 1 : 0;
    to->has = (uint64_t)l->ports << HAS_PORTS | (uint64_t)(p->head.count != 0) << HAS_COUNT;
    to->sport = l->sport;
    to->dport = l->dport;
    to->iface = ec_puts(b, p->head.iface ? k->host->interned(k->host, "iface", p->head.iface) : NULL);
    if (l->ip) {
        to->src = put_address(b, l->src);
        to->dst = put_address(b, l->dst);
    }
    to->proto = ec_puts(b, l->proto);
    to->info = ec_puts(b, l->info);
}

struct page {
    const struct packets *k;
    struct ec_build b;
    struct item *items;
    uint32_t n, limit;
    uint64_t ts, id;                /* of the last one that was taken */
    bool more;
};

static bool page_add(void *arg, struct packet *p)
{
    struct page *g = arg;

    if (g->n == g->limit) {
        g->more = true;
        return false;
    }
    fill_item(g->k, &g->b, &g->items[g->n++], p);
    g->ts = p->head.ts_ns;
    g->id = p->id;
    return true;
}

/* What is wanted, of the parameters; proto: room of 16 bytes. false: a 422 has been sent. */
static bool read_page(const struct packets *k, struct ec_req *r, struct recent *want, char *proto)
{
    const struct page_param *p = k->http->param(r);
    char text[64];
    int n = 0;

    *want = (struct recent){ .before_ns = UINT64_MAX, .before_id = UINT64_MAX };
    if (p->cursor.off && (sscanf(param_text(&p->part, p->cursor, text, sizeof text), "%" SCNu64 "-%" SCNu64 "%n",
                                 &want->before_ns, &want->before_id, &n) != 2 || text[n])) {
        k->http->invalid(r, "query.cursor", "value_error", "it is no next_cursor of a page of packets");
        return false;
    }
    if (p->ip.off && !recent_net(want, param_text(&p->part, p->ip, text, sizeof text))) {
        k->http->invalid(r, "query.ip", "value_error", "it is no address or network");
        return false;
    }
    want->by_port = p->part.has >> ASK_PORT & 1;
    want->port = (uint16_t)p->port;
    if (p->proto.off)
        want->proto = param_text(&p->part, p->proto, proto, 16);
    return true;
}

/* [pool] */
static void page_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    const struct page_param *p = k->http->param(r);
    struct page g = { .k = k, .limit = p->limit };
    uint8_t *data = malloc(RING_PACKET_MAX);
    struct page_reply *to;
    struct recent want;
    char proto[16], next[48];

    if (!read_page(k, r, &want, proto)) {
        free(data);
        return;
    }
    to = data ? answer_open(&g.b, sizeof *to, g.limit * (uint32_t)(sizeof(struct item) + ITEM_TAIL) + 64) : NULL;
    if (to && (g.items = ec_rows(&g.b, &to->items, g.limit, sizeof *g.items))) {
        recent_each(k, &want, data, page_add, &g);
        to->items.n = g.n;
        to->part.has = HAS_LIST;
        snprintf(next, sizeof next, "%" PRIu64 "-%" PRIu64, g.ts, g.id);
        to->next = ec_puts(&g.b, g.more ? next : NULL);
    }
    free(data);
    answer_send(k, r, 200, &g.b);
}

static int32_t get_packets(void *self, const void *state, struct ec_req *r)
{
    struct packets *k = self;

    (void)state;
    k->http->work(r, page_job, k);
    return EC_EAGAIN;
}

/* The members of struct item stand in that order behind the head of struct packet_reply; its bits are the part's. */
_Static_assert(offsetof(struct packet_reply, layers) == sizeof(struct ec_part) + sizeof(struct item) &&
               offsetof(struct packet_reply, id) == sizeof(struct ec_part), "one shape, two places");

static void fill_layers(struct ec_build *b, struct ec_list *list, const struct layers *l)
{
    struct shown_layer *to = ec_rows(b, list, l->n, sizeof *to);

    for (uint32_t i = 0; to && i < l->n; i++) {
        const struct layer *y = &l->layer[i];
        struct ec_pair *pair;

        to[i].name = ec_puts(b, y->name);
        to[i].off = y->off;
        to[i].len = y->len;
        to[i].cut = y->cut;
        pair = ec_rows(b, &to[i].field, y->n_field, sizeof *pair);
        for (uint32_t j = 0; pair && j < y->n_field; j++) {
            pair[j].key = ec_puts(b, l->field[y->field + j].name);
            pair[j].value = ec_puts(b, l->field[y->field + j].value);
        }
    }
}

static const char gone[] = "there is no such packet in the ring any more: it holds the newest ones only";

/* [pool] fn answers with the packet that the path names. */
static void with_packet(struct packets *k, struct ec_req *r,
                        void (*fn)(struct packets *k, struct ec_req *r, struct packet *p))
{
    const struct id_param *param = k->http->param(r);
    uint8_t *data = malloc(RING_PACKET_MAX);
    struct packet p;

    if (!data)
        k->http->error(r, 503, "out of memory");
    else if (!recent_get(k, param->id, data, &p))
        k->http->error(r, 404, gone);
    else
        fn(k, r, &p);
    free(data);
}

#define LAYERS_TAIL (ITEM_TAIL + LAYERS_MAX * (uint32_t)(sizeof(struct shown_layer) + 64) + \
                     LAYER_FIELDS * (uint32_t)(sizeof(struct ec_pair) + 96))

static void answer_packet(struct packets *k, struct ec_req *r, struct packet *p)
{
    struct ec_build b;
    struct packet_reply *to = answer_open(&b, sizeof *to, LAYERS_TAIL);

    if (to) {
        fill_item(k, &b, (struct item *)(void *)&to->id, p);
        to->part.has = to->has;
        fill_layers(&b, &to->layers, &p->layers);
    }
    answer_send(k, r, 200, &b);
}

static void packet_job(struct ec_req *r, void *arg) { with_packet(arg, r, answer_packet); }

static int32_t get_packet(void *self, const void *state, struct ec_req *r)
{
    struct packets *k = self;

    (void)state;
    k->http->work(r, packet_job, k);
    return EC_EAGAIN;
}

#define DUMP_LINE 79u               /* bytes: "00000000  xx ... xx  xx ... xx  |................|\n" */

/* 16 bytes a line. Its length. */
static uint32_t dump(char *to, const uint8_t *p, uint32_t n)
{
    char *at = to;

    for (uint32_t line = 0; line < n; line += 16) {
        at += sprintf(at, "%08x", line);
        for (uint32_t i = line; i < line + 16; i++)
            at += i < n ? sprintf(at, "%s%02x", i % 8 ? " " : "  ", p[i]) : sprintf(at, "%s  ", i % 8 ? " " : "  ");
        at += sprintf(at, "  |");
        for (uint32_t i = line; i < line + 16 && i < n; i++)
            *at++ = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
        at += sprintf(at, "|\n");
    }
    return (uint32_t)(at - to);
}

static void answer_hex(struct packets *k, struct ec_req *r, struct packet *p)
{
    uint32_t n = p->head.caplen, lines = (n + 15) / 16 * DUMP_LINE;
    char *text = malloc(lines + 1);
    struct hex_reply *to = NULL;
    struct ec_build b = { .base = NULL };

    if (text && (to = answer_open(&b, sizeof *to, n + lines + 64))) {
        to->id = p->id;
        to->length = p->head.wirelen;
        to->captured = n;
        to->hex = ec_put(&b, p->data, n);
        to->dump = ec_put(&b, text, dump(text, p->data, n));
    }
    free(text);
    answer_send(k, r, 200, &b);
}

static void hex_job(struct ec_req *r, void *arg) { with_packet(arg, r, answer_hex); }

static int32_t get_hex(void *self, const void *state, struct ec_req *r)
{
    struct packets *k = self;

    (void)state;
    k->http->work(r, hex_job, k);
    return EC_EAGAIN;
}

static void add_stats(struct stats_reply *to, struct ring *r)
{
    struct ring_packet first, last;
    uint64_t tail, head;

    ring_range(r, &tail, &head);
    to->held += head - tail;
    to->bytes += ring_held(r);
    to->memory += r->size;
    to->most += r->slots;
    to->kept += atomic_load_explicit(&r->put, memory_order_relaxed);
    to->kept_bytes += atomic_load_explicit(&r->put_bytes, memory_order_relaxed);
    to->missed += atomic_load_explicit(&r->missed, memory_order_relaxed);
    if (head == tail || !ring_get(r, tail, &first, NULL, 0) || !ring_get(r, head - 1, &last, NULL, 0))
        return;
    if (!(to->part.has >> HAS_TIMES & 1) || first.ts_ns < to->oldest)
        to->oldest = first.ts_ns;
    if (last.ts_ns > to->newest)
        to->newest = last.ts_ns;
    to->part.has |= 1u << HAS_TIMES;
}

static int32_t get_stats(void *self, const void *state, struct ec_req *r)
{
    struct packets *k = self;
    struct ec_build b;
    struct stats_reply *to = answer_open(&b, sizeof *to, 64);

    (void)state;
    if (to)
        to->snap = k->snap;
    for (uint32_t i = 0; to && i < k->n_ring; i++)
        add_stats(to, &k->ring[i]);
    answer_send(k, r, 200, &b);
    return EC_OK;
}

#define ROUTE(p, id, what, pa, re, fn, er) \
    { .size = sizeof(struct ec_route), .method = "GET", .path = "/api/packets" p, .opid = (id), .summary = (what), \
      .roles = PACKETS_WATCHERS, .param = (pa), .reply = (re), .run = (fn), .errors = (er) }
static const struct ec_route routes[] = {
    ROUTE("", "packets", "Recent packets, the newest first", &page_param, &page_reply, get_packets, NULL),
    ROUTE("/stats", "packets_stats", "How many packets are kept, and since when", NULL, &stats_reply, get_stats, NULL),
    ROUTE("/{id}", "packet", "One packet, layer by layer", &id_param, &packet_reply, get_packet, "404"),
    ROUTE("/{id}/hex", "packet_hex", "The bytes of a packet", &id_param, &hex_reply, get_hex, "404"),
};

int32_t routes_setup(struct packets *k, void *http_self)
{
    int32_t err = EC_OK;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0] && !err; i++)
        err = k->http->route(http_self, k->host, &routes[i], k);
    for (size_t i = 0; i < capture_n_route && !err; i++)
        err = k->http->route(http_self, k->host, &capture_routes[i], k);
    if (!err)
        err = k->http->route(http_self, k->host, &alert_route, k);
    return err ? ec_failf(k->host, err, "the HTTP server did not take a route of /api/packets") : EC_OK;
}
