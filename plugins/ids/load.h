/* load.h: from the configuration to a generation of the rule engine, with every problem told. */
#ifndef IDS_LOAD_H
#define IDS_LOAD_H
#include "plugins/ids/host.h"
#include "plugins/ids/match/counts.h"

struct engine_port;
struct keyword_list;

/* Gauges, in the plugin's metric table behind the counters. */
enum { METRIC_LOADED = COUNTS, METRIC_FAILED, METRIC_SKIPPED, METRIC_REPLACED, METRIC_DISABLED, METRIC_PATTERNS,
       METRIC_BYTES };

struct load {
    const struct ec_host *host;
    const struct ec_conf *conf;
    const struct engine_port *port;
    const struct keyword_list *external;
};

/* [cfg] NULL: host->fail() has the reason. */
struct engine *load_engine(const struct load *l);
/* [ctl] Every keyword, buffer and alias: name, status, help. */
void load_list(const struct engine_port *p, const struct keyword_list *external,
               void (*row)(void *arg, const char *const *cell), void *arg);

#endif
