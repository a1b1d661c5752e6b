/* segments.h: the files of the event streams: events-20261122-1.db, one a day and more where one grows large. In the
 * order of arrival; the last one is written, the others are only read until retention takes them. */
#ifndef STORE_SEGMENTS_H
#define STORE_SEGMENTS_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_PATH 4200

struct segment_id { uint32_t day, number; };    /* 20261122, 1 … */
struct segment {
    struct segment_id id;
    bool finished;                  /* its indices are built */
    bool known;                     /* of the three below */
    int64_t ts_min, ts_max;         /* range of the events' own time; ns */
    int64_t rows;
};
struct segments {
    pthread_mutex_t lock;           /* of all below but the folder */
    char folder[4096];
    struct segment *segment;        /* by id */
    uint32_t n, cap;
    uint64_t changes;               /* segments that came and went */
    struct segment_id current;      /* the one that is written; day 0: none */
};

int segment_compare(struct segment_id a, struct segment_id b);
uint32_t segment_day(uint64_t now_ns);          /* UTC */

void segments_init(struct segments *s);         /* an empty list */
/* Reads the folder. 0, or −1 with errno. */
int segments_open(struct segments *s, const char *folder);
void segments_close(struct segments *s);
void segments_path(const struct segments *s, struct segment_id id, char path[SEGMENT_PATH]);
/* The segment to write into on that day: the last one where it is of that day (or of a later one: a clock that went
 * back), else, and with `fresh`, the next one. False: out of memory. */
bool segments_current(struct segments *s, uint32_t day, bool fresh, struct segment_id *id);
bool segments_add(struct segments *s, struct segment_id id);  /* one that is there; false: out of memory */
/* A copy of the list, oldest first; NULL: out of memory, or none (*n 0). */
struct segment *segments_list(struct segments *s, uint32_t *n);
/* The newest one, and how often the list has changed. False: there is none. */
bool segments_last(struct segments *s, struct segment_id *id, uint64_t *changes);
/* What is known now about one; `current` ones grow, so they stay unknown. */
void segments_learn(struct segments *s, const struct segment *known);
void segments_finished(struct segments *s, struct segment_id id);
void segments_forget(struct segments *s, struct segment_id id);
/* The oldest one that is not current and that goes by these limits: older than `oldest` (a day), or, where it is
 * not the last one, all of them together are over `bytes`. False: none. */
bool segments_expired(struct segments *s, uint32_t oldest, uint64_t bytes, struct segment_id *id);

#endif
