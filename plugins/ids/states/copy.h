/* copy.h: the document of a changed alert: its state, the event as JSON, and those members of it that pages filter
 * by. */
#ifndef IDS_STATES_COPY_H
#define IDS_STATES_COPY_H
#include "plugins/ids/host.h"

struct copy {
    struct ec_part part;
    uint64_t event;                 /* its id */
    uint32_t state, gid, sid, rev, severity, pad;
    uint64_t at, ts, flow;          /* ns */
    struct ec_span note, by, json;
    struct ec_span proto, app_proto, community, action, signature, category, src_country, dst_country;
    uint8_t src[16], dst[16];
    uint16_t sport, dport, pad2[2];
};
extern const struct ec_record copy_record;

/* What stands in an event's JSON, into the open part of a build, which is a zeroed copy. -1: it is no alert. */
int copy_fill(struct ec_build *b, struct copy *c, const char *json, uint32_t n);
/* Is it a row of the document that pages may filter by, under its own name? */
int copy_has(const char *field);

#endif
