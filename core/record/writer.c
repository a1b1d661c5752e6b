#include "core/record/writer.h"

#include "core/record/shape.h"

#include <stdio.h>
#include <stdlib.h>

#define OURS      "ecyber." /* roots of this kind are gathered in one last object */
#define PARTS_MAX 256

struct root {                      /* of one topic */
    const struct program *program; /* NULL: there is no such topic */
    char *type;                    /* "\"event_type\":\"dns\"," */
    char *key;                     /* "\"dns\":"; of our own roots the last name */
    char *group; /* of "ecyber.geoip.src" "\"geoip\":", which holds all of that name; NULL: none */
    uint32_t type_len, key_len, group_len;
    bool ours;
};
struct writer {
    const struct ec_host *host;
    uint32_t n; /* ids are 1 … n */
    struct root root[];
};

/* "\"name\":" of n bytes; its length, 0: out of memory. */
static uint32_t key_make(char **to, const char *name, size_t n)
{
    int len = asprintf(to, "\"%.*s\":", (int)n, name);

    if (len < 0)
        *to = NULL;
    return len < 0 ? 0 : (uint32_t)len;
}

static bool root_make(struct root *s, struct shapes *shapes, const struct ec_topic *t)
{
    const struct ec_shape *shape = shapes_get(shapes, t->record);
    const char *name = t->root, *dot = NULL;
    int n;

    if (!shape)
        return false;
    s->ours = !strncmp(t->root, OURS, sizeof OURS - 1);
    n = asprintf(&s->type, "\"event_type\":\"%s\",", t->root);
    s->type_len = (uint32_t)n;
    if (n < 0) {
        s->type = NULL;
        return false;
    }
    if (s->ours && (dot = strchr(name += sizeof OURS - 1, '.'))) {
        if (!(s->group_len = key_make(&s->group, name, (size_t)(dot - name))))
            return false;
        name = dot + 1;
    }
    if (!(s->key_len = key_make(&s->key, name, strlen(name))))
        return false;
    s->program = shape->program;
    return true;
}

struct writer *writer_new(const struct ec_host *h, struct shapes *shapes, const char **topic)
{
    uint32_t n = h->topic_count(h);
    struct writer *w = calloc(1, sizeof *w + (n + 1u) * sizeof w->root[0]);

    *topic = "";
    if (!w)
        return NULL;
    w->host = h;
    w->n = n;
    for (uint32_t id = 1; id <= n; id++) {
        const struct ec_topic *t = h->topic_get(h, id);

        if (t && t->root && t->record && !root_make(&w->root[id], shapes, t)) {
            *topic = t->name;
            writer_free(w);
            return NULL;
        }
    }
    return w;
}

void writer_free(struct writer *w)
{
    for (uint32_t id = 1; w && id <= w->n; id++) {
        free(w->root[id].type);
        free(w->root[id].key);
        free(w->root[id].group);
    }
    free(w);
}

static void put_interned(const struct writer *w, struct json *j, const char *key, const char *space,
                         uint32_t id)
{
    const char *name = w->host->interned(w->host, space, id);

    if (!name || !json_need(j, 32))
        return;
    json_put_raw(j, key, strlen(key));
    json_text(j, (const uint8_t *)name, strlen(name));
    if (json_need(j, 1))
        json_put_char(j, ',');
}

/* IP protocols by the names that EVE's readers know; others as three digits. */
static void put_proto(struct json *j, uint8_t proto)
{
    static const char *const names[256] = {
        [1] = "ICMP", [2] = "IGMP",       [4] = "IP-in-IP", [6] = "TCP",
        [17] = "UDP", [41] = "IPv6",      [47] = "GRE",     [50] = "ESP",
        [51] = "AH",  [58] = "IPv6-ICMP", [103] = "PIM",    [115] = "L2TP", [132] = "SCTP",
    };
    char digits[3] = {(char)('0' + proto / 100), (char)('0' + proto / 10 % 10),
                      (char)('0' + proto % 10)};

    JSON_PUT(j, "\"proto\":\"");
    if (names[proto])
        json_put_raw(j, names[proto], strlen(names[proto]));
    else
        json_put_raw(j, digits, sizeof digits);
    JSON_PUT(j, "\",");
}

#define PUT_NUMBER(j, key, v)                                                                      \
    do {                                                                                           \
        JSON_PUT((j), "\"" key "\":");                                                             \
        json_put_u64((j), (v));                                                                    \
        json_put_char((j), ',');                                                                   \
    } while (0)

