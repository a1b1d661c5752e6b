/* scratch.h: where a thread builds its events: up to four blocks of 64 KiB that stay hot in its cache, and the list of
 * events that wait until the inline subscriber that published them has returned. */
#ifndef CORE_SCRATCH_H
#define CORE_SCRATCH_H
#include "core/bus/arena.h"

#include <stdbool.h>

#define SCRATCH_NEST 4u

struct scratch {
    struct scratch *next;
    _Alignas(64) uint8_t bytes[BLOCK_EVENT_MAX];
};

struct desk {                       /* one for each thread */
    struct scratch *free;
    uint32_t made;
    bool inlining;                  /* an inline subscriber runs */
    bool mailbox;                   /* this thread holds the mailbox */
    struct block *deferred, **deferred_end;     /* by next */
};

struct desk *desk_get(void);                    /* this thread's; NULL: out of memory */
struct scratch *scratch_take(struct desk *d);   /* NULL: four are open, or out of memory */
void scratch_give(struct desk *d, struct scratch *s);

#endif
