/* hello.h: reading ClientHello and ServerHello (RFC 8446 §4.1, RFC 5246 §7.4.1). Reads only inside the message. */
#ifndef TRAFFIC_TLS_HELLO_H
#define TRAFFIC_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

struct tls_range { uint32_t off, len; };        /* in the handshake message; len 0: absent */

struct tls_hello {
    uint16_t version;                           /* legacy_version, or the one of supported_versions in ServerHello */
    uint16_t offered;                           /* ClientHello: the highest of supported_versions, else legacy_version */
    bool has_sni;
    struct tls_range sni, alpn;                 /* host name; first protocol name */
};

enum { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2 };

/* d: the message behind its 4-byte header. False: malformed; what was readable until there is in h. */
bool tls_hello_read(struct tls_hello *h, uint32_t type, const uint8_t *d, uint32_t n);
/* "TLS 1.2" as EVE writes versions; unknown ones as "0x7f1c" in scratch (16 bytes). */
const char *tls_version_name(uint16_t version, char *scratch);

#endif
