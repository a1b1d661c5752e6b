/* ring.h: one producer, one consumer: references on their way from a publisher to a lane. */
#ifndef CORE_RING_H
#define CORE_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
    _Alignas(64) _Atomic uint64_t tail;     /* written by the producer */
    _Atomic uint64_t bytes_in;
    uint64_t head_seen;
    _Alignas(64) _Atomic uint64_t head;     /* written by the consumer */
    _Atomic uint64_t bytes_out;
    _Alignas(64) uint64_t mask;
    uint64_t *slot;
};

int ring_init(struct ring *r, uint32_t slots);  /* rounded up to a power of two; 0 or EC_ENOMEM */
void ring_fini(struct ring *r);
/* [producer] False: fewer than keep_free slots would be left. bytes: what v pins, for ring_bytes(). */
bool ring_push(struct ring *r, uint64_t v, uint32_t bytes, uint32_t keep_free);
/* [producer] After some pushes, before it loads a flag that says that the consumer sleeps: sequentially consistent, so
 * that either the flag is seen, or the consumer, which sets it and then calls ring_empty(), sees the pushes. */
void ring_settle(struct ring *r);
uint32_t ring_pop(struct ring *r, uint64_t *out, uint32_t max);     /* [consumer] how many */
void ring_took(struct ring *r, uint64_t bytes);                     /* [consumer] what was popped had so many bytes */
bool ring_empty(const struct ring *r);                              /* [any] sequentially consistent */
uint64_t ring_fill(const struct ring *r);                           /* [any] momentary */
uint64_t ring_bytes(const struct ring *r);                          /* [any] momentary */

#endif
