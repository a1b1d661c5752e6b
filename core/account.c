#include "core/account.h"

#include "core/bus/bus.h"
#include "core/clock.h"

#include <event2/event.h>
#include <stdlib.h>

#define TIMEOUT_NS UINT64_C(2000000000)
#define STEP_US    1000

struct waiter {
    account_fn *fn;
    void *arg;
    struct waiter *next;
};

static struct {
    struct event *step;
    struct waiter *now, *next;      /* of the fence that is under way; of the one after it */
    uint64_t deadline;              /* of the one that is under way; 0: none is */
} account;

static void wait_on(long us)
{
    struct timeval after = { 0, us };

    event_add(account.step, &after);
}

static void tell(struct waiter **list, bool exact)
{
    while (*list) {
        struct waiter *w = *list;

        *list = w->next;
        w->fn(w->arg, exact);
        free(w);
    }
}

static void finish(bool exact)
{
    tell(&account.now, exact);
    bus_fence_end();
    account.deadline = 0;
    if (account.next && account.step)
        wait_on(0);
}

static void begin(void)
{
    account.now = account.next;
    account.next = NULL;
    if (!bus_fence_begin()) {
        tell(&account.now, false);
        return;
    }
    account.deadline = clock_monotonic() + TIMEOUT_NS;
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
    bool done;

    (void)fd;
    (void)what;
    (void)arg;
    if (!account.deadline)
        begin();
    if (!account.deadline)
        return;
    done = bus_fence_step();
    if (done || clock_monotonic() >= account.deadline)
        finish(done);
    else
        wait_on(STEP_US);
}

int account_ask(account_fn *fn, void *arg)
{
    struct waiter *w, **last = &account.next;

    if (!account.step)
        return EC_EAGAIN;
    if (!(w = malloc(sizeof *w)))
        return EC_ENOMEM;
    *w = (struct waiter){ fn, arg, NULL };
    while (*last)
        last = &(*last)->next;
    *last = w;
    if (!account.deadline)
        wait_on(0);
    return EC_OK;
}

int account_open(struct event_base *base)
{
    account.step = evtimer_new(base, on_step, NULL);
    return account.step ? 0 : -1;
}

void account_close(void)
{
    if (!account.step)
        return;
    event_free(account.step);
    account.step = NULL;
    if (account.deadline)
        finish(false);
    tell(&account.next, false);
}