static void put_endpoints(struct json *j, const struct ec_event *ev)
{
    JSON_PUT(j, "\"src_ip\":");
    json_put_ip(j, ev->src);
    json_put_char(j, ',');
    if (ev->flags & EC_EV_PORTS)
        PUT_NUMBER(j, "src_port", ev->sport);
    JSON_PUT(j, "\"dest_ip\":");
    json_put_ip(j, ev->dst);
    json_put_char(j, ',');
    if (ev->flags & EC_EV_PORTS)
        PUT_NUMBER(j, "dest_port", ev->dport);
    put_proto(j, ev->ip_proto);
    if (ev->flags & EC_EV_ICMP) {
        PUT_NUMBER(j, "icmp_type", ev->sport);
        PUT_NUMBER(j, "icmp_code", ev->dport);
    }
    if ((ev->flags & EC_EV_ICMP_REPLY) && EC_HAS(ev, struct ec_event, origin)) {
        PUT_NUMBER(j, "response_icmp_type", ev->reply_type);
        PUT_NUMBER(j, "response_icmp_code", ev->reply_code);
    }
}

static void put_vlans(struct json *j, const struct ec_event *ev)
{
    JSON_PUT(j, "\"vlan\":[");
    json_put_u64(j, ev->vlan[0]);
    if (ev->vlans > 1) {
        json_put_char(j, ',');
        json_put_u64(j, ev->vlan[1]);
    }
    if (ev->vlans > 2 && EC_HAS(ev, struct ec_event, vlan_third)) {
        json_put_char(j, ',');
        json_put_u64(j, ev->vlan_third);
    }
    JSON_PUT(j, "],");
}

/* The protocol, and what else it was taken for. */
static void put_app(const struct writer *w, struct json *j, const struct ec_event *ev)
{
    if (ev->app_proto)
        put_interned(w, j, "\"app_proto\":", "app_proto", ev->app_proto);
    if (!EC_HAS(ev, struct ec_event, origin))
        return;
    if (ev->app_side[0])
        put_interned(w, j, "\"app_proto_ts\":", "app_proto", ev->app_side[0]);
    if (ev->app_side[1])
        put_interned(w, j, "\"app_proto_tc\":", "app_proto", ev->app_side[1]);
    if (ev->app_orig)
        put_interned(w, j, "\"app_proto_orig\":", "app_proto", ev->app_orig);
    if (ev->app_expected)
        put_interned(w, j, "\"app_proto_expected\":", "app_proto", ev->app_expected);
}

#define HEAD_ROOM 512 /* all of the head but the names */

static void write_head(const struct writer *w, struct json *j, const struct ec_event *ev,
                       const struct root *s)
{
    if (!json_need(j, HEAD_ROOM))
        return;
    JSON_PUT(j, "{\"timestamp\":");
    json_put_time(j, ev->ts_ns);
    json_put_char(j, ',');
    if (ev->flags & EC_EV_FLOW)
        PUT_NUMBER(j, "flow_id", ev->flow_id);
    if (ev->iface)
        put_interned(w, j, "\"in_iface\":", "iface", ev->iface);
    if (!json_need(j, HEAD_ROOM + s->type_len))
        return;
    json_put_raw(j, s->type, s->type_len);
    if (ev->vlans)
        put_vlans(j, ev);
    if (ev->flags & EC_EV_IP)
        put_endpoints(j, ev);
    put_app(w, j, ev);
    if (!json_need(j, HEAD_ROOM))
        return;
    if (ev->flags & EC_EV_COMMUNITY) {
        JSON_PUT(j, "\"community_id\":\"1:");
        j->at += json_base64(j->at, ev->community, sizeof ev->community);
        JSON_PUT(j, "\",");
    }
    if (ev->flags & EC_EV_COUNT)
        PUT_NUMBER(j, "pcap_cnt", ev->count);
    if (EC_HAS(ev, struct ec_event, origin) && ev->origin == EC_ORIGIN_WIRE)
        JSON_PUT(j, "\"pkt_src\":\"wire/pcap\",");
    else if (EC_HAS(ev, struct ec_event, origin) && ev->origin == EC_ORIGIN_DEFRAG)
        JSON_PUT(j, "\"pkt_src\":\"defrag\",");
    if (ev->flags & EC_EV_TX)
        PUT_NUMBER(j, "tx_id", ev->tx_id);
    if (ev->dir == EC_DIR_TO_SERVER)
        JSON_PUT(j, "\"direction\":\"to_server\",");
    else if (ev->dir == EC_DIR_TO_CLIENT)
        JSON_PUT(j, "\"direction\":\"to_client\",");
}

