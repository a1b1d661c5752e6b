/* pace.h: packets of a file in the time in which they were captured, or a multiple of it. Each file begins at once. One
 * thread. */
#ifndef CAPTURE_PACE_H
#define CAPTURE_PACE_H
#include <stdbool.h>
#include <stdint.h>

struct pace {
    double factor;                  /* 0: no pace */
    bool begun;
    uint64_t first_ns, latest_ns;   /* of the file: its first packet, the latest so far */
    uint64_t began_ns;              /* when the first packet went out, CLOCK_MONOTONIC */
};

void pace_open(struct pace *p, double factor);      /* factor 2: twice as fast */
void pace_restart(struct pace *p);                  /* another file */
/* Is it too early for a packet of that time? Packets that go back in time wait for nothing. */
bool pace_early(struct pace *p, uint64_t ts_ns);
/* Until that packet's time, wake_fd is readable (then true), or timeout_ms (at least 1) are over. */
bool pace_wait(const struct pace *p, uint64_t ts_ns, int32_t wake_fd, uint32_t timeout_ms);

#endif
