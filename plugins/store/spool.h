/* spool.h: events that wait to be written, oldest first, within a bound in memory and one on disk: in a file for each
 * piece, spool-RUN-NUMBER, which stays until its events are written, also beyond the process. Copies of blocks: a block
 * holds no pointers. The caller locks. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H
#include <stdbool.h>
#include <stdint.h>

#define SPOOL_PIECE 262144u         /* what goes to disk at once; a block is at most 64 KiB */
#define SPOOL_PATH  4200

struct ec_event;
struct ec_host;
struct spool_chunk;
struct spool_old;
enum spool_result { SPOOL_OK, SPOOL_FULL, SPOOL_MEMORY };
struct spool {
    struct spool_chunk *first, *last, *spare;
    uint64_t n, bytes;              /* events; bytes of their blocks */
    uint64_t resident, limit;       /* of those the bytes in memory; most of them */
    const struct ec_host *host;     /* what numbers in blocks mean */
    const char *folder;             /* of the files; NULL: none. The caller's */
    uint64_t run, number;           /* of the files' names; run: set it before the first one */
    uint32_t used, most;            /* files */
    uint64_t retry;                 /* ns of CLOCK_MONOTONIC: no file before; 0: at once */
    struct spool_old *old;          /* files of earlier runs, oldest first */
    uint32_t n_old;
};
struct spool_at { struct spool_chunk *chunk; uint32_t off; };       /* a place between two events */

/* Files of earlier runs. [ctl], for it interns names. Those that are none of ours stay where they are. */
void spool_open(struct spool *s);
/* The oldest file of an earlier run: how it is read. False: there is none. */
struct spool_map;
bool spool_old(const struct spool *s, char path[SPOOL_PATH], const struct spool_map **map);
/* Its events (blocks, which go over; n events) wait behind all others from now on, and the file goes when they are
 * written; n 0: at once. */
enum spool_result spool_old_take(struct spool *s, uint8_t *blocks, uint32_t used, uint32_t n);
/* Also on disk what is in memory only, as far as there is room: what then happens to the process costs none of it. */
void spool_save(struct spool *s);
/* Most bytes on disk. */
void spool_disk(struct spool *s, uint64_t bytes);
uint64_t spool_on_disk(const struct spool *s);  /* bytes of the file that are in use */

enum spool_result spool_add(struct spool *s, const struct ec_event *ev);
/* The events one by one, without taking them: begin with spool_begin(). NULL: no more, or what is on disk
 * cannot be read (*lost: so many of them, which are gone). What it returns stays where it is until it is taken, also
 * while others are added. */
struct spool_at spool_begin(const struct spool *s);
const struct ec_event *spool_next(struct spool *s, struct spool_at *at, uint64_t *lost);
void spool_take(struct spool *s, uint64_t n);   /* forget the n oldest */
/* What is not on disk is gone. Returns how many events stay there for the next run. */
uint64_t spool_free(struct spool *s);

#endif
