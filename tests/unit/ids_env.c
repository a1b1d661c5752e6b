#include "tests/unit/ids_env.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *proto; uint32_t slot, dir; } buffers[] = {
    { "http.method", "http", HTTP_METHOD, EC_TO_SERVER }, { "http.uri", "http", HTTP_URI, EC_TO_SERVER },
    { "http.user_agent", "http", HTTP_USER_AGENT, EC_TO_SERVER },
    { "http.request_body", "http", HTTP_REQUEST_BODY, EC_TO_SERVER },
    { "http.stat_code", "http", HTTP_STAT_CODE, EC_TO_CLIENT },
    { "http.response_body", "http", HTTP_RESPONSE_BODY, EC_TO_CLIENT },
    { "http.header", "http", HTTP_HEADER_TS, EC_TO_SERVER }, { "http.header", "http", HTTP_HEADER_TC, EC_TO_CLIENT },
    { "http.cookie", "http", HTTP_COOKIE, EC_TO_SERVER },
    { "dns.query", "dns", 0, EC_TO_SERVER }, { "tls.sni", "tls", 0, EC_TO_SERVER },
};

uint32_t env_name(struct env_world *w, const char *space, const char *name)
{
    char full[64];

    snprintf(full, sizeof full, "%s/%s", space, name);
    for (uint32_t i = 0; i < w->n_names; i++)
        if (!strcmp(w->names[i], full))
            return i + 1;
    if (w->n_names == 512)
        return 0;
    memcpy(w->names[w->n_names++], full, sizeof full);
    return w->n_names;
}

static uint32_t world_intern(void *arg, const char *space, const char *name)
{
    return env_name(arg, space, name);
}

static int32_t world_slot(void *arg, const char *name, uint32_t i, struct ec_slot *out)
{
    for (size_t k = 0; k < sizeof buffers / sizeof buffers[0]; k++)
        if (!strcmp(buffers[k].name, name) && !i--) {
            out->proto = env_name(arg, "app_proto", buffers[k].proto);
            out->slot = buffers[k].slot;
            out->dir = buffers[k].dir;
            out->kind = EC_BUF_KIND_TX;
            return 0;
        }
    return EC_ENOENT;
}

static uint32_t world_proto(void *arg, const char *name)
{
    for (size_t k = 0; k < sizeof buffers / sizeof buffers[0]; k++)
        if (!strcmp(buffers[k].proto, name))
            return env_name(arg, "app_proto", name);
    return 0;
}

static int32_t world_anomaly(void *arg, uint32_t i, struct ec_anomaly *out)
{
    const struct ec_anomaly all[] = {
        { out->size, EC_ANOMALY_DECODE, ENV_TRUNC, 0, "decoder.ipv4.trunc_pkt" },
        { out->size, EC_ANOMALY_DECODE, ENV_OVERLAP, 0, "decoder.ipv6.frag_overlap" },
        { out->size, EC_ANOMALY_DECODE, ENV_SUM, 0, "decoder.tcp.csum_invalid" },
        { out->size, EC_ANOMALY_STREAM, ENV_GAP, 0, "stream.reassembly_seq_gap" },
        { out->size, EC_ANOMALY_DETECT, ENV_MISMATCH, 0, "APPLAYER_MISMATCH_PROTOCOL_BOTH_DIRECTIONS" },
        { out->size, EC_ANOMALY_PROTO, ENV_HTTP_HOST, env_name(arg, "app_proto", "http"), "MISSING_HOST_HEADER" },
        { out->size, EC_ANOMALY_PROTO, ENV_HTTP_CHUNK, env_name(arg, "app_proto", "http"), "INVALID_REQUEST_CHUNK_LEN" },
    };

    if (i >= sizeof all / sizeof all[0])
        return EC_ENOENT;
    *out = all[i];
    return 0;
}

static const struct ec_buf *world_fill(void *self, struct ec_tx *x, uint32_t slot)
{
    (void)self;
    return x->buf + slot;
}

static void *world_lock(void *self, uint32_t space, const void *key, uint32_t len, uint64_t now)
{
    struct env_world *w = self;

    (void)space, (void)now;
    for (uint32_t i = 0; i < w->n_entry; i++)
        if (w->entry[i].len == len && !memcmp(w->entry[i].key, key, len))
            return w->entry[i].entry;
    if (w->n_entry == 64)
        return NULL;
    memcpy(w->entry[w->n_entry].key, key, len);
    w->entry[w->n_entry].len = len;
    return w->entry[w->n_entry++].entry;
}

static void world_unlock(void *self, void *entry)
{
    (void)self, (void)entry;
}

static bool world_alert(void *arg, const struct scope *s, const struct hit *h)
{
    struct env_world *w = arg;
    struct env_alert *a = &w->alert[w->n_alert];

    if (w->n_alert == ENV_ALERTS)
        return false;
    w->n_alert++;
    a->sid = h->rule->sid;
    a->n = h->n < 8 ? h->n : 8;
    a->dir = s->dir;
    for (uint32_t i = 0; i < a->n; i++) {
        a->f[i] = h->finding[i];
        snprintf(a->bytes[i], sizeof a->bytes[i], "%.*s", (int)a->f[i].len, (const char *)a->f[i].bytes);
    }
    return true;
}

