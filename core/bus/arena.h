/* arena.h: one publisher's memory for blocks: size classes from 256 B to 64 KiB, carved from pages of 64 KiB; a page
 * that is free again may change its class. One thread allocates (the owner), any thread gives back: onto a lock-free
 * stack that the owner empties when a class has nothing left. So an event pins its own bytes and nothing more, however
 * slow its reader is. The last quarter is a heap of its own that only reserved blocks may enter. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#define ARENA_PAGE 65536u
#define ARENA_PAGES_MIN 8u

struct arena;
struct block {                      /* an event stands behind it */
    struct block *next;             /* of a free list, or of the return stack */
    struct arena *arena;
    _Atomic uint32_t refs;
    uint32_t bytes;                 /* that it takes in its arena, this head included */
    uint32_t topic, publisher;      /* topic of part 0; slot of the publisher: worker's number, or workers: mailbox */
};
#define BLOCK_EVENT_MAX (ARENA_PAGE - (uint32_t)sizeof(struct block))

static inline struct ec_event *block_event(struct block *b) { return (struct ec_event *)(void *)(b + 1); }

/* bytes: rounded up to pages, at least 8; memory is taken from the system when it is first touched. NULL: none. */
struct arena *arena_create(uint64_t bytes);
void arena_free(struct arena *a);               /* every block with it */
/* [owner] A block with room for an event of event_bytes, refs 0; NULL: full. reserved: may enter the last quarter. */
struct block *arena_alloc(struct arena *a, uint32_t event_bytes, bool reserved);
void block_release(struct block *b, uint32_t refs);     /* [any] give back so many references */
/* [owner] Takes back what was returned, then: bytes of blocks in use, and of the part that is not reserved in all. */
uint64_t arena_used(struct arena *a, uint64_t *total);
uint64_t arena_returned(const struct arena *a);         /* [owner] blocks taken back so far: it only grows */

#endif
