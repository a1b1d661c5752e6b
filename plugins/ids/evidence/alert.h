/* alert.h: an alert as an event: EVE's alert object, and with it why the rule matched, the transaction and where the
 * flow stood. */
#ifndef IDS_EVIDENCE_ALERT_H
#define IDS_EVIDENCE_ALERT_H
#include "plugins/ids/match/hit.h"

struct alert_out {
    const struct ec_host *host;
    const struct ec_traffic *traffic;
    void *traffic_self;
    uint32_t topic, why;            /* ids of ec.alert/1 and ec.evidence/1 */
};

int32_t alert_topics(struct alert_out *o);      /* [ctl] in setup(): declare them */
/* [wrk] Publish h. packet_bytes: of the packet, at most, that go with it. false: lost, which the host has counted. */
bool alert_publish(const struct alert_out *o, const struct scope *s, const struct hit *h, uint32_t packet_bytes);

#endif
