/* load.h: from the configuration to a generation of the rule engine, with every problem told. */
#ifndef IDS_LOAD_H
#define IDS_LOAD_H
#include "plugins/ids/host.h"
#include "plugins/ids/match/counts.h"

struct engine_port;
struct keyword_list;
struct managed;
struct ruleset;

/* Gauges, in the plugin's metric table behind the counters. */
enum { METRIC_LOADED = COUNTS, METRIC_FAILED, METRIC_SKIPPED, METRIC_REPLACED, METRIC_DISABLED, METRIC_PATTERNS,
       METRIC_BYTES };

struct load {
    const struct ec_host *host;
    const struct ec_conf *conf;
    const struct engine_port *port;
    const struct keyword_list *external;
    const struct managed *managed;  /* rules and switches of the API; NULL: none */
};

/* [cfg] NULL: host->fail() has the reason. */
struct engine *load_engine(const struct load *l);
/* [pool] Rules that are only looked at, with the variables and classes of base, which outlives them; not finished.
 * l->conf may be NULL. NULL: out of memory. */
struct ruleset *load_try(const struct load *l, const struct ruleset *base, const char *text, size_t len);
/* [pool] All rules of the configuration, as load_engine() would read them, but for no use. NULL: why. */
struct ruleset *load_look(const struct load *l);
void load_drop(struct ruleset *s);              /* [pool] free what these two gave */
/* [any] Every keyword, buffer and alias: name, status, help. */
void load_list(const struct engine_port *p, const struct keyword_list *external,
               void (*row)(void *arg, const char *const *cell), void *arg);

#endif
