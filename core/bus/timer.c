#include "core/bus/timer.h"

#include "core/clock.h"
#include "core/epoch.h"
#include "core/instance.h"
#include "core/bus/lane.h"
#include "core/log/mark.h"
#include "core/plan.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>

#define EVERY_MIN_NS 1000000u

int bus_timer(struct instance *i, const struct ec_timer *t, char *why, uint32_t n)
{
    struct timer **end = &bus.timers, *new;

    if (!t || t->size < sizeof *t || !t->fn) {
        snprintf(why, n, "a timer needs a function and the size of its struct");
        return EC_EINVAL;
    }
    if (t->every_ns < EVERY_MIN_NS) {
        snprintf(why, n, "a timer every %llu ns is asked for; at least 1 ms is possible",
                 (unsigned long long)t->every_ns);
        return EC_EINVAL;
    }
    new = calloc(1, sizeof *new);
    if (!new) {
        snprintf(why, n, "out of memory for a timer");
        return EC_ENOMEM;
    }
    new->instance = i;
    new->t = *t;
    new->lane = bus_lane_of(i);
    while (*end)
        end = &(*end)->next;
    *end = new;
    return EC_OK;
}

static void fire(struct timer *t, uint64_t now_ns)
{
    struct ec_mark old = mark_enter(t->instance->d.name, "timer");

    t->t.fn(t->instance->self, plan_state(plan_current(), t->instance->index), now_ns);
    mark_leave(old);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    mark_beat();
    epoch_enter();
    fire(arg, clock_now());
    epoch_leave();
    mark_sleep();
}

int timers_start(void)
{
    for (struct timer *t = bus.timers; t; t = t->next) {
        struct event_base *base = bus.lane[t->lane].base;
        struct timeval every = { (time_t)(t->t.every_ns / 1000000000u),
                                 (suseconds_t)(t->t.every_ns % 1000000000u / 1000u) };

        if (!base)
            continue;
        t->event = event_new(base, -1, EV_PERSIST, on_timer, t);
        if (!t->event || event_add(t->event, &every))
            return EC_ENOMEM;
    }
    return EC_OK;
}

void timers_free(void)
{
    struct timer *t;

    while ((t = bus.timers)) {
        bus.timers = t->next;
        if (t->event)
            event_free(t->event);
        free(t);
    }
}

/* The packets' clock jumps: a timer that missed several periods runs once. */
void timers_run(uint64_t now_ns)
{
    for (struct timer *t = bus.timers; t; t = t->next) {
        if (t->t.flags & EC_TIMER_WALL)
            continue;
        if (!t->due_ns)
            t->due_ns = now_ns + t->t.every_ns;
        if (now_ns < t->due_ns)
            continue;
        t->due_ns += ((now_ns - t->due_ns) / t->t.every_ns + 1) * t->t.every_ns;
        fire(t, now_ns);
    }
}
