/* tls.c: the TLS protocol. One transaction for each session: it begins with the first hello and ends when the handshake
 * is over or nothing more can be read of it: with ServerHello in TLS 1.3, else when both sides have begun to encrypt,
 * with a fatal alert, or with the flow. */
#include "tls.h"

#include "record.h"
#include "session.h"

struct tls_state {
    struct tls_side side[2];
    struct ec_tx *tx;
    uint16_t version;               /* that the server chose; 0: it has not */
    bool done;
};

enum { ANOMALY_RECORD, ANOMALY_HELLO, ANOMALY_TOO_LONG, ANOMALY_CERTIFICATE, ANOMALY_LENGTH, ANOMALIES };
static const char *const anomalies[ANOMALIES] = {
    "INVALID_TLS_HEADER", "INVALID_HANDSHAKE_MESSAGE", "TOO_LONG_HANDSHAKE_MESSAGE", "INVALID_CERTIFICATE",
    "INVALID_RECORD_LENGTH" };

enum { MESSAGE_CERTIFICATE = 11 };

static const struct ec_traffic *traffic;

/* A ClientHello in SSLv2's form: length with its first bit set, type 1, a version of SSL 3 or TLS. */
static bool is_v2_hello(const uint8_t *d)
{
    return (d[0] & 0x80) && d[2] == TLS_CLIENT_HELLO && d[3] == 3 && d[4] <= 4 &&
           ((uint32_t)(d[0] & 0x7f) << 8 | d[1]) >= 9;
}

#define ENCRYPTED_LEAST 16u         /* bytes of an encrypted record: a tag, or a block */

/* A connection whose handshake was not seen: a record that is encrypted or says that the next ones are, and another one
 * behind it if there are bytes. */
static bool is_encrypted(const uint8_t *d, uint32_t n)
{
    uint32_t len = tls_record_length(d);

    return ((d[0] == TLS_CHANGE_CIPHER && len == 1) ||
            ((d[0] == TLS_APPLICATION || d[0] == TLS_ALERT) && len >= ENCRYPTED_LEAST && len <= TLS_RECORD_MAX)) &&
           d[1] == 3 && d[2] >= 1 && d[2] <= 4 &&
           (n < 2 * TLS_RECORD_HEADER + len || tls_record_plausible(d + TLS_RECORD_HEADER + len));
}

static int32_t tls_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    bool to_server = dir == EC_TO_SERVER;

    if (!n)
        return EC_MORE;
    if ((d[0] < TLS_CHANGE_CIPHER || d[0] > TLS_APPLICATION) && !(to_server && d[0] & 0x80))
        return EC_NO;
    if (!(d[0] & 0x80) && n > 1 && d[1] != 3)
        return EC_NO;
    if (n < TLS_RECORD_HEADER)
        return EC_MORE;
    if (is_encrypted(d, n))
        return EC_YES;
    if (d[0] == TLS_APPLICATION || d[0] == TLS_CHANGE_CIPHER)
        return EC_NO;
    if (d[0] & 0x80)
        return to_server && is_v2_hello(d) ? EC_YES : EC_NO;
    if (!tls_record_plausible(d))
        return EC_NO;
    if (!tls_record_length(d))
        return EC_YES;              /* it claims to be TLS, and is broken */
    if (n == TLS_RECORD_HEADER)
        return EC_MORE;
    if (d[0] == TLS_ALERT)
        return !to_server && tls_record_length(d) == 2 && d[5] <= 2 ? EC_YES : EC_NO;
    return d[5] == (to_server ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO) ? EC_YES : EC_NO;
}

static void finish(struct ec_pctx *c, struct tls_state *s)
{
    struct ec_tx *x = s->tx;

    s->tx = NULL;
    s->done = s->side[0].closed = s->side[1].closed = true;
    if (x)
        traffic->tx_end(c, x);
}

/* Nothing more of this session can be read. Only with both hellos it is sure that it is TLS. */
static void finish_encrypted(struct ec_pctx *c, struct tls_state *s)
{
    finish(c, s);
    if (s->side[0].hello && s->side[1].hello)
        traffic->opaque(c);
}

static struct ec_tx *session(struct ec_pctx *c, struct tls_state *s)
{
    if (!s->tx && !s->done)
        s->tx = traffic->tx_begin(c);
    return s->tx;
}

/* wire: where the message's body stands in the stream, −1: it was put together from several records. */
static void hello(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n, int64_t wire)
{
    struct ec_tx *x = session(c, s);
    const struct tls_hello *h;
    bool nomem;

    if (!x)
        return;
    h = &((struct tls_tx *)x->mem)->end[dir].hello;
    if (!session_hello(x, dir, d, n, wire, &nomem))
        traffic->anomaly(c, x, ANOMALY_HELLO);
    s->side[dir].hello = true;
    if (dir == EC_TO_CLIENT) {
        s->version = h->version;
        if (h->retry)               /* both greet once more */
            s->side[0].hello = s->side[1].hello = false;
    }
    traffic->tx_step(c, x, dir, TLS_AT_HELLO);
    if (dir == EC_TO_CLIENT && h->version >= 0x0304 && !h->retry)
        finish_encrypted(c, s);
}

static void certificate(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n)
{
    bool nomem;

    if (!s->tx)
        return;
    if (!session_certificate(s->tx, dir, d, n, &nomem) && !nomem)
        traffic->anomaly(c, s->tx, ANOMALY_CERTIFICATE);
    traffic->tx_step(c, s->tx, dir, TLS_AT_CERT);
}

