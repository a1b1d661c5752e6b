/* secret.h: what parsers marked as secret leaves with no alert, nor does the value of a text line that is named Cookie,
 * Set-Cookie, Authorization or Proxy-Authorization, be it in a packet, a stream or a buffer, parsed or not. */
#ifndef IDS_EVIDENCE_SECRET_H
#define IDS_EVIDENCE_SECRET_H
#include "plugins/ids/match/scope.h"

/* Overwrite, in this copy of the packet's frame (its first n bytes), the secrets of the transaction at hand. false: a
 * secret may stand there, but nobody knows where, so the copy must not be shown. */
bool secret_mask(const struct scope *s, uint8_t *frame, uint32_t n);

/* The same for `copy`, whose n bytes were taken from `bytes`, of whose buffer `before` bytes lie before it. true:
 * something was overwritten. */
bool secret_mask_bytes(uint8_t *copy, const uint8_t *bytes, uint32_t n, uint32_t before);

#endif
