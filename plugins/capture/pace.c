#include "plugins/capture/pace.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#define MS 1000000u

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void pace_open(struct pace *p, double factor)
{
    memset(p, 0, sizeof *p);
    p->factor = factor;
}

void pace_restart(struct pace *p)
{
    p->begun = false;
}

static uint64_t due_ns(const struct pace *p, uint64_t ts_ns)
{
    uint64_t passed = ts_ns > p->first_ns ? ts_ns - p->first_ns : 0;

    return p->began_ns + (uint64_t)((double)passed / p->factor);
}

bool pace_early(struct pace *p, uint64_t ts_ns)
{
    uint64_t now;

    if (p->factor <= 0)
        return false;
    now = now_ns();
    if (!p->begun) {
        p->begun = true;
        p->first_ns = p->latest_ns = ts_ns;
        p->began_ns = now;
    }
    if (ts_ns <= p->latest_ns)
        return false;
    if (due_ns(p, ts_ns) > now)
        return true;
    p->latest_ns = ts_ns;
    return false;
}

bool pace_wait(const struct pace *p, uint64_t ts_ns, int32_t wake_fd, uint32_t timeout_ms)
{
    struct pollfd fd = { wake_fd, POLLIN, 0 };
    uint64_t now = now_ns(), due = due_ns(p, ts_ns), ns = due > now ? due - now : 0;
    struct timespec t;

    if (ns > (uint64_t)(timeout_ms ? timeout_ms : 1) * MS)
        ns = (uint64_t)(timeout_ms ? timeout_ms : 1) * MS;
    t.tv_sec = (time_t)(ns / 1000000000u);
    t.tv_nsec = (long)(ns % 1000000000u);
    return ppoll(&fd, 1, &t, NULL) > 0;
}
