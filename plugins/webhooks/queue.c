#include "plugins/webhooks/queue.h"

#include <stdlib.h>

void queue_init(struct queue *q, uint32_t n_max, uint64_t bytes_max)
{
    *q = (struct queue){ .n_max = n_max, .bytes_max = bytes_max };
    pthread_mutex_init(&q->lock, NULL);
}

void queue_fini(struct queue *q)
{
    for (struct delivery *d; (d = q->first);) {
        q->first = d->next;
        free(d);
    }
    pthread_mutex_destroy(&q->lock);
}

bool queue_put(struct queue *q, struct delivery *d)
{
    struct delivery **at;
    bool room;

    pthread_mutex_lock(&q->lock);
    room = q->n < q->n_max && q->bytes + d->len <= q->bytes_max;
    if (room) {
        for (at = &q->first; *at && (*at)->due_ns <= d->due_ns;)
            at = &(*at)->next;
        d->next = *at;
        *at = d;
        q->n++;
        q->bytes += d->len;
    }
    pthread_mutex_unlock(&q->lock);
    if (!room)
        free(d);
    return room;
}

struct delivery *queue_take(struct queue *q, uint64_t now_ns)
{
    struct delivery *d;

    pthread_mutex_lock(&q->lock);
    d = q->first && q->first->due_ns <= now_ns ? q->first : NULL;
    if (d) {
        q->first = d->next;
        q->n--;
        q->bytes -= d->len;
    }
    pthread_mutex_unlock(&q->lock);
    return d;
}

bool queue_due(struct queue *q, uint64_t now_ns)
{
    bool due;

    pthread_mutex_lock(&q->lock);
    due = q->first && q->first->due_ns <= now_ns;
    pthread_mutex_unlock(&q->lock);
    return due;
}

uint32_t queue_count(struct queue *q)
{
    uint32_t n;

    pthread_mutex_lock(&q->lock);
    n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}
