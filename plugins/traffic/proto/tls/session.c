/* session.c: one TLS session. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define REQ(name, progress, help) { name, help, EC_TO_SERVER, EC_BUF_KIND_TX, 0, progress }
#define RES(name, progress, help) { name, help, EC_TO_CLIENT, EC_BUF_KIND_TX, 0, progress }
const struct ec_bufdef tls_buffers[TLS_SLOTS] = {
    [TLS_SNI] = REQ("tls.sni", TLS_AT_HELLO, "server name that the client asked for"),
    [TLS_VERSION_CLIENT] = REQ("tls.version", TLS_AT_HELLO, "highest version that the client offers"),
    [TLS_VERSION] = RES("tls.version", TLS_AT_HELLO, "version that the server chose"),
    [TLS_ALPN] = REQ("tls.alpn", TLS_AT_HELLO, "first application protocol that the client offers"),
    [TLS_JA3_HASH] = REQ("ja3.hash", TLS_AT_HELLO, "JA3 of the client's hello, hexadecimal"),
    [TLS_JA3_STRING] = REQ("ja3.string", TLS_AT_HELLO, "what the client's JA3 is made of"),
    [TLS_JA3S_HASH] = RES("ja3s.hash", TLS_AT_HELLO, "JA3S of the server's hello, hexadecimal"),
    [TLS_JA3S_STRING] = RES("ja3s.string", TLS_AT_HELLO, "what the server's JA3S is made of"),
    [TLS_JA4_HASH] = REQ("ja4.hash", TLS_AT_HELLO, "JA4 of the client's hello"),
    [TLS_RANDOM] = REQ("tls.random", TLS_AT_HELLO, "the client's 32 random bytes"),
    [TLS_RANDOM_TIME] = REQ("tls.random_time", TLS_AT_HELLO, "their first 4, once the time"),
    [TLS_RANDOM_BYTES] = REQ("tls.random_bytes", TLS_AT_HELLO, "their last 28"),
    [TLS_CERTS] = RES("tls.certs", TLS_AT_CERT, "each certificate of the server's chain, DER"),
    [TLS_SUBJECT] = RES("tls.cert_subject", TLS_AT_CERT, "subject of the server's certificate"),
    [TLS_ISSUER] = RES("tls.cert_issuer", TLS_AT_CERT, "issuer of the server's certificate"),
    [TLS_SERIAL] = RES("tls.cert_serial", TLS_AT_CERT, "serial number of the server's certificate, \"0A:1B\""),
    [TLS_FINGERPRINT] = RES("tls.cert_fingerprint", TLS_AT_CERT, "SHA-1 of the server's certificate, \"0a:1b\""),
    [TLS_ALT_NAMES] = RES("tls.subjectaltname", TLS_AT_CERT, "each host name in the server's certificate"),
    [TLS_SERVER_RANDOM] = RES("tls.random", TLS_AT_HELLO, "the server's 32 random bytes"),
    [TLS_SERVER_RANDOM_TIME] = RES("tls.random_time", TLS_AT_HELLO, "their first 4, once the time"),
    [TLS_SERVER_RANDOM_BYTES] = RES("tls.random_bytes", TLS_AT_HELLO, "their last 28"),
    [TLS_CLIENT_CERTS] = REQ("tls.certs", TLS_AT_CERT, "each certificate of the client's chain, DER"),
    [TLS_CLIENT_SUBJECT] = REQ("tls.cert_subject", TLS_AT_CERT, "subject of the client's certificate"),
    [TLS_CLIENT_ISSUER] = REQ("tls.cert_issuer", TLS_AT_CERT, "issuer of the client's certificate"),
    [TLS_CLIENT_SERIAL] = REQ("tls.cert_serial", TLS_AT_CERT, "serial number of the client's certificate"),
    [TLS_CLIENT_FINGERPRINT] = REQ("tls.cert_fingerprint", TLS_AT_CERT, "SHA-1 of the client's certificate"),
    [TLS_CLIENT_ALT_NAMES] = REQ("tls.subjectaltname", TLS_AT_CERT, "each host name in the client's certificate"),
};

static void set_text(struct ec_tx *x, uint32_t slot, const void *p, uint32_t n)
{
    if (n)
        ec_buf_set(x, slot, p, n, EC_BUF_WHOLE, 0);
}

/* The version as rules write it: "1.2". */
static void set_version(struct ec_tx *x, uint32_t slot, uint16_t version)
{
    static const char *const minor[] = { "1.0", "1.1", "1.2", "1.3" };

    if (version >= 0x0301 && version <= 0x0304)
        set_text(x, slot, minor[version - 0x0301], 3);
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

static void set_random(struct ec_tx *x, uint32_t dir, const struct tls_end *e, int64_t wire)
{
    struct tls_range all = e->hello.random, time = { all.off, 4 }, bytes = { all.off + 4, 28 };

    if (all.len != 32)
        return;
    set_range(x, dir == EC_TO_SERVER ? TLS_RANDOM : TLS_SERVER_RANDOM, e->message, all, wire);
    set_range(x, dir == EC_TO_SERVER ? TLS_RANDOM_TIME : TLS_SERVER_RANDOM_TIME, e->message, time, wire);
    set_range(x, dir == EC_TO_SERVER ? TLS_RANDOM_BYTES : TLS_SERVER_RANDOM_BYTES, e->message, bytes, wire);
}

static uint8_t *copy_of(const uint8_t *d, uint32_t n)
{
    uint8_t *p = malloc(n ? n : 1);

    if (p && n)
        memcpy(p, d, n);
    return p;
}

static void set_client(struct ec_tx *x, const struct tls_end *e, int64_t wire)
{
    struct tls_tx *t = x->mem;

    set_range(x, TLS_SNI, e->message, e->hello.sni, wire);
    set_range(x, TLS_ALPN, e->message, e->hello.alpn, wire);
    set_version(x, TLS_VERSION_CLIENT, e->hello.offered);
    set_text(x, TLS_JA3_HASH, e->ja3.hash, (uint32_t)strlen(e->ja3.hash));
    set_text(x, TLS_JA3_STRING, e->ja3.text, e->ja3.n);
    ja4_make(t->ja4, &e->hello, e->message, 't');
    set_text(x, TLS_JA4_HASH, t->ja4, (uint32_t)strlen(t->ja4));
}

static void set_server(struct ec_tx *x, const struct tls_end *e)
{
    set_version(x, TLS_VERSION, e->hello.version);
    set_text(x, TLS_JA3S_HASH, e->ja3.hash, (uint32_t)strlen(e->ja3.hash));
    set_text(x, TLS_JA3S_STRING, e->ja3.text, e->ja3.n);
}

bool session_hello(struct ec_tx *x, uint32_t dir, const uint8_t *d, uint32_t n, int64_t wire, bool *nomem)
{
    uint32_t type = dir == EC_TO_SERVER ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO;
    struct tls_end *e = &((struct tls_tx *)x->mem)->end[dir];
    bool sound;

    free(e->message);
    if ((*nomem = !(e->message = copy_of(d, n))))
        return false;
    e->seen = true;
    sound = tls_hello_read(&e->hello, type, e->message, n);
    if ((*nomem = !ja3_make(&e->ja3, &e->hello, type, e->message)))
        return sound;
    set_random(x, dir, e, wire);
    if (dir == EC_TO_SERVER)
        set_client(x, e, wire);
    else
        set_server(x, e);
    return sound;
}

bool session_hello_v2(struct ec_tx *x, const uint8_t *d, uint32_t n, bool *nomem)
{
    struct tls_tx *t = x->mem;
    struct tls_end *e = &t->end[EC_TO_SERVER];

    if ((*nomem = !(e->message = copy_of(d, n))))
        return false;
    e->seen = t->v2 = true;
    if (!tls_hello_read_v2(&e->hello, e->message, n))
        return false;
    set_version(x, TLS_VERSION_CLIENT, e->hello.offered);
    return true;
}

static uint32_t length24(const uint8_t *d) { return (uint32_t)d[0] << 16 | (uint32_t)d[1] << 8 | d[2]; }

/* The certificates of the message as items. False: the list is not as it should be. */
static bool chain_items(struct tls_chain *c, uint32_t n)
{
    const uint8_t *d = c->message;
    uint32_t at = 3;

    if (n < 3 || length24(d) > n - 3)
        return false;
    while (at < n) {
        uint32_t len;
        if (n - at < 3 || (len = length24(d + at)) > n - at - 3)
            return false;
        if (c->items < TLS_CHAIN_MAX) {
            c->item[c->items].u.data = d + at + 3;
            c->item[c->items].len = len;
            c->item[c->items++].state = EC_BUF_WHOLE;
        }
        at += 3 + len;
    }
    return true;
}

static void set_list(struct ec_tx *x, uint32_t slot, struct ec_buf *item, uint32_t n)
{
    if (!n)
        return;
    ec_buf_set(x, slot, NULL, n, EC_BUF_WHOLE | EC_BUF_LIST, 0);
    x->buf[slot].u.item = item;
}

static void set_alts(struct ec_tx *x, uint32_t slot, struct tls_chain *chain)
{
    const struct cert *c = &chain->cert;
    const uint8_t *at = c->alt;
    struct cert_alt alt;
    uint32_t names = 0;

    if (!c->alts || !(chain->alt = calloc(c->alts, sizeof *chain->alt)))
        return;
    for (uint32_t i = 0; i < c->alts && cert_alt_next(c, &at, &alt); i++)
        if (alt.kind == CERT_ALT_DNS) {
            chain->alt[names].u.data = alt.p;
            chain->alt[names].len = alt.n;
            chain->alt[names++].state = EC_BUF_WHOLE;
        }
    set_list(x, slot, chain->alt, names);
}

/* shift: from the server's slots to those of the side whose certificate it is. */
static void set_cert(struct ec_tx *x, uint32_t shift, struct tls_chain *chain)
{
    const struct cert *c = &chain->cert;

    set_text(x, TLS_SUBJECT + shift, c->subject.p, c->subject.n);
    set_text(x, TLS_ISSUER + shift, c->issuer.p, c->issuer.n);
    set_text(x, TLS_SERIAL + shift, c->serial, (uint32_t)strlen(c->serial));
    set_text(x, TLS_FINGERPRINT + shift, c->fingerprint, (uint32_t)strlen(c->fingerprint));
    set_alts(x, TLS_ALT_NAMES + shift, chain);
}

enum cert_fault session_certificate(struct ec_tx *x, uint32_t dir, const uint8_t *d, uint32_t n, bool *nomem)
{
    uint32_t shift = dir == EC_TO_SERVER ? TLS_CLIENT_CERTS - TLS_CERTS : 0;
    struct tls_end *e = &((struct tls_tx *)x->mem)->end[dir];
    struct tls_chain *chain;
    enum cert_fault fault;
    bool sound;

    *nomem = false;
    if (e->chain)
        return CERT_SOUND;                      /* a second one changes nothing */
    if ((*nomem = !(chain = calloc(1, sizeof *chain + n))))
        return CERT_SOUND;
    e->chain = chain;
    memcpy(chain->message, d, n);
    sound = chain_items(chain, n);
    if (!chain->items)
        return sound ? CERT_SOUND : CERT_FORM;  /* a client may have none */
    set_list(x, TLS_CERTS + shift, chain->item, chain->items);
    fault = chain->item[0].len ? cert_read(&chain->cert, chain->item[0].u.data, chain->item[0].len) : CERT_CUT;
    set_cert(x, shift, chain);
    return fault || sound ? fault : CERT_FORM;
}

void session_free(struct tls_tx *t)
{
    for (uint32_t dir = 0; dir < 2; dir++) {
        struct tls_end *e = &t->end[dir];
        free(e->message);
        if (e->chain)
            free(e->chain->alt);
        free(e->chain);
        ja3_free(&e->ja3);
        e->message = NULL;
        e->chain = NULL;
    }
}
