/* telemetry.h: a look at the host in the shape of the predecessor's event `system_telemetry`. What is not known is left
 * out; nothing is made up. */
#ifndef SYSMON_TELEMETRY_H
#define SYSMON_TELEMETRY_H
#include "plugins/sysmon/sampler.h"

#define TELEMETRY_POINTS 60u        /* looks that the histories go back */

struct telemetry {
    uint32_t n;                     /* looks so far */
    struct telemetry_point { uint64_t ms; double cpu, memory, read, write; } point[TELEMETRY_POINTS];
};

/* "[{…}]", from malloc(): the argument of the event. Take this look into the histories, too. NULL: out of memory. */
char *telemetry_json(struct telemetry *t, const struct sampler *s, uint64_t now_ns);

#endif
