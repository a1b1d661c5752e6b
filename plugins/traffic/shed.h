/* shed.h: how much a worker leaves out while packets come faster than it can look at them. The order is fixed:
 *   1  large and encrypted flows are bypassed (flow/bypass.h, reason `overload`)
 *   2  optional inspectors are not called for the flows that come by
 * and what is still too much is dropped in the source's own buffer. A level is entered when that buffer has been fuller
 * than `high` for `step`, and left when it has been emptier than `low` for `calm`, one at a time. A source without a
 * buffer, such as a file, never gets there. [wrk] */
#ifndef TRAFFIC_SHED_H
#define TRAFFIC_SHED_H
#include <stdbool.h>
#include <stdint.h>

enum { SHED_NOTHING, SHED_FLOWS, SHED_INSPECTORS, SHED_LEVELS };

struct shed_conf {
    bool on;
    uint32_t high, low;             /* of EC_FILL_MAX; low < high */
    uint64_t step, calm;            /* ns */
};
struct shed {
    uint32_t level;                 /* SHED_* */
    uint64_t high_ns, low_ns;       /* since when it is above high, below low; 0: it is not */
};

/* The level by a look at time now_ns (> 0, never going back) at a buffer that is `fill` of EC_FILL_MAX full. */
uint32_t shed_look(struct shed *s, const struct shed_conf *c, uint32_t fill, uint64_t now_ns);

#endif
