/* cert.h: what a certificate says (RFC 5280 §4.1), in the forms that EVE has. Nothing is verified. */
#ifndef TRAFFIC_TLS_CERT_H
#define TRAFFIC_TLS_CERT_H

#include <stdbool.h>
#include <stdint.h>

#define CERT_NAME_MAX 1024          /* bytes of a distinguished name in text form; longer ones are cut */
#define CERT_SERIAL_MAX 128
#define CERT_ALTS_MAX 1024          /* names of subjectAltName that are kept */

struct cert_text { uint16_t n; uint8_t p[CERT_NAME_MAX]; };
struct cert {
    struct cert_text subject, issuer;           /* "C=US, O=Example, CN=example.org" */
    char serial[CERT_SERIAL_MAX];               /* "00:97:E6"; "": none */
    char not_before[24], not_after[24];         /* "2015-02-12T18:07:27" */
    char fingerprint[60];                       /* SHA-1 of the whole, "3a:0b:…" */
    const uint8_t *alt, *alt_end;               /* subjectAltName, in the certificate: cert_alt_next() */
    uint32_t alts;                              /* how many names it has for that, CERT_ALTS_MAX at most */
    bool more_alts;                             /* there are more */
};
enum { CERT_ALT_MAIL = 0x81, CERT_ALT_DNS = 0x82, CERT_ALT_URI = 0x86, CERT_ALT_IP = 0x87 };
struct cert_alt { uint8_t kind; const uint8_t *p; uint32_t n; };    /* CERT_ALT_*: a name, or 4 or 16 bytes */

/* What is wrong with a certificate: the first thing that is. */
enum cert_fault {
    CERT_SOUND,
    CERT_FORM,                      /* it is none, its list is broken, or an extension has no name */
    CERT_CUT,                       /* a part is missing, or longer than what holds it */
    CERT_DER,                       /* something else stands where a part belongs */
    CERT_VERSION, CERT_SERIAL, CERT_DATE, CERT_FAULTS
};

/* d: one certificate in DER. With a fault, c has what was readable until there. */
enum cert_fault cert_read(struct cert *c, const uint8_t *d, uint32_t n);
/* The name at *at, which starts at c->alt; moves *at behind it. Of c->alts names there is always a next one. */
bool cert_alt_next(const struct cert *c, const uint8_t **at, struct cert_alt *alt);

#endif