/* One handshake message; d starts with its header. */
static void handshake_message(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n,
                              int64_t wire)
{
    uint32_t greeting = dir == EC_TO_SERVER ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO;

    if (d[0] == greeting && !s->side[dir].hello)
        hello(c, s, dir, d + 4, n - 4, wire < 0 ? -1 : wire + 4);
    else if (d[0] == MESSAGE_CERTIFICATE)
        certificate(c, s, dir, d + 4, n - 4);
}

static void handshake_record(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n,
                             uint64_t wire)
{
    struct tls_side *side = &s->side[dir];

    if (!n)
        traffic->anomaly(c, s->tx, ANOMALY_LENGTH);
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

/* This side encrypts from here on. A server that does so without a certificate goes on with an earlier session. */
static void encrypted(struct ec_pctx *c, struct tls_state *s, uint32_t dir)
{
    struct tls_tx *t = s->tx ? s->tx->mem : NULL;

    s->side[dir].closed = true;
    if (t && dir == EC_TO_CLIENT && t->end[dir].seen && !t->end[dir].chain)
        t->resumed = true;
    if (s->side[!dir].closed)
        finish_encrypted(c, s);
}

static void one_record(struct ec_pctx *c, struct tls_state *s, const struct ec_chunk *k, const uint8_t *d, uint32_t n)
{
    const uint8_t *content = d + TLS_RECORD_HEADER;

    if (d[0] == TLS_HANDSHAKE)
        handshake_record(c, s, k->dir, content, n, k->offset + (uint64_t)(content - k->data));
    else if (d[0] == TLS_CHANGE_CIPHER && !s->done)
        encrypted(c, s, k->dir);
    else if (d[0] == TLS_APPLICATION && s->tx)      /* early data do not end the session (RFC 8446 §2.3) */
        encrypted(c, s, k->dir);
    else if (d[0] == TLS_APPLICATION)
        finish_encrypted(c, s);
    else if (d[0] == TLS_ALERT && ((!s->tx && n >= ENCRYPTED_LEAST) || (n == 2 && content[0] == 2)))
        finish(c, s);
}

/* The SSLv2 form of a ClientHello, whole at the beginning of the stream. Returns what it took, 0: more is needed. */
static uint32_t v2_hello(struct ec_pctx *c, struct tls_state *s, const uint8_t *d, uint32_t left)
{
    uint32_t n = (uint32_t)(d[0] & 0x7f) << 8 | d[1];
    struct ec_tx *x;
    bool nomem;

    if (left - 2 < n)
        return 0;
    if ((x = session(c, s))) {
        if (!session_hello_v2(x, d + 3, n - 1, &nomem))
            traffic->anomaly(c, x, ANOMALY_HELLO);
        s->side[EC_TO_SERVER].hello = true;
        traffic->tx_step(c, x, EC_TO_SERVER, TLS_AT_HELLO);
    }
    return n + 2;
}

static int64_t tls_records(struct ec_pctx *c, struct tls_state *s, const struct ec_chunk *k)
{
    struct tls_side *side = &s->side[k->dir];
    uint32_t at = 0;

    while (!side->closed && k->len - at >= TLS_RECORD_HEADER) {
        const uint8_t *d = k->data + at;
        uint32_t n = tls_record_length(d);
        if (k->dir == EC_TO_SERVER && !side->hello && is_v2_hello(d)) {
            if (!(n = v2_hello(c, s, d, k->len - at)))
                return at;
            at += n;
            continue;
        }
        if (!tls_record_plausible(d)) {
            traffic->anomaly(c, s->tx, ANOMALY_RECORD);
            side->closed = true;
            break;
        }
        if (k->len - at - TLS_RECORD_HEADER < n)
            return at;
        one_record(c, s, k, d, n);
        at += TLS_RECORD_HEADER + n;
    }
    return side->closed ? k->len : at;
}

/* Is nothing more to come that the session waits for? A client may close its side and still get the server's answer. */
static bool is_over(const struct ec_chunk *k)
{
    const struct ec_flow *f = k->packet ? k->packet->flow : NULL;

    return (k->flags & EC_CH_END) && (k->dir == EC_TO_CLIENT || !f || f->state == EC_FLOW_CLOSED);
}

static int64_t tls_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    struct tls_state *s = state;
    int64_t eaten;

    (void)self;
    if (k->flags & EC_CH_GAP)
        s->side[k->dir].closed = true;
    eaten = tls_records(c, s, k);
    if (is_over(k) && !s->done)
        finish(c, s);
    return eaten;
}

static int32_t tls_record(void *self, const struct ec_tx *x, uint32_t topic_id, struct ec_build *b)
{
    (void)self;
    return tls_record_put(x->mem, topic_id, b);
}

static void tls_tx_drop(void *self, void *tx)
{
    (void)self;
    session_free(tx);
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
    .flags = EC_PROTO_CLIENT_FIRST,
    .name = "tls",
    .hints = "tcp/443,465,853,993,995,8443",
    .topic = "ec.tls/1",
    .state_bytes = sizeof(struct tls_state),
    .tx_bytes = sizeof(struct tls_tx),
    .n_buf = TLS_SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = tls_buffers,
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
    int32_t err = h->topic(h, &tls_topic, &id);

    traffic = t;
    if (!err && !fingerprint_setup())
        err = h->fail(h, EC_ENOENT, "OpenSSL has no MD5, SHA-1 or SHA-256, which fingerprints of TLS are made with");
    return err ? err : t->proto(t_self, h, &tls, NULL, &id);
}
