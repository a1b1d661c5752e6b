/* clock.h: the daemon's clock: the wall's, or the packets' with --workers 0 and sources. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

/* [ctl] before the workers start. true: clock_now() is the latest time given to clock_packet(), 0
 * before the first. */
void clock_follow_packets(bool on);
bool clock_follows_packets(void);
void clock_packet(uint64_t ts_ns);      /* [wrk] a packet's time; the clock never goes back */
uint64_t clock_now(void);               /* [any] ns since 1970 UTC */
uint64_t clock_wall(void);              /* [any] the same of the wall, always */
uint64_t clock_monotonic(void);         /* [any] ns, for periods and deadlines */

#endif
