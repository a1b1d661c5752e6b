/* quic.c: the QUIC protocol. Initial packets are protected with keys that stand in them, so both hellos can be read;
 * what follows cannot. Each hello, and each packet with a long header before it, is one transaction. */
#include "quic.h"

#include <stdlib.h>
#include <string.h>

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "frames.h"
#include "keys.h"
#include "packet.h"
#include "record.h"
#include "session.h"

#define PACKETS_MAX 16              /* in one datagram */
#define GOOGLE_HELLOS 4             /* of one flow that are recorded: a server refuses the first for want of a token */

struct quic_state {
    struct quic_keys keys;
    struct crypto *crypto[2];       /* owned; NULL: nothing came, or the hello is read */
    struct ec_tx *begun;            /* of a client's hello that did not come whole yet; NULL: none */
    uint32_t foreign, hellos;       /* a version that is not read here, 0: none; Google's hellos in it */
    bool keyed, retried, hello[2];
};

enum { AT_HELLO = 1 };              /* progress */
enum { SLOT_VERSION, SLOT_SNI, SLOT_JA3_HASH, SLOT_JA3_STRING, SLOT_JA4, SLOT_VERSION_SERVER, SLOT_JA3S_HASH,
       SLOT_JA3S_STRING, SLOT_UA, SLOT_CYU_HASH, SLOT_CYU_STRING, SLOTS };
