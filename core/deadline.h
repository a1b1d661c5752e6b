/* deadline.h: a callback that must return in time while the daemon starts and stops. A thread of
 * its own looks at the clock; when the time is over it crashes on purpose with the mark of the
 * thread that hangs, so that the plugin's row of crashes counts. */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H
#include <stdint.h>

/* [ctl] From here on begin and end count. option: the name of the one that says the time, for the
 * sentence; static. 0, or −1: no thread. */
int deadline_open(uint64_t timeout_ns, const char *option);
void deadline_close(void);                      /* [ctl] the start, or the end, is over */
/* Around one callback of the calling thread; do not nest; one thread at a time. Nothing where it is
 * not open. */
void deadline_begin(void);
void deadline_end(void);

#endif
