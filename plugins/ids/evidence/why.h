/* why.h: why a rule matched, so that it can be checked with nothing but the capture: the rule's text, and for each
 * match the buffer, the place in it, the bytes, and where on the wire they stand. */
#ifndef IDS_EVIDENCE_WHY_H
#define IDS_EVIDENCE_WHY_H
#include "plugins/ids/match/hit.h"

#define WHY_BYTES 1024              /* of one match, at most */

extern const struct ec_topic why_topic;
void why_part(struct ec_build *b, uint32_t topic, const struct scope *s, const struct hit *h, uint32_t packet_bytes);

#endif
