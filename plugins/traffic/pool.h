/* pool.h: a worker's memory for segments, protocol states and transactions: blocks of size
 * classes, cut from slabs and kept on free lists, so that no packet costs a malloc. One thread.
 * Under AddressSanitizer each block is a malloc of its own, so that it sees uses after free. */
#ifndef TRAFFIC_POOL_H
#define TRAFFIC_POOL_H
#include <stdbool.h>
#include <stdint.h>

#define POOL_CLASSES 24             /* 64 B … 128 KiB, two for each power of two */

struct pool {
    uint64_t used, cap;             /* bytes charged; their limit */
    void *free[POOL_CLASSES];
    void *slabs;                    /* a list through their first word */
    uint8_t *bump;
    uint64_t bump_left;
};

void pool_init(struct pool *p, uint64_t cap);
/* A block of at least n bytes, 16-aligned, its content undefined; NULL: the limit is reached or
 * there is no memory. */
void *pool_get(struct pool *p, uint64_t n);
void *pool_zero(struct pool *p, uint64_t n);            /* the same, zeroed */
/* n as given to pool_get(); m may be NULL */
void pool_put(struct pool *p, void *m, uint64_t n);
/* Account for memory that somebody else holds. False: over the limit, and nothing is charged. */
bool pool_charge(struct pool *p, uint64_t n);
void pool_refund(struct pool *p, uint64_t n);
void pool_free(struct pool *p);                         /* all slabs at once */

#endif
