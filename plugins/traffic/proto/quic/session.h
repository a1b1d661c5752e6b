/* session.h: the memory of a QUIC transaction: a packet of interest, and the hello in it. */
#ifndef TRAFFIC_QUIC_SESSION_H
#define TRAFFIC_QUIC_SESSION_H

#include "plugins/traffic/proto/tls/fingerprint.h"
#include "plugins/traffic/proto/tls/hello.h"

struct quic_tx {
    uint32_t version, type;         /* type: TLS_CLIENT_HELLO, TLS_SERVER_HELLO, 0: without a hello */
    uint8_t *message;               /* the hello behind its 4-byte header; owned */
    struct tls_hello hello;
    struct tls_ja3 ja3;
    char ja4[JA4_LEN + 1], version_name[16];
};

#endif
