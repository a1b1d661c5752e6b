/* tls.c: the TLS protocol. One transaction for each session: it begins with the first hello and ends when the handshake
 * is over or nothing more can be read of it: with ServerHello in TLS 1.3, else when both sides have begun to encrypt,
 * with a fatal alert, or with the flow. */
#include "tls.h"

#include "heartbeat.h"
#include "record.h"
#include "session.h"

struct tls_state {
    struct tls_side side[2];
    struct ec_tx *tx;
    uint16_t version;               /* that the server chose; 0: it has not */
    bool done, asks;                /* asks: the server wants a certificate, too */
    uint8_t heartbeats;             /* that wait for an answer: heartbeat_check() */
};

enum {
    ANOMALY_V2, ANOMALY_FORM, ANOMALY_TYPE, ANOMALY_VERSION, ANOMALY_LENGTH, ANOMALY_MESSAGE, ANOMALY_TOO_LONG,
    ANOMALY_HELLO, ANOMALY_SNI_AGAIN, ANOMALY_SNI_TYPE, ANOMALY_SNI_LENGTH, ANOMALY_ALERT, ANOMALY_HEARTBEAT,
    ANOMALY_OVERFLOW, ANOMALY_ALT_NAMES, ANOMALY_CERTIFICATE, ANOMALY_CERT_CUT, ANOMALY_CERT_DER, ANOMALY_CERT_VERSION,
    ANOMALY_CERT_SERIAL, ANOMALY_CERT_DATE, ANOMALIES
};
static const char *const anomalies[ANOMALIES] = {
    [ANOMALY_V2] = "INVALID_SSLV2_HEADER",
    [ANOMALY_FORM] = "INVALID_TLS_HEADER",
    [ANOMALY_TYPE] = "INVALID_RECORD_TYPE",
    [ANOMALY_VERSION] = "INVALID_RECORD_VERSION",
    [ANOMALY_LENGTH] = "INVALID_RECORD_LENGTH",
    [ANOMALY_MESSAGE] = "INVALID_HANDSHAKE_MESSAGE",
    [ANOMALY_TOO_LONG] = "TOO_LONG_HANDSHAKE_MESSAGE",
    [ANOMALY_HELLO] = "HANDSHAKE_INVALID_LENGTH",
    [ANOMALY_SNI_AGAIN] = "MULTIPLE_SNI_EXTENSIONS",
    [ANOMALY_SNI_TYPE] = "INVALID_SNI_TYPE",
    [ANOMALY_SNI_LENGTH] = "INVALID_SNI_LENGTH",
    [ANOMALY_ALERT] = "INVALID_ALERT_MESSAGE",
    [ANOMALY_HEARTBEAT] = "INVALID_HEARTBEAT_MESSAGE",
    [ANOMALY_OVERFLOW] = "OVERFLOW_HEARTBEAT_MESSAGE",
    [ANOMALY_ALT_NAMES] = "TOO_MANY_SUBJECT_ALTERNATIVE_NAMES",
    [ANOMALY_CERTIFICATE] = "INVALID_CERTIFICATE",
    [ANOMALY_CERT_CUT] = "CERTIFICATE_INVALID_LENGTH",
    [ANOMALY_CERT_DER] = "CERTIFICATE_INVALID_DER",
    [ANOMALY_CERT_VERSION] = "CERTIFICATE_INVALID_VERSION",
    [ANOMALY_CERT_SERIAL] = "CERTIFICATE_INVALID_SERIAL",
    [ANOMALY_CERT_DATE] = "CERTIFICATE_INVALID_DATE",
};
_Static_assert(ANOMALY_CERT_DATE - ANOMALY_CERTIFICATE == CERT_DATE - CERT_FORM, "each fault has its anomaly");

enum { MESSAGE_CERTIFICATE = 11, MESSAGE_CERTIFICATE_REQUEST = 13, MESSAGE_HELLO_DONE = 14 };   /* RFC 5246 §7.4 */

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

