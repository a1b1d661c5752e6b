/* spool.h: events that wait to be written, in memory, oldest first, within a bound. Copies of blocks: a block holds no
 * pointers. The caller locks. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H
#include <stdbool.h>
#include <stdint.h>

struct ec_event;
struct spool_chunk;
struct spool {
    struct spool_chunk *first, *last, *spare;
    uint64_t n, bytes, limit;       /* events; bytes of their blocks; most of those */
};
struct spool_at { struct spool_chunk *chunk; uint32_t off; };       /* a place between two events */

enum spool_result { SPOOL_OK, SPOOL_FULL, SPOOL_MEMORY };
enum spool_result spool_add(struct spool *s, const struct ec_event *ev);
/* The events one by one, without taking them: begin with spool_begin(). NULL: no more. What it returns stays where it
 * is until it is taken, also while others are added. */
struct spool_at spool_begin(const struct spool *s);
const struct ec_event *spool_next(struct spool_at *at);
void spool_take(struct spool *s, uint64_t n);   /* forget the n oldest */
void spool_free(struct spool *s);

#endif
