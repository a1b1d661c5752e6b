/* hello.h: reading ClientHello and ServerHello (RFC 8446 §4.1, RFC 5246 §7.4.1). Reads only inside the message. */
#ifndef TRAFFIC_TLS_HELLO_H
#define TRAFFIC_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

struct tls_range { uint32_t off, len; };        /* in the handshake message; len 0: absent */

struct tls_hello {
    uint16_t version;                           /* legacy_version, or the one of supported_versions in ServerHello */
    uint16_t legacy;                            /* legacy_version */
    uint16_t offered;                           /* ClientHello: the highest of supported_versions, else legacy_version */
    uint16_t cipher;                            /* ServerHello: the chosen suite */
    bool has_sni, retry;                        /* the extension was there; HelloRetryRequest (RFC 8446 §4.1.3) */
    bool sni_again, sni_type, sni_length;       /* what is wrong with it: it is there twice, no host name, its length */
    struct tls_range sni, alpn;                 /* host name; first protocol name */
    /* 32 bytes; session id; lists as they stand on the wire, without their lengths: cipher suites, protocol names,
     * groups, point formats, signature algorithms; all extensions */
    struct tls_range random, session, ciphers, alpns, groups, formats, signatures, extensions;
};

enum { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2 };
enum { TLS_X_SNI = 0, TLS_X_GROUPS = 10, TLS_X_FORMATS = 11, TLS_X_SIGNATURES = 13, TLS_X_ALPN = 16,
       TLS_X_VERSIONS = 43 };                   /* extension types */

/* d: the message behind its 4-byte header. False: malformed; what was readable until there is in h. */
bool tls_hello_read(struct tls_hello *h, uint32_t type, const uint8_t *d, uint32_t n);
/* A ClientHello in SSLv2's form (RFC 5246 appendix E.2), behind its 2-byte header and its type: version and ciphers are
 * set, the latter as numbers of three bytes. */
bool tls_hello_read_v2(struct tls_hello *h, const uint8_t *d, uint32_t n);
/* The extension at *at, which starts at h->extensions.off; moves *at behind it. False: there is none. */
bool tls_extension_next(const struct tls_hello *h, const uint8_t *d, uint32_t *at, uint32_t *type,
                        struct tls_range *body);
/* A name of a list of names of one length byte each (ALPN), likewise. */
bool tls_name_next(struct tls_range list, const uint8_t *d, uint32_t *at, struct tls_range *name);
/* RFC 8701: values that clients make up. */
static inline bool tls_is_grease(uint32_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }
#define TLS_VERSION_NAME 24
/* "TLS 1.2", "TLS 1.3 draft-28" as EVE writes them; unknown ones as "0x7e01" in scratch (TLS_VERSION_NAME bytes). */
const char *tls_version_name(uint16_t version, char *scratch);

#endif
