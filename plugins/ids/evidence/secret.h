/* secret.h: what parsers marked as secret (cookies, credentials) leaves with no alert. */
#ifndef IDS_EVIDENCE_SECRET_H
#define IDS_EVIDENCE_SECRET_H
#include "plugins/ids/match/scope.h"

/* Overwrite, in this copy of the packet's frame (its first n bytes), the secrets of the transaction at hand. false: a
 * secret may stand there, but nobody knows where, so the copy must not be shown. */
bool secret_mask(const struct scope *s, uint8_t *frame, uint32_t n);

#endif
