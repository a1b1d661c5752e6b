/* watchdog.h: names a thread that stopped beating, and the plugin and callback that it is in. It
 * has a thread of its own, so that the control thread is watched too. */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H
#include <stdint.h>
struct event_base;

/* [ctl] Look once a second (more often for a shorter warn_ns): over warn_ns (0: never) log it; over
 * abort_ns (0: never) crash on purpose, with the mark of that thread as the reason, so that the
 * supervisor restarts and the crash row counts. Time in which the whole process was stopped does
 * not count. base: not used. 0, or −1: no thread. */
int watchdog_start(struct event_base *base, uint64_t warn_ns, uint64_t abort_ns);
void watchdog_stop(void);

#endif