void env_open(struct env_world *w)
{
    memset(w, 0, sizeof *w);
    w->env = (struct env){ .arg = w, .slot = world_slot, .intern = world_intern, .proto = world_proto,
                           .anomaly = world_anomaly, .hosts = true };
    w->traffic.fill = world_fill;
    w->hosts.lock = world_lock;
    w->hosts.unlock = world_unlock;
    w->port = (struct engine_port){ .arg = w, .traffic = &w->traffic, .traffic_self = w, .hosts = &w->hosts,
                                    .hosts_self = w, .alert = world_alert };
    w->port.flow_lease = offsetof(struct env_flow, state);
    w->port.tx_lease = offsetof(struct env_tx, state);
    if (!worker_open(&w->worker, &w->port, 0, 64))
        abort();
    w->worker.count = w->counts;
    w->frame.count = 1;
    w->frame.ts_ns = UINT64_C(1000000000);
}

void env_close(struct env_world *w)
{
    engine_free(w->engine);
    worker_close(&w->worker);
}

struct ruleset *env_rules(struct env_world *w, const char *text)
{
    struct ruleset *s = ruleset_new();

    ruleset_text(s, &w->env, "test.rules", text, strlen(text));
    if (!ruleset_finish(s))
        abort();
    return s;
}

uint32_t env_load(struct env_world *w, const char *text)
{
    struct engine_options o = { .workers = 1, .max_alerts = 15, .pcre_match_limit = 3500, .pcre_depth_limit = 1500,
                                .windows = 64 };
    char why[256];

    engine_free(w->engine);
    w->engine = engine_new(env_rules(w, text), &o, why, sizeof why);
    if (!w->engine) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    w->gen++;
    return w->engine->n_rule;
}

static void address(uint8_t a[16], const char *text)
{
    memset(a, 0, 10);
    a[10] = a[11] = 0xff;
    inet_pton(AF_INET, text, a + 12);
}

void env_flow(struct env_world *w, struct env_flow *f, uint8_t ip_proto)
{
    (void)w;
    memset(f, 0, sizeof *f);
    f->f.size = sizeof f->f;
    address(f->f.src, "10.0.0.1");
    address(f->f.dst, "192.0.2.80");
    f->f.sport = 40000;
    f->f.dport = 80;
    f->f.ip_proto = ip_proto;
    f->f.state = EC_FLOW_ESTABLISHED;
}

void env_tx(struct env_world *w, struct env_tx *x, const char *proto)
{
    memset(x, 0, sizeof *x);
    x->x.size = sizeof x->x;
    x->x.proto = env_name(w, "app_proto", proto);
    x->x.buf = x->buf;
}

static struct ec_packet packet(struct env_world *w, struct env_flow *f, uint8_t ip_proto, uint32_t dir, const char *d,
                               size_t n)
{
    struct ec_packet p = { .size = sizeof p, .frame = &w->frame, .flow = f ? &f->f : NULL, .dir = (uint8_t)dir };

    p.data = (const uint8_t *)d;
    p.len = p.payload_len = (uint32_t)n;
    p.payload = n ? 0 : EC_NOOFF;
    p.ip_proto = ip_proto;
    p.ip_version = 4;
    address(p.src, dir == EC_TO_SERVER ? "10.0.0.1" : "192.0.2.80");
    address(p.dst, dir == EC_TO_SERVER ? "192.0.2.80" : "10.0.0.1");
    p.sport = dir == EC_TO_SERVER ? 40000 : 80;
    p.dport = dir == EC_TO_SERVER ? 80 : 40000;
    p.flags = f ? EC_PK_ESTABLISHED : 0;
    if (f && ip_proto == IPPROTO_ICMP && f->f.ip_proto != IPPROTO_ICMP) {   /* a router says something about it */
        p.flags |= EC_PK_ABOUT;
        address(p.src, "203.0.113.1");
    }
    p.raised = w->raised;
    return p;
}

static void next_frame(struct env_world *w)
{
    w->frame.count++;
    w->frame.ts_ns += UINT64_C(1000000);
}

void env_chunk(struct env_world *w, struct env_flow *f, uint32_t dir, uint64_t offset, const char *d, size_t n,
               uint32_t flags)
{
    struct ec_packet p = packet(w, f, IPPROTO_TCP, dir, d, n);
    struct ec_chunk k = { .size = sizeof k, .flags = flags, .data = (const uint8_t *)d, .len = (uint32_t)n, .dir = dir,
                          .offset = offset, .packet = &p };

    p.flags |= EC_PK_STREAM;
    engine_chunk(&w->worker, w->engine, w->gen, &f->f, &k);
    engine_packet(&w->worker, w->engine, w->gen, &p);
    next_frame(w);
}

uint32_t env_packet(struct env_world *w, struct env_flow *f, uint8_t ip_proto, uint32_t dir, const char *d, size_t n)
{
    struct ec_packet p = packet(w, f, ip_proto, dir, d, n);

    engine_packet(&w->worker, w->engine, w->gen, &p);
    next_frame(w);
    return p.verdict;
}

void env_buf(struct env_tx *x, uint32_t slot, const char *d, uint32_t state)
{
    ec_buf_set(&x->x, slot, (const uint8_t *)d, (uint32_t)strlen(d), state, 0);
}

void env_step(struct env_world *w, struct env_flow *f, struct env_tx *x, uint32_t dir, uint32_t flags)
{
    struct ec_packet p = packet(w, f, f->f.ip_proto, dir, "", 0);

    x->x.dir = (uint8_t)dir;
    x->x.flags |= flags;
    f->f.proto = x->x.proto;
    engine_tx(&w->worker, w->engine, w->gen, &f->f, &x->x, &p);
    x->x.fresh = 0;
    next_frame(w);
}

const char *env_sids(struct env_world *w)
{
    static char text[ENV_ALERTS * 12];
    size_t n = 0;

    text[0] = 0;
    for (uint32_t i = 0; i < w->n_alert; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", i ? " " : "", w->alert[i].sid);
    w->n_alert = 0;
    return text;
}
