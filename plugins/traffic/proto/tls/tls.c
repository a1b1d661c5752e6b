/* tls.c: the TLS protocol. One transaction for each session: it begins with ClientHello and ends with ServerHello, or
 * with the flow. */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "handshake.h"
#include "hello.h"

struct tls_tx {
    uint8_t *hello;                 /* ClientHello as it was sent, owned: buffers point into it */
    struct tls_hello client, server;
    bool answered;
};

struct tls_state {
    struct tls_side side[2];
    struct ec_tx *tx;
    bool done;
};

enum { PROGRESS_HELLO = 1 };
enum { SLOT_SNI, SLOT_VERSION_CLIENT, SLOT_VERSION, SLOT_ALPN, SLOTS };
static const struct ec_bufdef buffers[SLOTS] = {
    { "tls.sni", "server name that the client asked for", EC_TO_SERVER, EC_BUF_KIND_TX, 0, PROGRESS_HELLO },
    { "tls.version", "highest version that the client offers", EC_TO_SERVER, EC_BUF_KIND_TX, 0, PROGRESS_HELLO },
    { "tls.version", "version that the server chose", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, PROGRESS_HELLO },
    { "tls.alpn", "first application protocol that the client offers", EC_TO_SERVER, EC_BUF_KIND_TX, 0,
      PROGRESS_HELLO },
};

enum { ANOMALY_RECORD, ANOMALY_HELLO, ANOMALY_TOO_LONG, ANOMALIES };
static const char *const anomalies[ANOMALIES] = {
    "invalid_tls_header", "invalid_handshake_message", "too_long_handshake_message" };

struct tls_event { struct ec_part part; struct ec_span sni, version, alpn; };
static const struct ec_row event_rows[] = {
    EC_FIELD(WIRE, EC_R_COLUMN | EC_R_INDEX, struct tls_event, sni, "sni", NULL, "server name that was asked for"),
    EC_FIELD(TEXT, EC_R_COLUMN, struct tls_event, version, "version", NULL, "chosen by the server"),
    EC_FIELD(WIRE, 0, struct tls_event, alpn, "alpn", NULL, "first application protocol that was offered"),
};
static const struct ec_record event_record = EC_RECORD_PART(struct tls_event, event_rows);
static const struct ec_topic topic = {
    sizeof topic, EC_TOPIC_EVENT, "ec.tls/1", "tls", &event_record, NULL, "one TLS handshake" };

static const struct ec_traffic *traffic;

static int32_t tls_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    if (n < TLS_RECORD_HEADER + 1)
        return n && (d[0] != TLS_HANDSHAKE || (n > 1 && d[1] != 3)) ? EC_NO : EC_MORE;
    if (d[0] != TLS_HANDSHAKE || !tls_record_plausible(d))
        return EC_NO;
    return d[5] == (dir == EC_TO_SERVER ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO) ? EC_YES : EC_NO;
}

static const char *version_text(uint16_t version)
{
    static __thread char scratch[16];

    return tls_version_name(version, scratch);
}

/* The version as rules write it: "1.2". */
static void set_version(struct ec_tx *x, uint32_t slot, uint16_t version)
{
    static const char *const minor[] = { "1.0", "1.1", "1.2", "1.3" };

    if (version >= 0x0301 && version <= 0x0304)
        ec_buf_set(x, slot, (const uint8_t *)minor[version - 0x0301], 3, EC_BUF_WHOLE, 0);
}

static void set_range(struct ec_tx *x, uint32_t slot, const uint8_t *message, struct tls_range r, int64_t wire)
{
    if (!r.len)
        return;
    if (wire < 0)
        ec_buf_set(x, slot, message + r.off, r.len, EC_BUF_WHOLE, 0);
    else
        ec_buf_set(x, slot, message + r.off, r.len, EC_BUF_WHOLE | EC_BUF_VERBATIM, (uint64_t)wire + r.off);
}

/* wire: where the message's body stands in the stream, −1: it was put together from several records. */
static void client_hello(struct ec_pctx *c, struct tls_state *s, const uint8_t *d, uint32_t n, int64_t wire)
{
    struct ec_tx *x = s->tx ? NULL : traffic->tx_begin(c);
    struct tls_tx *t;

    if (!x)
        return;
    t = x->mem;
    if (!(t->hello = malloc(n ? n : 1))) {
        traffic->tx_end(c, x);
        return;
    }
    memcpy(t->hello, d, n);
    s->tx = x;
    if (!tls_hello_read(&t->client, TLS_CLIENT_HELLO, d, n))
        traffic->anomaly(c, x, ANOMALY_HELLO);
    set_range(x, SLOT_SNI, t->hello, t->client.sni, wire);
    set_range(x, SLOT_ALPN, t->hello, t->client.alpn, wire);
    set_version(x, SLOT_VERSION_CLIENT, t->client.offered);
    traffic->tx_step(c, x, EC_TO_SERVER, PROGRESS_HELLO);
}

static void tls_finish(struct ec_pctx *c, struct tls_state *s)
{
    struct ec_tx *x = s->tx;

    s->tx = NULL;
    s->done = true;
    if (x)
        traffic->tx_end(c, x);
}

