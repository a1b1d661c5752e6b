/* around.h: what happens around a flow: how many others its source began, to how many ports and hosts, how many of them
 * nobody answered; the same of the service it asks and of the machine it asks. Kept with ec.hosts/1.
 *
 * Every number is taken when a flow begins, and changed only when one begins or is answered for the first time: so it
 * depends on the order of packets and on nothing else, and is the same for any number of workers in a replay. */
#ifndef ML_AROUND_H
#define ML_AROUND_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/ml/sdk.h"

/* Windows are this minute and the one before, this half hour and the one before. */
struct around {                     /* counts include the flow itself */
    uint32_t src_flows, src_unanswered, src_long, src_long_unanswered;
    float src_ports, src_hosts, src_long_ports, src_long_hosts;     /* distinct ones, estimated */
    uint32_t svc_flows, svc_unanswered, svc_long, svc_long_unanswered;  /* same source, machine and port */
    uint32_t dst_flows, dst_unanswered;
    float dst_ports, dst_sources;
};

struct around_tables {
    const struct ec_hosts *hosts;   /* NULL: no such service, and all stays 0 */
    void *self;
    uint32_t source, service, target;       /* spaces */
};

/* [ctl] in setup(). EC_OK or EC_E*. */
int32_t around_open(struct around_tables *t);
/* [wrk] f begins now. */
void around_begin(const struct around_tables *t, const struct ec_flow *f, uint64_t now_ns, struct around *out);
/* [wrk] f's first answer came now. */
void around_answer(const struct around_tables *t, const struct ec_flow *f, uint64_t now_ns);

/* Distinct values that were put into n words of a sketch: linear counting (Whang et al., 1990). */
float sketch_count(const uint64_t *word, uint32_t n);
void sketch_put(uint64_t *word, uint32_t n, uint64_t value);

#endif
