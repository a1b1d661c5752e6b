/* spool_file.h: events that wait, in a file that another run can read: blocks as they are, and before them what their
 * numbers mean: topics with a sum of their layout, and interned names. Each frame has a sum, so that a torn end shows.
 */
#ifndef STORE_SPOOL_FILE_H
#define STORE_SPOOL_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ec_host;

#define SPOOL_FILE_MAX (8u << 20) /* bytes; a chunk of the spool takes far less */

/* What the numbers of a file are in this run. */
struct spool_map {
    uint64_t made;   /* wall clock, ns, when its first event came */
    uint16_t *topic; /* by the file's number; 0: not known here, or of another layout */
    struct spool_name {
        char *space;
        uint32_t from, to;
    } * name;
    uint32_t n_topic, n_name;
};

/* Writes blocks (n bytes, each on a multiple of 8) to a new file, which replaces path in one step. The blocks are not
 * changed. False: it cannot be written, with errno. */
bool spool_file_write(const struct ec_host *h, const char *path, uint8_t *blocks, uint32_t n, uint64_t made);
/* The file's bytes, to be freed. NULL: with errno. */
uint8_t *spool_file_load(const char *path, size_t *n);
/* [ctl] Reads what stands before the events, and interns its names. False: it is no spool file. */
bool spool_file_map(const struct ec_host *h, const uint8_t *file, size_t n, struct spool_map *map);
void spool_map_free(struct spool_map *map);
/* The blocks of a file, as this run knows them, to be freed; *n bytes, *events of them. *lost: events that are torn, or
 * that this run does not know. map NULL: it is of this run. NULL: out of memory. */
uint8_t *spool_file_read(const struct ec_host *h, const uint8_t *file, size_t len, const struct spool_map *map,
                         uint32_t *n, uint32_t *events, uint64_t *lost);

#endif
