/* report.h: a look at the host as records: the event with the totals, and one record for each route. */
#ifndef SYSMON_REPORT_H
#define SYSMON_REPORT_H
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/sysmon/sampler.h"

enum report { REPORT_CPU, REPORT_MEMORY, REPORT_DISK, REPORT_NETWORK, REPORT_PROCESSES, REPORTS };
extern const struct ec_record report_record[REPORTS];
extern const struct ec_topic system_topic;

/* Add the part of that shape to a block with room; what does not fit is cut. */
void report_write(enum report which, const struct sampler *s, uint64_t now_ns, struct ec_build *b);
/* The part of ec.system/1, whose id is `topic`. */
void system_write(const struct sampler *s, uint32_t topic, struct ec_build *b);

/* Sums that stand in the event and in the metrics. */
struct totals { double read, write, rate[2]; uint64_t packets[2], errors, drops; };
struct totals totals_of(const struct sampler *s);

#endif
