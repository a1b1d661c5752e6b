/* session.h: one TLS session: what its transaction holds and the buffers that inspectors see of it. */
#ifndef TRAFFIC_TLS_SESSION_H
#define TRAFFIC_TLS_SESSION_H

#define EC_API_LEVEL 1
#include <ecyber/plugin.h>
#include <ecyber/ext/traffic.h>

#include "cert.h"
#include "fingerprint.h"
#include "handshake.h"
#include "hello.h"

#define TLS_CHAIN_MAX 16            /* certificates of one message that are offered to inspectors */

struct tls_chain {                  /* a Certificate message */
    struct cert cert;               /* the first one, read */
    uint32_t items;
    struct ec_buf item[TLS_CHAIN_MAX];
    struct ec_buf *alt;             /* its host names; owned */
    uint8_t message[];              /* without the 4-byte header: buffers point into it */
};

struct tls_end {                    /* one of the two sides; pointers are owned */
    uint8_t *message;               /* its hello, likewise */
    struct tls_chain *chain;
    struct tls_hello hello;
    struct tls_ja3 ja3;
    bool seen;
};

struct tls_tx {                     /* memory of traffic's transaction; tls_tx_free() frees what it owns */
    struct tls_end end[2];          /* by direction of what it sends */
    char ja4[JA4_LEN + 1];
    bool v2, resumed;               /* the client's hello has SSLv2's form; an earlier session goes on */
};

enum { TLS_AT_HELLO = 1, TLS_AT_CERT = 2 };     /* progress */

enum tls_slot {
    TLS_SNI, TLS_VERSION_CLIENT, TLS_VERSION, TLS_ALPN, TLS_JA3_HASH, TLS_JA3_STRING, TLS_JA3S_HASH, TLS_JA3S_STRING,
    TLS_JA4_HASH, TLS_RANDOM, TLS_RANDOM_TIME, TLS_RANDOM_BYTES, TLS_CERTS, TLS_SUBJECT, TLS_ISSUER, TLS_SERIAL,
    TLS_FINGERPRINT, TLS_ALT_NAMES,
    /* the same of the other side */
    TLS_SERVER_RANDOM, TLS_SERVER_RANDOM_TIME, TLS_SERVER_RANDOM_BYTES, TLS_CLIENT_CERTS, TLS_CLIENT_SUBJECT,
    TLS_CLIENT_ISSUER, TLS_CLIENT_SERIAL, TLS_CLIENT_FINGERPRINT, TLS_CLIENT_ALT_NAMES, TLS_SLOTS
};
extern const struct ec_bufdef tls_buffers[TLS_SLOTS];

/* Take over a hello of direction dir (EC_TO_*): n bytes behind the message's header; wire: where they stand in the
 * stream, −1: nowhere, they were put together. False: malformed, and what was readable is there; *nomem: no memory. */
bool session_hello(struct ec_tx *x, uint32_t dir, const uint8_t *d, uint32_t n, int64_t wire, bool *nomem);
/* A ClientHello in SSLv2's form. */
bool session_hello_v2(struct ec_tx *x, const uint8_t *d, uint32_t n, bool *nomem);
/* A Certificate message of TLS 1.2 and earlier (RFC 5246 §7.4.2), likewise. Returns what is wrong with it. */
enum cert_fault session_certificate(struct ec_tx *x, uint32_t dir, const uint8_t *d, uint32_t n, bool *nomem);
void session_free(struct tls_tx *t);

#endif
