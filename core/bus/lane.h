/* lane.h: a thread with an event loop: it moves references from the publishers' rings into its subscribers' queues at
 * once, then serves the queues in turn, and runs timers and descriptors of its plugins. With --workers 0 it has neither
 * thread nor loop, and bus_drain() does its work. */
#ifndef CORE_LANE_H
#define CORE_LANE_H
#include "core/bus/bus_state.h"

#define LANE_BATCH 256u             /* references moved at once from one ring */

struct event;
struct event_base;
struct plan;

struct lane {
    uint32_t index;
    struct event_base *base;        /* NULL with --workers 0 */
    struct event *wake;
    int wake_fd;
    atomic_bool sleeping;           /* about to poll, or polling: whoever pushes has to write to wake_fd */
    atomic_bool stop;
    bool started;
    pthread_t thread;
    pthread_mutex_t lock;           /* of the rings' reading end; held until what was popped stands in the queues; nobody
                                     * but its thread takes it before the stop */
    const char *_Atomic loop_user;  /* who asked for its base: NULL: nobody, "": several */
    uint32_t n_sub;
    struct subscription **sub;      /* those with a queue, in the order of registration */
    uint64_t ref[LANE_BATCH];
    uint32_t topic[LANE_BATCH];
};

int lane_init(struct lane *l, uint32_t index);      /* [ctl] 0, EC_ENOMEM or EC_EIO */
void lane_fini(struct lane *l);
int lane_collect(struct lane *l);                   /* [ctl] in bus_start(): find its subscriptions; 0 or EC_ENOMEM */
/* [any] The plugin of that name (static) has callbacks on its base from now on: a mark names it while the base runs,
 * where it is the only one. */
void lane_loop_user(struct lane *l, const char *name);
int lane_start(struct lane *l);                     /* [ctl] 0 or EC_EAGAIN */
void lane_ask_stop(struct lane *l);                 /* [any] */
bool lane_join(struct lane *l, uint64_t deadline_ns);
/* [any] On a lane's thread: what plan_current() gives from now on stays until its loop has called every callback that is
 * due. Elsewhere nothing: others are within an epoch already, or hold the plan. */
void lane_online(void);
/* One pass over the rings: how many references went into queues. [lane], or [ctl] when it has ended or is given up */
uint32_t lane_move(struct lane *l);
bool lane_ready(const struct lane *l);              /* [any] is anything in its rings? */
bool lane_empty(struct lane *l);    /* [ctl] in the stop: nothing in its rings, nor on the way from there to the queues */
void lane_wake_now(struct lane *l);                 /* [any] */

/* [publisher] after ring_settle(), which is sequentially consistent as this load is: either it sees that the lane is about
 * to sleep, or the lane's second look sees the pushes. */
static inline void lane_wake(struct lane *l)
{
    if (atomic_load(&l->sleeping))
        lane_wake_now(l);
}

#endif