static const struct ec_bufdef buffers[SLOTS] = {
    { "quic.version", "version of the client's packet", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "quic.sni", "server name that the client asked for", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "ja3.hash", "JA3 of the client's hello, hexadecimal", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "ja3.string", "what the client's JA3 is made of", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "ja4.hash", "JA4 of the client's hello", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "quic.version", "version of the server's packet", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "ja3s.hash", "JA3S of the server's hello, hexadecimal", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "ja3s.string", "what the server's JA3S is made of", EC_TO_CLIENT, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "quic.ua", "program that the client says it is (Google's versions)", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "quic.cyu.hash", "CYU of the client's hello, hexadecimal", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
    { "quic.cyu.string", "what the client's CYU is made of", EC_TO_SERVER, EC_BUF_KIND_TX, 0, AT_HELLO },
};

enum { ANOMALY_DECRYPT, ANOMALY_DATA, ANOMALY_TOO_LONG, ANOMALY_HELLO, ANOMALIES };
static const char *const anomalies[ANOMALIES] = {
    "failed_decrypt", "error_on_data", "crypto_frag_too_long", "invalid_handshake_message" };

static const struct ec_traffic *traffic;

static int32_t quic_probe(const uint8_t *d, uint32_t n, uint32_t dir)
{
    struct quic_packet p;

    if (dir & EC_PROBE_DATAGRAM && quic_foreign_version(d, n))
        return EC_YES;
    /* Short headers say nothing. Only servers offer versions (version 0). */
    if (!(dir & EC_PROBE_DATAGRAM) || n < 7 || !(d[0] & 0x80) || !quic_packet_read(&p, d, n))
        return EC_NO;
    return p.version || (dir & 1) == EC_TO_CLIENT ? EC_YES : EC_NO;
}

static void set(struct ec_tx *x, uint32_t slot, const void *p, uint32_t n)
{
    if (n)
        ec_buf_set(x, slot, p, n, EC_BUF_WHOLE, 0);
}

/* The hello of t, taken over. False: malformed, or out of memory. */
static bool take_hello(struct quic_tx *t, uint32_t dir, const uint8_t *message, uint32_t n)
{
    uint32_t type = dir == EC_TO_SERVER ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO;
    bool sound;

    if (message[0] != type || !(t->message = malloc(n)))
        return false;
    memcpy(t->message, message + 4, n - 4);
    t->type = type;
    sound = tls_hello_read(&t->hello, type, t->message, n - 4);
    ja3_make(&t->ja3, &t->hello, type, t->message);
    if (dir == EC_TO_SERVER)
        ja4_make(t->ja4, &t->hello, t->message, 'q');
    return sound;
}

static void set_hello(struct ec_tx *x, const struct quic_tx *t, uint32_t dir)
{
    if (dir == EC_TO_SERVER) {
        set(x, SLOT_SNI, t->message + t->hello.sni.off, t->hello.sni.len);
        set(x, SLOT_JA4, t->ja4, (uint32_t)strlen(t->ja4));
    }
    set(x, dir == EC_TO_SERVER ? SLOT_JA3_HASH : SLOT_JA3S_HASH, t->ja3.hash, (uint32_t)strlen(t->ja3.hash));
    set(x, dir == EC_TO_SERVER ? SLOT_JA3_STRING : SLOT_JA3S_STRING, t->ja3.text, t->ja3.n);
}

static struct ec_tx *begin(struct ec_pctx *c, uint32_t dir, uint32_t version)
{
    struct ec_tx *x = traffic->tx_begin(c);
    struct quic_tx *t;
    char scratch[16];
    const char *name;

    if (!x)
        return NULL;
    t = x->mem;
    t->version = version;
    name = quic_version_name(version, scratch);
    memcpy(t->version_name, name, strlen(name) + 1);
    set(x, dir == EC_TO_SERVER ? SLOT_VERSION : SLOT_VERSION_SERVER, t->version_name, (uint32_t)strlen(name));
    x->dir = (uint8_t)dir;
    return x;
}

/* message: a hello with its header, NULL: there is none. */
static void end(struct ec_pctx *c, struct ec_tx *x, uint32_t dir, const uint8_t *message, uint32_t n)
{
    struct quic_tx *t;

    if (!x)
        return;
    t = x->mem;
    if (message && !take_hello(t, dir, message, n))
        traffic->anomaly(c, x, ANOMALY_HELLO);
    if (t->message)
        set_hello(x, t, dir);
    x->progress[dir] = AT_HELLO;
    traffic->tx_end(c, x);
}

static void transaction(struct ec_pctx *c, uint32_t dir, uint32_t version)
{
    end(c, begin(c, dir, version), dir, NULL, 0);
}

static void take_google(struct ec_tx *x, const struct google_hello *h)
{
    struct quic_tx *t = x->mem;
    struct quic_google *g = malloc(sizeof *g + h->n);
    const uint8_t *v;
    uint32_t n;

    if (!(t->google = g))
        return;
    memcpy(g->copy, h->d, h->n);
    g->hello = *h;
    g->hello.d = g->copy;
    g->n_cyu = google_cyu(&g->hello, t->version, g->cyu);
    fingerprint_md5(g->hash, g->cyu, g->n_cyu);
    if ((v = google_value(&g->hello, "SNI", &n)))
        set(x, SLOT_SNI, v, n);
    if ((v = google_value(&g->hello, "UAID", &n)))
        set(x, SLOT_UA, v, n);
    set(x, SLOT_CYU_HASH, g->hash, (uint32_t)strlen(g->hash));
    set(x, SLOT_CYU_STRING, g->cyu, g->n_cyu);
}

/* A packet of a version that is not read here: the first one, or one with a hello of Google's. */
static void foreign(struct ec_pctx *c, struct quic_state *s, const struct ec_chunk *k)
{
    struct google_hello h;
    bool hello = k->dir == EC_TO_SERVER && s->hellos < GOOGLE_HELLOS && google_hello_find(&h, k->data, k->len);
    uint32_t version = s->foreign ? s->foreign : quic_foreign_version(k->data, k->len);
    struct ec_tx *x;

    if (s->foreign && !hello)
        return;
    s->foreign = version;
    s->hellos += hello;
    if ((x = begin(c, k->dir, version)) && hello)
        take_google(x, &h);
    end(c, x, k->dir, NULL, 0);
}

/* The transaction of a hello: where it did not come in one packet, it began with the first of them, and will end with
 * the flow if the rest never comes. */
static struct ec_tx *hello_transaction(struct ec_pctx *c, struct quic_state *s, uint32_t dir, uint32_t version)
{
    struct ec_tx *x = dir == EC_TO_SERVER ? s->begun : NULL;

    if (x)
        s->begun = NULL;
    return x ? x : begin(c, dir, version);
}

static void forget(struct quic_state *s, uint32_t dir)
{
    if (s->crypto[dir])
        crypto_drop(s->crypto[dir]);
    free(s->crypto[dir]);
    s->crypto[dir] = NULL;
}

/* The frames of a packet; false: malformed, or out of memory. */
static bool take_frames(struct quic_state *s, uint32_t dir, const uint8_t *d, uint32_t n)
{
    if (!s->crypto[dir] && !(s->crypto[dir] = calloc(1, sizeof *s->crypto[dir])))
        return false;
    return frames_read(s->crypto[dir], d, n);
}

/* False: nothing in this flow can be read any more. */
static bool initial(struct ec_pctx *c, struct quic_state *s, uint32_t dir, const struct quic_packet *p,
                    const uint8_t *d)
{
    uint8_t *plain;
    const uint8_t *message;
    uint32_t n_message;
    int32_t n;
    bool sound;

    if (!s->keyed) {
        if (dir == EC_TO_CLIENT)
            return true;            /* the client's first packet, whose id makes the keys, was not seen */
        s->keyed = keys_initial(&s->keys, p->version, d + p->dcid, p->n_dcid);
    }
    if (!s->keyed || !(plain = malloc(p->len)))
        return false;
    n = keys_open(&s->keys.side[dir], p, d, plain);
    if (n < 0) {
        free(plain);
        traffic->anomaly(c, NULL, ANOMALY_DECRYPT);
        return false;
    }
    sound = take_frames(s, dir, plain, (uint32_t)n);
    free(plain);
    if (!sound) {
        traffic->anomaly(c, NULL, s->crypto[dir] && s->crypto[dir]->too_long ? ANOMALY_TOO_LONG : ANOMALY_DATA);
        return false;
    }
    if (!(message = crypto_message(s->crypto[dir], &n_message))) {
        if (dir == EC_TO_SERVER && !s->begun)
            s->begun = begin(c, dir, p->version);
        return true;
    }
    s->hello[dir] = true;
    end(c, hello_transaction(c, s, dir, p->version), dir, message, n_message);
    forget(s, dir);
    if (s->hello[!dir])
        traffic->opaque(c);
    return true;
}

/* A server that wants the client to come again with a token (RFC 9000 §8.1.2), and so with other keys. A client takes
 * no more than one (§17.2.5.2). */
static void retry(struct quic_state *s)
{
    if (s->retried)
        return;
    s->retried = true;
    s->keyed = s->hello[EC_TO_SERVER] = false;
    forget(s, EC_TO_SERVER);
}

static int64_t quic_parse(void *self, struct ec_pctx *c, void *state, const struct ec_chunk *k)
{
    struct quic_state *s = state;
    uint32_t at = 0;

    (void)self;
    if (s->foreign || (!s->keyed && quic_foreign_version(k->data, k->len))) {
        foreign(c, s, k);
        return k->len;
    }
    for (uint32_t i = 0; i < PACKETS_MAX && at < k->len; i++) {
        struct quic_packet p;
        if (s->hello[k->dir] || !quic_packet_read(&p, k->data + at, k->len - at) || p.type == QUIC_SHORT)
            break;
        if (p.type == QUIC_INITIAL) {
            if (!initial(c, s, k->dir, &p, k->data + at))
                return EC_EINVAL;
        } else {
            if (p.type == QUIC_RETRY && k->dir == EC_TO_CLIENT)
                retry(s);
            transaction(c, k->dir, p.version);
        }
        at += p.len;
    }
    return k->len;
}

static int32_t quic_record(void *self, const struct ec_tx *x, uint32_t topic, struct ec_build *b)
{
    (void)self;
    return quic_record_put(x->mem, topic, b);
}

static void quic_tx_drop(void *self, void *tx)
{
    struct quic_tx *t = tx;

    (void)self;
    free(t->message);
    free(t->google);
    ja3_free(&t->ja3);
}

static void quic_state_drop(void *self, void *state)
{
    struct quic_state *s = state;

    (void)self;
    forget(s, EC_TO_SERVER);
    forget(s, EC_TO_CLIENT);
}

static const struct ec_proto quic = {
    .size = sizeof(struct ec_proto),
    .name = "quic",
    .hints = "udp/443,784,853,8853",
    .topic = "ec.quic/1",
    .state_bytes = sizeof(struct quic_state),
    .tx_bytes = sizeof(struct quic_tx),
    .n_buf = SLOTS,
    .buf_stride = sizeof(struct ec_bufdef),
    .buf = buffers,
    .n_anomaly = ANOMALIES,
    .anomaly = anomalies,
    .probe = quic_probe,
    .parse = quic_parse,
    .record = quic_record,
    .tx_drop = quic_tx_drop,
    .state_drop = quic_state_drop,
};

int32_t quic_register(const struct ec_host *h, const struct ec_traffic *t, void *t_self)
{
    uint32_t topic, id;
    int32_t err = h->topic(h, &quic_topic, &topic);

    traffic = t;
    if (!err && !(keys_setup() && fingerprint_setup()))
        err = h->fail(h, EC_ENOENT, "OpenSSL has no AES-128 or SHA-256, which the first packets of QUIC need");
    return err ? err : t->proto(t_self, h, &quic, NULL, &id);
}
