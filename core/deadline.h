/* deadline.h: a callback that must return in time while the daemon starts. A thread of its own looks at the clock; when
 * the time is over it crashes on purpose with the mark of the thread that hangs, so that the plugin's row of crashes
 * counts. */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H
#include <stdint.h>

int deadline_open(uint64_t timeout_ns);         /* [ctl] 0 or −1: no thread. From here on begin and end count */
void deadline_close(void);                      /* [ctl] the start is over */
/* Around one callback of the calling thread; do not nest; one thread at a time. Nothing where it is not open. */
void deadline_begin(void);
void deadline_end(void);

#endif