static void server_name(struct ec_pctx *c, struct ec_tx *x, const struct tls_hello *h)
{
    if (h->sni_again)
        traffic->anomaly(c, x, ANOMALY_SNI_AGAIN);
    if (h->sni_type)
        traffic->anomaly(c, x, ANOMALY_SNI_TYPE);
    if (h->sni_length)
        traffic->anomaly(c, x, ANOMALY_SNI_LENGTH);
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
    if (!session_hello(x, dir, d, n, wire, &nomem) && !nomem)
        traffic->anomaly(c, x, ANOMALY_HELLO);
    server_name(c, x, h);
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
    const struct tls_end *end = s->tx ? &((struct tls_tx *)s->tx->mem)->end[dir] : NULL;
    enum cert_fault fault;
    bool nomem;

    if (!end)
        return;
    fault = session_certificate(s->tx, dir, d, n, &nomem);
    if (fault)
        traffic->anomaly(c, s->tx, ANOMALY_CERTIFICATE + (uint32_t)fault - CERT_FORM);
    if (end->chain && end->chain->cert.more_alts)
        traffic->anomaly(c, s->tx, ANOMALY_ALT_NAMES);
    traffic->tx_step(c, s->tx, dir, TLS_AT_CERT);
    if (dir == EC_TO_SERVER && s->asks)     /* one that nobody asked for shall not end the record early */
        traffic->tx_record(c, s->tx);
}

/* The server has said all that it has to say: where it has shown a certificate and wants none, there is nothing more to
 * tell. */
static void hello_done(struct ec_pctx *c, const struct tls_state *s)
{
    const struct tls_tx *t = s->tx ? s->tx->mem : NULL;

    if (t && t->end[EC_TO_CLIENT].chain && !s->asks)
        traffic->tx_record(c, s->tx);
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
    else if (d[0] == MESSAGE_CERTIFICATE_REQUEST && dir == EC_TO_CLIENT)
        s->asks = true;
    else if (d[0] == MESSAGE_HELLO_DONE && dir == EC_TO_CLIENT)
        hello_done(c, s);
    else if (!tls_message_known(d[0]))
        traffic->anomaly(c, s->tx, ANOMALY_MESSAGE);
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

/* One that is not encrypted. */
static void alert(struct ec_pctx *c, struct tls_state *s, const uint8_t *d, uint32_t n)
{
    if (n < 2)
        traffic->anomaly(c, s->tx, n ? ANOMALY_ALERT : ANOMALY_LENGTH);
    if ((!s->tx && n >= ENCRYPTED_LEAST) || (n == 2 && d[0] == 2))
        finish(c, s);
}

static void heartbeat(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d, uint32_t n)
{
    enum heartbeat_fault fault = heartbeat_check(&s->heartbeats, dir, d, n);

    if (fault)
        traffic->anomaly(c, s->tx, fault == HEARTBEAT_OVERFLOW ? ANOMALY_OVERFLOW : ANOMALY_HEARTBEAT);
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
    else if (d[0] == TLS_ALERT)
        alert(c, s, content, n);
    else if (d[0] == TLS_HEARTBEAT)
        heartbeat(c, s, k->dir, content, n);
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
        if (!session_hello_v2(x, d + 3, n - 1, &nomem) && !nomem)
            traffic->anomaly(c, x, ANOMALY_HELLO);
        s->side[EC_TO_SERVER].hello = true;
        traffic->tx_step(c, x, EC_TO_SERVER, TLS_AT_HELLO);
    }
    return n + 2;
}

/* Nothing behind a broken header can be found. */
static void broken_header(struct ec_pctx *c, struct tls_state *s, uint32_t dir, const uint8_t *d)
{
    static const uint32_t of_fault[] = {
        [TLS_RECORD_FORM] = ANOMALY_FORM, [TLS_RECORD_TYPE] = ANOMALY_TYPE, [TLS_RECORD_VERSION] = ANOMALY_VERSION,
        [TLS_RECORD_LENGTH] = ANOMALY_LENGTH };
    bool v2 = dir == EC_TO_SERVER && !s->side[dir].hello && d[0] & 0x80;

    traffic->anomaly(c, s->tx, v2 ? ANOMALY_V2 : of_fault[tls_record_fault(d)]);
    s->side[dir].closed = true;
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
            broken_header(c, s, k->dir, d);
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
