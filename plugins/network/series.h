/* series.h: what was counted over time: the last hour by seconds, the last day by minutes. One thread at a time. */
#ifndef NETWORK_SERIES_H
#define NETWORK_SERIES_H
#include <stdbool.h>
#include <stdint.h>

#define SERIES_SECONDS 3600u
#define SERIES_MINUTES 1440u

enum { COUNT_PACKETS, COUNT_BYTES, COUNT_FLOWS, COUNT_ALERTS, COUNT_DROPS, COUNTS };
struct bucket { uint64_t at_s, n[COUNTS]; };        /* at_s: its beginning, since 1970; 0: nothing was measured */
struct series { struct bucket second[SERIES_SECONDS], minute[SERIES_MINUTES]; };

/* Add what was counted until at_s. */
void series_add(struct series *s, uint64_t at_s, const uint64_t n[COUNTS]);
/* The last `max` buckets up to now_s, oldest first; what was not measured is left out. Returns how many. */
uint32_t series_read(const struct series *s, bool minutes, uint64_t now_s, struct bucket *to, uint32_t max);

#endif