static const struct root *root_of(const struct writer *w, uint32_t topic)
{
    return topic && topic <= w->n && w->root[topic].program ? &w->root[topic] : NULL;
}

/* The parts that lie within the block. Returns how many; *whole: nothing was wrong with them. */
static uint32_t collect(const struct ec_event *ev, const struct ec_part **part, bool *whole)
{
    uint32_t at = ev->first, n = 0;

    *whole = true;
    while (n < ev->parts && n < PARTS_MAX) {
        const struct ec_part *p = (const void *)((const uint8_t *)ev + at);

        if (at % 8 || at > ev->total || ev->total - at < sizeof *p || p->size < sizeof *p ||
            p->total < p->size || p->total > ev->total - at)
            break;
        part[n++] = p;
        at += p->total;
    }
    *whole = n == ev->parts;
    return n;
}

/* One part as an object; all parts of its topic as an array where there are several. */
static bool write_root(const struct root *s, struct json *j, const struct ec_part **part,
                       uint32_t i, uint32_t n, bool event)
{
    uint32_t same = 1;
    size_t mark, element;
    bool ok = true;

    for (uint32_t k = i + 1; k < n; k++)
        same += part[k] && part[k]->topic == part[i]->topic;
    mark = json_open(j, s->key, s->key_len, same > 1 ? '[' : '{');
    for (uint32_t k = i; same > 1 && k < n; k++) {
        if (!part[k] || (k != i && part[k]->topic != part[i]->topic))
            continue;
        element = json_open(j, "", 0, '{');
        ok &= program_run(s->program, j, part[k]);
        json_close(j, element, '}', true);
        if (k != i)
            part[k] = NULL; /* done */
    }
    if (same == 1)
        ok &= program_run(s->program, j, part[i]);
    json_close(j, mark, same > 1 ? ']' : '}', event || same > 1);
    return ok;
}

/* All parts from i on that stand in the same object below "ecyber". */
static bool write_group(const struct writer *w, struct json *j, const struct ec_part **part,
                        uint32_t i, uint32_t n)
{
    const struct root *first = root_of(w, part[i]->topic);
    size_t mark = json_open(j, first->group, first->group_len, '{');
    bool ok = true;

    for (uint32_t k = i; k < n; k++) {
        const struct root *s = part[k] ? root_of(w, part[k]->topic) : NULL;

        if (!s || !s->group || strcmp(s->group, first->group))
            continue;
        ok &= write_root(s, j, part, k, n, false);
        part[k] = NULL; /* done */
    }
    json_close(j, mark, '}', false);
    return ok;
}

static bool write_parts(const struct writer *w, struct json *j, const struct ec_part **part,
                        uint32_t n, bool ours)
{
    bool ok = true;

    for (uint32_t i = 0; i < n; i++) {
        const struct root *s = part[i] ? root_of(w, part[i]->topic) : NULL;

        if (!s)
            ok &= !part[i];
        else if (s->ours == ours && s->group)
            ok &= write_group(w, j, part, i, n);
        else if (s->ours == ours)
            ok &= write_root(s, j, part, i, n, i == 0);
    }
    return ok;
}

/* Of part 0; 0: there is none. */
static uint32_t first_topic(const struct ec_event *ev)
{
    const struct ec_part *p = ec_part_first(ev);

    if (!ev->parts || ev->first % 8 || ev->first > ev->total || ev->total - ev->first < sizeof *p)
        return 0;
    return p->topic;
}

enum writer_result writer_event(const struct writer *w, struct json *j, const struct ec_event *ev)
{
    const struct ec_part *part[PARTS_MAX];
    const struct root *s = root_of(w, first_topic(ev));
    size_t start = json_length(j), ours;
    bool whole;
    uint32_t n;

    if (!s)
        return WRITER_FAILED;
    n = collect(ev, part, &whole);
    write_head(w, j, ev, s);
    whole &= write_parts(w, j, part, n, false);
    ours = json_open(j, "\"ecyber\":", 9, '{');
    if (json_need(j, 64)) {
        if (ev->flags & EC_EV_REPLAY)
            JSON_PUT(j, "\"replay\":true,");
        if (ev->flags & EC_EV_CUT)
            JSON_PUT(j, "\"cut\":true,");
    }
    whole &= write_parts(w, j, part, n, true);
    json_close(j, ours, '}', false);
    if (j->failed) {
        j->at = j->base + start;
        j->failed = false;
        return WRITER_FAILED;
    }
    j->at[-1] = '}'; /* in place of the last comma */
    return whole ? WRITER_OK : WRITER_MALFORMED;
}
