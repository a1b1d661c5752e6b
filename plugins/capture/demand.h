/* demand.h: which interface is wanted now, said by one thread and done by every worker that holds the live source. */
#ifndef CAPTURE_DEMAND_H
#define CAPTURE_DEMAND_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DEMAND_NAME 16u             /* IFNAMSIZ */

enum demand_result {
    DEMAND_DONE,
    DEMAND_FAILED,                  /* why says why; nothing is open */
    DEMAND_BUSY,                    /* another thread waits for its own */
    DEMAND_NOBODY,                  /* no worker holds the source */
    DEMAND_SLOW                     /* not every worker has answered in time */
};

struct demand {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    _Atomic uint32_t serial;        /* of the wish; read without the lock */
    char wanted[DEMAND_NAME];       /* "": none */
    bool busy;
    uint32_t holders, done, failed; /* workers: all; that have done the wish; that could not */
    char why[512];                  /* of the first that could not */
    uint64_t since_ns;              /* when what runs was asked for; 0: nothing runs */
};

void demand_init(struct demand *d);
void demand_fini(struct demand *d);

/* [any] Wait until every worker has opened the interface (""; closed it). now_ns: for demand_now(). why (n bytes): a
 * sentence of DEMAND_FAILED. Where one fails, all have closed it again when this returns. */
enum demand_result demand_set(struct demand *d, const char *interface, uint64_t now_ns, uint32_t timeout_ms, char *why,
                              uint32_t n);
/* [any] What runs. interface: DEMAND_NAME bytes. False: nothing. */
bool demand_now(struct demand *d, char *interface, uint64_t *since_ns);

/* [wrk] A worker comes, with what it has open already, and goes. serial: what it has done. */
void demand_enter(struct demand *d, const char *open, uint64_t now_ns, uint32_t *serial);
void demand_leave(struct demand *d, uint32_t serial);
static inline bool demand_moved(const struct demand *d, uint32_t serial)
{
    return atomic_load_explicit(&d->serial, memory_order_acquire) != serial;
}
/* [wrk] The wish, and its number, for demand_answer(). interface: DEMAND_NAME bytes. */
uint32_t demand_take(struct demand *d, char *interface);
void demand_answer(struct demand *d, uint32_t serial, const char *why);        /* why NULL: done */

#endif
