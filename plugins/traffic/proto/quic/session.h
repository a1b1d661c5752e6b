/* session.h: the memory of a QUIC transaction: a packet of interest, and the hello in it. */
#ifndef TRAFFIC_QUIC_SESSION_H
#define TRAFFIC_QUIC_SESSION_H

#include "plugins/traffic/proto/tls/fingerprint.h"
#include "plugins/traffic/proto/tls/hello.h"

#include "google.h"

struct quic_google {                /* a hello of Google's versions */
    struct google_hello hello;      /* of the copy */
    uint32_t n_cyu;
    char cyu[GOOGLE_CYU_MAX], hash[JA_HASH + 1];
    uint8_t copy[];
};

struct quic_tx {
    uint32_t version, type;         /* type: TLS_CLIENT_HELLO, TLS_SERVER_HELLO, 0: without a hello */
    uint8_t *message;               /* the hello behind its 4-byte header; owned */
    struct tls_hello hello;
    struct quic_google *google;     /* owned; NULL: none */
    struct tls_ja3 ja3;
    char ja4[JA4_LEN + 1], version_name[16];
};

#endif
