/* Threads that are no workers publish one at a time: they build in their own scratch, and take the mailbox's lock only
 * to number the event, to copy it and to put it into the rings. */
#include "core/epoch.h"
#include "core/plan.h"
#include "core/bus/publisher.h"
#include "core/bus/scratch.h"

int32_t mailbox_publish(struct publisher *p, struct ec_build *b)
{
    struct desk *d = desk_get();
    bool nested = d->mailbox, online;
    int32_t err = EC_EAGAIN;

    if (!nested) {
        pthread_mutex_lock(&p->lock);
        d->mailbox = true;
    }
    online = epoch_online();
    if (!online)
        epoch_enter();
    if (atomic_load(&bus.open))
        err = publisher_publish(p, b, plan_current());
    if (!online)
        epoch_leave();
    if (!nested) {
        d->mailbox = false;
        pthread_mutex_unlock(&p->lock);
    }
    return err;
}
