#include "core/bus/lane.h"

#include "core/epoch.h"
#include "core/bus/fence.h"
#include "core/log/log.h"
#include "core/log/mark.h"
#include "core/metric.h"
#include "core/plan.h"
#include "core/bus/publisher.h"
#include "core/bus/subscription.h"
#include "core/thread.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t n;

    (void)what;
    (void)arg;
    while (read(fd, &n, sizeof n) > 0)
        ;
}

int lane_init(struct lane *l, uint32_t index)
{
    l->index = index;
    l->wake_fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    if (!bus.c.workers)
        return EC_OK;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->base = event_base_new();
    if (l->wake_fd < 0 || !l->base)
        return EC_EIO;
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, NULL);
    return l->wake && !event_add(l->wake, NULL) ? EC_OK : EC_ENOMEM;
}

void lane_fini(struct lane *l)
{
    if (l->wake)
        event_free(l->wake);
    if (l->base)
        event_base_free(l->base);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->sub);
    pthread_mutex_destroy(&l->lock);
}

int lane_collect(struct lane *l)
{
    l->sub = calloc(bus.n_sub + 1u, sizeof(struct subscription *));
    if (!l->sub)
        return EC_ENOMEM;
    for (uint32_t i = 0; i < bus.n_sub; i++)
        if (bus.sub[i]->s.mode != EC_SUB_INLINE && bus.sub[i]->lane == l->index)
            l->sub[l->n_sub++] = bus.sub[i];
    return EC_OK;
}

void lane_wake_now(struct lane *l)
{
    uint64_t one = 1;

    if (l->wake_fd < 0 || !atomic_exchange(&l->sleeping, false))
        return;
    if (write(l->wake_fd, &one, sizeof one) < 0)
        LOG(EC_LOG_ERROR, "lane B%u could not be woken", l->index);
    metric_delta(bus.metric[BUS_M_WAKES], 1);
}

bool lane_ready(const struct lane *l)
{
    for (uint32_t i = 0; i < bus.n_pub; i++)
        if (!ring_empty(&bus.pub[i].ring[l->index]))
            return true;
    return false;
}

bool lane_empty(struct lane *l)
{
    bool empty;

    pthread_mutex_lock(&l->lock);
    empty = !lane_ready(l);
    pthread_mutex_unlock(&l->lock);
    return empty;
}

static uint32_t move_ring(struct lane *l, struct ring *r)
{
    uint32_t n = ring_pop(r, l->ref, LANE_BATCH);
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct block *b = (struct block *)(uintptr_t)l->ref[i];

        l->topic[i] = fence_is_marker(l->ref[i]) ? 0 : b->topic;
        bytes += l->topic[i] ? b->bytes : 0;
    }
    for (uint32_t i = 0; n && i < l->n_sub; i++)
        subscription_put(l->sub[i], l->ref, l->topic, n);
    if (n)
        ring_took(r, bytes);
    return n;
}

uint32_t lane_move(struct lane *l)
{
    uint32_t n = 0;

    pthread_mutex_lock(&l->lock);
    for (uint32_t i = 0; i < bus.n_pub; i++)
        n += move_ring(l, &bus.pub[i].ring[l->index]);
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* Move everything that came, then give each queue one slice, and move again: a reader in this thread never keeps a ring
 * waiting for longer than one slice of each. 0: there was nothing to do. */
static uint32_t lane_serve(struct lane *l)
{
    const struct plan *plan = plan_current();
    uint32_t did = lane_move(l);

    for (uint32_t i = 0; i < l->n_sub; i++) {
        uint32_t n;

        if (l->sub[i]->s.mode != EC_SUB_QUEUED)
            continue;
        n = subscription_deliver(l->sub[i], plan, SUBSCRIPTION_HAND);
        if (!n)
            subscription_idle(l->sub[i], plan);
        did += n;
    }
    return did;
}

void lane_loop_user(struct lane *l, const char *name)
{
    const char *was = NULL;

    if (!atomic_compare_exchange_strong(&l->loop_user, &was, name) && strcmp(was, name) != 0)
        atomic_store(&l->loop_user, "");
}

/* libevent calls the plugin without passing by: what can be said is whose callbacks these are. */
static void lane_loop(struct lane *l, int flags)
{
    const char *user = atomic_load_explicit(&l->loop_user, memory_order_relaxed);
    struct ec_mark old = mark_enter(user && *user ? user : NULL, user && *user ? "loop" : NULL);

    event_base_loop(l->base, flags);
    mark_leave(old);
}

/* Poll. The second look after sleeping is set closes the gap between the last pass and the poll. */
static void lane_sleep(struct lane *l)
{
    atomic_store(&l->sleeping, true);
    if (lane_ready(l) || atomic_load(&l->stop)) {
        atomic_store(&l->sleeping, false);
        return;
    }
    epoch_leave();
    mark_sleep();
    lane_loop(l, EVLOOP_ONCE);
    atomic_store(&l->sleeping, false);
}

static __thread bool is_lane;

void lane_online(void)
{
    if (is_lane && !epoch_online())
        epoch_enter();
}

static void lane_main(void *arg)
{
    struct lane *l = arg;

    is_lane = true;
    while (!atomic_load(&l->stop)) {
        mark_beat();
        epoch_enter();
        if (lane_serve(l)) {
            epoch_leave();
            lane_loop(l, EVLOOP_NONBLOCK);
        } else {
            lane_sleep(l);
        }
    }
    epoch_enter();
    for (uint32_t i = 0; i < l->n_sub; i++)
        if (l->sub[i]->s.mode == EC_SUB_QUEUED)
            subscription_idle(l->sub[i], plan_current());
    epoch_leave();
    mark_sleep();
}

int lane_start(struct lane *l)
{
    char name[16];
    int err;

    snprintf(name, sizeof name, "B%u", l->index);
    err = thread_start(&l->thread, name, lane_main, l);
    l->started = !err;
    return err;
}

void lane_ask_stop(struct lane *l)
{
    atomic_store(&l->stop, true);
    atomic_store(&l->sleeping, true);   /* so that the wake is written whatever it does now */
    lane_wake_now(l);
}

bool lane_join(struct lane *l, uint64_t deadline_ns)
{
    if (!l->started)
        return true;
    l->started = false;
    return thread_join(l->thread, deadline_ns);
}
