/* watchdog.h: names a thread that stopped beating, and the plugin and callback that it is in. */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H
#include <stdint.h>
struct event_base;

/* [ctl] Look once a second: over warn_ns log it; over abort_ns (0: never) crash on purpose, with the mark of that thread
 * as the reason, so that the supervisor restarts and the crash row counts. */
int watchdog_start(struct event_base *base, uint64_t warn_ns, uint64_t abort_ns);
void watchdog_stop(void);

#endif
