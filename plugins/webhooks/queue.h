/* queue.h: deliveries that are to be made, now or later, bounded in number and bytes. Lost where the daemon is
 * killed; an orderly stop keeps them (pending.h). */
#ifndef WEBHOOKS_QUEUE_H
#define WEBHOOKS_QUEUE_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery {
    struct delivery *next;
    uint64_t hook, due_ns;
    uint32_t attempt;               /* how many were made */
    uint32_t len;
    char id[64];                    /* the same in each attempt */
    char event[24], type[48];       /* the event's id and type */
    char body[];                    /* JSON, len bytes */
};

struct queue {
    pthread_mutex_t lock;
    struct delivery *first;         /* by due_ns */
    uint32_t n, n_max;
    uint64_t bytes, bytes_max;
};

void queue_init(struct queue *q, uint32_t n_max, uint64_t bytes_max);
void queue_fini(struct queue *q);
/* [any] Takes d in every case. False: the queue is full, and d is gone. */
bool queue_put(struct queue *q, struct delivery *d);
/* [any] The next one that is due, to be freed or put back; NULL: none is. */
struct delivery *queue_take(struct queue *q, uint64_t now_ns);
bool queue_due(struct queue *q, uint64_t now_ns);
uint32_t queue_count(struct queue *q);

#endif
