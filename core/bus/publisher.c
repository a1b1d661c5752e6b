#include "core/bus/publisher.h"

#include "core/bus/fence.h"
#include "core/instance.h"
#include "core/log/log.h"
#include "core/plan.h"
#include "core/bus/pressure.h"
#include "core/bus/route.h"
#include "core/bus/scratch.h"

#include <sched.h>

static __thread struct publisher *mine;         /* of the worker that runs on this thread */
static void (*wake_worker)(uint32_t worker);

/* What a worker publishes by is its own: another thread with its number would tear its ring and its arena. */
static struct publisher *publisher_of(const struct instance *i, uint32_t worker)
{
    if (worker == EC_PUB_MAILBOX)
        return &bus.pub[bus_mailbox()];
    if (mine && mine->number == worker)
        return mine;
    LOG(EC_LOG_ERROR, "%s opened an event as worker %u on a thread that is not this worker's: not taken", i->d.name, worker);
    return NULL;
}

int32_t bus_open(struct instance *i, uint32_t worker, uint32_t topic, struct ec_build *b)
{
    struct publisher *p;
    struct desk *d;
    struct scratch *s;
    struct ec_event *ev;

    if (!atomic_load_explicit(&bus.open, memory_order_acquire))
        return EC_ENOENT;
    if (!topic || topic > bus.n_topic || !(p = publisher_of(i, worker)))
        return EC_EINVAL;
    if (!route_wanted(&bus.route[topic]))
        return EC_ENOENT;
    d = desk_get();
    s = d ? scratch_take(d) : NULL;
    if (!s)
        return EC_ELIMIT;
    ev = (struct ec_event *)(void *)s->bytes;
    memset(ev, 0, sizeof *ev);
    ev->size = (uint32_t)sizeof *ev;
    b->base = s->bytes;
    b->used = (uint32_t)sizeof *ev;
    b->cap = BLOCK_EVENT_MAX;
    b->part = 0;
    b->topic = topic;
    b->priv[0] = s;
    b->priv[1] = p;
    return EC_OK;
}

void bus_discard(struct ec_build *b)
{
    scratch_give(desk_get(), b->priv[0]);
    b->base = NULL;
}

int32_t bus_publish(struct instance *i, struct ec_build *b)
{
    struct publisher *p = b->priv[1];
    int32_t err = EC_EINVAL;

    if (!ec_head(b)->parts || ec_part_first(ec_head(b))->topic != b->topic)
        LOG(EC_LOG_ERROR, "%s published an event of topic %u without its own record: not taken", i->d.name, b->topic);
    else if (p->slot == bus_mailbox())
        err = mailbox_publish(p, b);
    else
        err = publisher_publish(p, b, p->plan ? p->plan : plan_current());
    bus_discard(b);
    return err;
}

void bus_on_wake(void (*fn)(uint32_t worker))
{
    wake_worker = fn;
}

void bus_wake_worker(uint32_t worker)
{
    if (wake_worker)
        wake_worker(worker);
}

void bus_attach(uint32_t worker)
{
    struct publisher *p = &bus.pub[worker];
    int was = PUB_DETACHED;

    while (!atomic_compare_exchange_weak(&p->owner, &was, PUB_ATTACHED)) {
        was = PUB_DETACHED;
        sched_yield();              /* a fence passes for it, which takes microseconds */
    }
    mine = p;
}

void bus_batch(const struct plan *plan)
{
    mine->plan = plan;
}

bool bus_fence_wanted(void)
{
    return fence_wanted(mine);
}

void bus_fence_pass(void)
{
    fence_pass(mine);
}

void bus_detach(void)
{
    struct publisher *p = mine;

    p->plan = NULL;
    if (fence_wanted(p))
        fence_pass(p);
    publisher_flush(p);
    mine = NULL;
    atomic_store(&p->owner, PUB_DETACHED);
}

void bus_flush(void)
{
    publisher_flush(mine);
}

bool bus_pressed(void)
{
    bool pressed;

    if (!mine || !bus.c.workers)
        return false;
    publisher_flush(mine);          /* who waits for readers must have woken them */
    pressed = pressure_of(mine);

    if (pressed)
        publisher_metric(mine, BUS_M_WAITS);
    return pressed;
}
