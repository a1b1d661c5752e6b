/* spool.h: events that wait to be written, oldest first, within a bound in memory and, behind that, one on disk: in a
 * file without a name, which ends with the process. Copies of blocks: a block holds no pointers. The caller locks. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H
#include <stdbool.h>
#include <stdint.h>

#define SPOOL_PIECE 262144u         /* what goes to disk at once; a block is at most 64 KiB */

struct ec_event;
struct spool_chunk;
struct spool {
    struct spool_chunk *first, *last, *spare;
    uint64_t n, bytes;              /* events; bytes of their blocks */
    uint64_t resident, limit;       /* of those the bytes in memory; most of them */
    const char *folder;             /* of the file; NULL: none. The caller's */
    int fd;                         /* of the file, once there is a slot; −1: it cannot be made */
    uint8_t *slot;                  /* by piece of the file: 1: used */
    uint32_t n_slot, used, most;    /* most: of the slots */
};
struct spool_at { struct spool_chunk *chunk; uint32_t off; };       /* a place between two events */

/* Most bytes on disk. */
void spool_disk(struct spool *s, uint64_t bytes);
uint64_t spool_on_disk(const struct spool *s);  /* bytes of the file that are in use */

enum spool_result { SPOOL_OK, SPOOL_FULL, SPOOL_MEMORY };
enum spool_result spool_add(struct spool *s, const struct ec_event *ev);
/* The events one by one, without taking them: begin with spool_begin(). NULL: no more, or what is on disk
 * cannot be read (*lost: so many of them, which are gone). What it returns stays where it is until it is taken, also
 * while others are added. */
struct spool_at spool_begin(const struct spool *s);
const struct ec_event *spool_next(struct spool *s, struct spool_at *at, uint64_t *lost);
void spool_take(struct spool *s, uint64_t n);   /* forget the n oldest */
void spool_free(struct spool *s);

#endif
