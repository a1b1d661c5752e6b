/* The packets of an alert: those between its two ends that are still in memory. */
#include "plugins/packets/api.h"

#include "lib/download.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 50000u                 /* packets in one file */

struct id_param { struct ec_part part; uint64_t id; };
static const struct ec_row id_rows[] = {
    ROW(U64, 0, 0, struct id_param, id, "id", NULL, NULL, NULL, "id of an alert", 0, 0) };
static const struct ec_record id_param = EC_RECORD_PART(struct id_param, id_rows);

/* What the alert says of its ends. */
struct ends { bool alert, ip, ports; uint8_t src[16], dst[16]; uint16_t sport, dport; char proto[16]; };

static bool read_address(struct json_object *o, const char *name, uint8_t to[16])
{
    struct json_object *v;
    const char *text = json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : "";

    memset(to, 0, 16);
    if (strchr(text, ':'))
        return inet_pton(AF_INET6, text, to) == 1;
    to[10] = to[11] = 0xff;
    return inet_pton(AF_INET, text, to + 12) == 1;
}

static bool read_port(struct json_object *o, const char *name, uint16_t *to)
{
    struct json_object *v;

    *to = 0;
    if (!json_object_object_get_ex(o, name, &v))
        return false;
    *to = (uint16_t)json_object_get_int(v);
    return true;
}

static const char *text_of(struct json_object *o, const char *name)
{
    struct json_object *v;

    return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : "";
}

static int32_t read_event(void *arg, uint64_t id, const char *json, uint32_t len)
{
    struct json_tokener *t = json_tokener_new();
    struct json_object *o = t ? json_tokener_parse_ex(t, json, (int)len) : NULL;
    struct ends *to = arg;

    (void)id;
    if (json_object_is_type(o, json_type_object)) {
        to->alert = !strcmp(text_of(o, "event_type"), "alert");
        to->ip = read_address(o, "src_ip", to->src) && read_address(o, "dest_ip", to->dst);
        to->ports = read_port(o, "src_port", &to->sport) && read_port(o, "dest_port", &to->dport);
        snprintf(to->proto, sizeof to->proto, "%s", text_of(o, "proto"));
    }
    json_object_put(o);
    if (t)
        json_tokener_free(t);
    return 0;
}

/* Ids of its packets, the newest first. */
struct found { const struct ends *of; uint64_t *id; uint32_t n; };

static bool is_of(const struct ends *e, const struct layers *l)
{
    bool there = !memcmp(l->src, e->src, 16) && !memcmp(l->dst, e->dst, 16);
    bool back = !memcmp(l->src, e->dst, 16) && !memcmp(l->dst, e->src, 16);

    if (e->ports && (!l->ports || strcasecmp(e->proto, l->proto) != 0))
        return false;
    there = there && (!e->ports || (l->sport == e->sport && l->dport == e->dport));
    back = back && (!e->ports || (l->sport == e->dport && l->dport == e->sport));
    return l->ip && (there || back) && (e->ports || !l->ports);
}

static bool add(void *arg, struct packet *p)
{
    struct found *f = arg;

    if (is_of(f->of, &p->layers))
        f->id[f->n++] = p->id;
    return f->n < MOST;
}

/* The oldest first, into memory. How many; *fd: the file, −1: errno says why there is none. */
static uint32_t write_found(struct packets *k, const struct found *f, uint8_t *data, int *fd)
{
    FILE *out = NULL;
    struct pcapng g;
    struct packet p;
    uint32_t n = 0;
    bool good;

    if ((*fd = memfd_create("packets", MFD_CLOEXEC)) < 0 || !(out = fdopen(dup(*fd), "w")))
        return 0;
    good = pcapng_begin(&g, out, k->host->product);
    for (uint32_t i = f->n; good && i--; )
        if (recent_get(k, f->id[i], data, &p)) {
            good = pcapng_packet(&g, &p.head, p.head.iface ? k->host->interned(k->host, "iface", p.head.iface) : NULL,
                                 data);
            n++;
        }
    good = good && pcapng_end(&g, 0);
    fclose(out);
    return good && lseek(*fd, 0, SEEK_SET) == 0 ? n : 0;
}

/* data: RING_PACKET_MAX bytes; id: room for MOST. A descriptor, or EC_E* and a sentence. */
static int32_t collect(struct packets *k, const struct ends *ends, uint8_t *data, uint64_t *id, char *why, uint32_t n)
{
    struct recent want = { .before_ns = UINT64_MAX, .before_id = UINT64_MAX, .by_net = true, .prefix = 128 };
    struct found f = { ends, id, 0 };
    int fd = -1;

    memcpy(want.net, ends->src, sizeof want.net);
    recent_each(k, &want, data, add, &f);
    if (!f.n) {
        snprintf(why, n, "none of its packets is in memory any more: raise packets.memory, or capture the next one");
        return EC_ENOENT;
    }
    if (write_found(k, &f, data, &fd))
        return fd;
    snprintf(why, n, "no file can be made: %.40s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return EC_EIO;
}

int32_t alert_open(void *self, uint64_t event, char *why, uint32_t n)
{
    struct packets *k = self;
    uint8_t *data = malloc(RING_PACKET_MAX);
    uint64_t *id = calloc(MOST, sizeof *id);
    struct ends ends = { .alert = false };
    int32_t fd = EC_ENOENT;

    if (!k->store) {
        fd = EC_EIO;
        snprintf(why, n, "there is no store, so no alert can be looked up");
    } else if (!data || !id) {
        fd = EC_ENOMEM;
        snprintf(why, n, "out of memory");
    } else if (event > INT64_MAX || k->store->event(k->store_self, event, read_event, &ends) || !ends.alert) {
        snprintf(why, n, "there is no such alert");
    } else if (!ends.ip) {
        snprintf(why, n, "it is of no IP packet");
    } else {
        fd = collect(k, &ends, data, id, why, n);
    }
    free(data);
    free(id);
    return fd;
}

/* [pool] */
static void alert_job(struct ec_req *r, void *arg)
{
    struct packets *k = arg;
    const struct id_param *p = k->http->param(r);
    char why[160], name[64];
    int32_t fd = alert_open(k, p->id, why, sizeof why);

    snprintf(name, sizeof name, "ecyber-alert-%" PRIu64 ".pcapng", p->id);
    if (fd < 0)
        k->http->error(r, fd == EC_ENOENT ? 404 : 503, why);
    else
        download(k->host, k->http, r, fd, name);
}

static int32_t get_alert(void *self, const void *state, struct ec_req *r)
{
    struct packets *k = self;

    (void)state;
    k->http->work(r, alert_job, k);
    return EC_EAGAIN;
}

const struct ec_route alert_route = {
    .size = sizeof(struct ec_route), .flags = EC_RT_STREAM, .method = "GET", .path = "/api/ids/alerts/{id}/pcap",
    .opid = "alert_pcap", .summary = "The packets of an alert that are still in memory, as pcapng",
    .roles = PACKETS_WATCHERS, .param = &id_param, .run = get_alert, .errors = "404", .type = "application/x-pcapng" };