static void server_hello(struct ec_pctx *c, struct tls_state *s, const uint8_t *d, uint32_t n)
{
    struct ec_tx *x = s->tx ? s->tx : traffic->tx_begin(c);     /* the client's side was not seen */
    struct tls_tx *t;

    if (!x)
        return;
    s->tx = x;
    t = x->mem;
    if (!tls_hello_read(&t->server, TLS_SERVER_HELLO, d, n))
        traffic->anomaly(c, x, ANOMALY_HELLO);
    t->answered = true;
    set_version(x, SLOT_VERSION, t->server.version);
    x->progress[EC_TO_CLIENT] = PROGRESS_HELLO;
    x->dir = EC_TO_CLIENT;
    tls_finish(c, s);
}

/* One handshake message; d starts with its header. */
static void handshake_message(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n,
                              int64_t wire)
{
    struct tls_side *side = &s->side[dir];

    if (side->hello)
        return;
    side->hello = side->closed = true;          /* what follows is not read in this direction */
    if (dir == EC_TO_SERVER && d[0] == TLS_CLIENT_HELLO)
        client_hello(c, s, d + 4, n - 4, wire < 0 ? -1 : wire + 4);
    else if (dir == EC_TO_CLIENT && d[0] == TLS_SERVER_HELLO)
        server_hello(c, s, d + 4, n - 4);
}

static void handshake_record(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n,
                             uint64_t wire)
{
    struct tls_side *side = &s->side[dir];

    while (n && !side->closed) {
        uint32_t len, used;
        bool bad;
        const uint8_t *m = tls_side_message(side, d, n, &len, &used, &bad);
        if (bad) {
            traffic->anomaly(c, s->tx, ANOMALY_TOO_LONG);
            side->closed = true;
        }
        if (!m)
            return;
        handshake_message(c, s, dir, m, len, m == d ? (int64_t)wire : -1);
        d += used;
        n -= used;
        wire += used;
    }
}

static int64_t tls_records(struct ec_pctx *c, struct tls_state *s, const struct ec_chunk *k)
{
    struct tls_side *side = &s->side[k->dir];
    uint32_t at = 0;

    while (!side->closed && k->len - at >= TLS_RECORD_HEADER) {
        const uint8_t *d = k->data + at;
        uint32_t n = tls_record_length(d);
        if (!tls_record_plausible(d)) {
            traffic->anomaly(c, s->tx, ANOMALY_RECORD);
            side->closed = true;
            break;
        }
        if (k->len - at - TLS_RECORD_HEADER < n)
            return at;
        if (d[0] == TLS_HANDSHAKE)
            handshake_record(c, s, k->dir, d + TLS_RECORD_HEADER, n, k->offset + at + TLS_RECORD_HEADER);
        else if (d[0] == TLS_APPLICATION || d[0] == TLS_CHANGE_CIPHER)
            side->closed = true;
        at += TLS_RECORD_HEADER + n;
    }
    return side->closed ? k->len : at;
}

static int64_t tls_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    struct tls_state *s = state;
    int64_t eaten;

    (void)self;
    if (k->flags & EC_CH_GAP)
        s->side[k->dir].closed = true;
    eaten = tls_records(c, s, k);
    if ((k->flags & EC_CH_END) && !s->done)
        tls_finish(c, s);
    return eaten;
}

static int32_t tls_record(void *self, const struct ec_tx *x, uint32_t topic_id, struct ec_build *b)
{
    const struct tls_tx *t = x->mem;
    struct tls_event *e = ec_add(b, topic_id, sizeof *e);

    (void)self;
    if (!e)
        return EC_ELIMIT;
    if (t->client.sni.len)
        e->sni = ec_put(b, t->hello + t->client.sni.off, t->client.sni.len);
    if (t->answered)
        e->version = ec_puts(b, version_text(t->server.version));
    if (t->client.alpn.len)
        e->alpn = ec_put(b, t->hello + t->client.alpn.off, t->client.alpn.len);
    return EC_OK;
}

static void tls_tx_drop(void *self, void *tx)
{
    struct tls_tx *t = tx;

    (void)self;
    free(t->hello);
    t->hello = NULL;
}

static void tls_state_drop(void *self, void *state)
{
    struct tls_state *s = state;

    (void)self;
    tls_side_drop(&s->side[EC_TO_SERVER]);
    tls_side_drop(&s->side[EC_TO_CLIENT]);
}

static const struct ec_proto tls = {
    .size = sizeof(struct ec_proto),
    .name = "tls",
    .hints = "tcp/443,465,853,993,995,8443",
    .topic = "ec.tls/1",
    .state_bytes = sizeof(struct tls_state),
    .tx_bytes = sizeof(struct tls_tx),
    .n_buf = SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = buffers,
    .n_anomaly = ANOMALIES,
    .anomaly = anomalies,
    .probe = tls_probe,
    .parse = tls_parse,
    .record = tls_record,
    .tx_drop = tls_tx_drop,
    .state_drop = tls_state_drop,
};

int32_t tls_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t id;
    int32_t err = h->topic(h, &topic, &id);

    traffic = t;
    return err ? err : t->proto(t_self, h, &tls, NULL, &id);
}
