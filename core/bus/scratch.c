#include "core/bus/scratch.h"

#include "core/epoch.h"

#include <pthread.h>
#include <stdlib.h>

static __thread struct desk *mine;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void desk_free(void *arg)
{
    struct desk *d = arg;
    struct scratch *s;

    while ((s = d->free)) {
        d->free = s->next;
        free(s);
    }
    free(d);
    mine = NULL;
    epoch_unregister();
}

static void key_make(void)
{
    pthread_key_create(&key, desk_free);
}

/* A plugin's own thread that publishes has to appear in the epochs, since publishing reads the plan. */
struct desk *desk_get(void)
{
    struct desk *d = mine;

    if (d)
        return d;
    pthread_once(&once, key_make);
    d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    if (epoch_register("publisher") || pthread_setspecific(key, d)) {
        free(d);
        return NULL;
    }
    d->deferred_end = &d->deferred;
    mine = d;
    return d;
}

struct scratch *scratch_take(struct desk *d)
{
    struct scratch *s = d->free;

    if (s) {
        d->free = s->next;
        return s;
    }
    if (d->made == SCRATCH_NEST)
        return NULL;
    s = aligned_alloc(64, sizeof *s);
    if (s)
        d->made++;
    return s;
}

void scratch_give(struct desk *d, struct scratch *s)
{
    s->next = d->free;
    d->free = s;
}
