/* fingerprint.h: JA3, JA3S and JA4 of hellos: how a program greets tells which one it is.
 *
 * JA3, JA3S: github.com/salesforce/ja3 (BSD-3-Clause). JA4: FoxIO's "JA4: TLS Client Fingerprinting" (BSD-3-Clause; the
 * other members of that family have another licence and are not here). */
#ifndef TRAFFIC_TLS_FINGERPRINT_H
#define TRAFFIC_TLS_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "hello.h"

#define JA_HASH 32                  /* hexadecimal digits of an MD5 sum */
#define JA4_LEN 36                  /* "t13d1516h2_8daaf6152771_02713d6af862" */

struct tls_ja3 {                    /* all zero: none */
    char *text;                     /* owned: ja3_free() */
    uint32_t n;
    char hash[JA_HASH + 1];
};

/* Prepare the hash functions, once, before any other call. False: OpenSSL has them not. */
bool fingerprint_setup(void);
/* Of a hello of type TLS_CLIENT_HELLO (JA3) or TLS_SERVER_HELLO (JA3S); d: the message that h was read from. False: out
 * of memory. */
bool ja3_make(struct tls_ja3 *j, const struct tls_hello *h, uint32_t type, const uint8_t *d);
void ja3_free(struct tls_ja3 *j);
/* transport: 't' TCP, 'q' QUIC. out has JA4_LEN + 1 bytes. */
void ja4_make(char *out, const struct tls_hello *h, const uint8_t *d, char transport);
/* MD5 of d, in hexadecimal: out has JA_HASH + 1 bytes. */
void fingerprint_md5(char *out, const void *d, uint32_t n);
/* SHA-1 of d, in hexadecimal with colons, as EVE has it: out has 60 bytes. */
void fingerprint_sha1(char *out, const uint8_t *d, uint32_t n);

#endif
