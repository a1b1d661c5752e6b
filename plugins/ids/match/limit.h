/* limit.h: thresholds while they run. Counters stand with the hosts service, keyed by rule and address, so that they
 * survive reloads and count over all flows and workers. */
#ifndef IDS_MATCH_LIMIT_H
#define IDS_MATCH_LIMIT_H
#include "plugins/ids/match/scope.h"

struct limit_entry { uint64_t since_ns; uint32_t count, used; };

enum limit_answer {
    LIMIT_ALERT,
    LIMIT_QUIET,                    /* no alert, but what else the rule does happens: over the limit */
    LIMIT_NOT_YET                   /* as if it had not matched: too few so far */
};
/* One match at `now` counted in e (zeroed when new). */
enum limit_answer limit_step(const struct limit *m, struct limit_entry *e, uint64_t now);
enum limit_answer limit_ask(const struct scope *s, const struct rule *r);

#endif
