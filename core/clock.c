#include "core/clock.h"

#include <stdatomic.h>
#include <time.h>

static atomic_bool packets;
static _Atomic uint64_t packet_ns;

void clock_follow_packets(bool on)
{
    atomic_store(&packet_ns, 0);
    atomic_store(&packets, on);
}

bool clock_follows_packets(void)
{
    return atomic_load_explicit(&packets, memory_order_relaxed);
}

void clock_packet(uint64_t ts_ns)
{
    if (ts_ns > atomic_load_explicit(&packet_ns, memory_order_relaxed))
        atomic_store_explicit(&packet_ns, ts_ns, memory_order_relaxed);
}

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_now(void)
{
    return clock_follows_packets() ? atomic_load_explicit(&packet_ns, memory_order_relaxed)
                                   : clock_wall();
}
