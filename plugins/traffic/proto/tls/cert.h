/* cert.h: what a certificate says (RFC 5280 §4.1), in the forms that EVE has. Nothing is verified. */
#ifndef TRAFFIC_TLS_CERT_H
#define TRAFFIC_TLS_CERT_H

#include <stdbool.h>
#include <stdint.h>

#define CERT_NAME_MAX 1024          /* bytes of a distinguished name in text form; longer ones are cut */
#define CERT_SERIAL_MAX 128
#define CERT_ALTS_MAX 64            /* names of subjectAltName that are kept */

struct cert_text { uint16_t n; uint8_t p[CERT_NAME_MAX]; };
struct cert_alt { uint32_t off, len; };         /* in the certificate: a name, or an address of 4 or 16 bytes */

struct cert {
    struct cert_text subject, issuer;           /* "C=US, O=Example, CN=example.org" */
    char serial[CERT_SERIAL_MAX];               /* "00:97:E6"; "": none */
    char not_before[24], not_after[24];         /* "2015-02-12T18:07:27" */
    char fingerprint[60];                       /* SHA-1 of the whole, "3a:0b:…" */
    struct cert_alt alt[CERT_ALTS_MAX];
    uint32_t alts;
    uint8_t alt_kind[CERT_ALTS_MAX];            /* the tag: CERT_ALT_* */
};
enum { CERT_ALT_MAIL = 0x81, CERT_ALT_DNS = 0x82, CERT_ALT_URI = 0x86, CERT_ALT_IP = 0x87 };

/* d: one certificate in DER. False: malformed; what was readable until there is in c. */
bool cert_read(struct cert *c, const uint8_t *d, uint32_t n);

#endif
