/* timer.h: periodic calls into plugins, on their lane's thread; with --workers 0 on the packets' clock. */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H
#include "core/bus/bus_state.h"

struct event;
struct timer {
    struct timer *next;             /* in the order of registration */
    struct instance *instance;
    struct ec_timer t;
    uint32_t lane;
    uint64_t due_ns;                /* packets' clock; 0: not begun */
    struct event *event;
};

int timers_start(void);             /* [ctl] before the lanes start; 0 or EC_ENOMEM */
void timers_free(void);             /* [ctl] after the lanes ended */
void timers_run(uint64_t now_ns);   /* --workers 0: those that are due */

#endif
