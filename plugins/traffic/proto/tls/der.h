/* der.h: reading ASN.1 in DER (X.690): one element after the other, never beyond its parent. */
#ifndef TRAFFIC_TLS_DER_H
#define TRAFFIC_TLS_DER_H

#include <stdbool.h>
#include <stdint.h>

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_OID = 0x06, DER_UTF8 = 0x0c,
       DER_UTC_TIME = 0x17, DER_TIME = 0x18, DER_BMP = 0x1e, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

struct der { const uint8_t *p, *end; };         /* what is left to read */

/* The next element: its tag (one byte) and its content; moves d behind it. False: there is none, or it is malformed
 * (long tags, indefinite lengths, more than its parent has). */
bool der_next(struct der *d, uint8_t *tag, struct der *body);
/* The same, but only with this tag. */
bool der_take(struct der *d, uint8_t tag, struct der *body);
/* Step over an element with this tag, where it is the next one. */
void der_skip(struct der *d, uint8_t tag);
static inline uint32_t der_left(const struct der *d) { return (uint32_t)(d->end - d->p); }

#endif
