/* tuning.h: suppressions and thresholds that are given beside the rules: of ids.threshold_file, and over the API. A set
 * of them is immutable and shared; a change makes the next one. As lines they are those of Suricata's
 * threshold.config. */
#ifndef IDS_LIMITS_TUNING_H
#define IDS_LIMITS_TUNING_H
#include "plugins/ids/rule/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNING_MAX  10000u          /* entries of a set */
#define TUNE_BY     64u             /* with their NULs */
#define TUNE_NOTE   801u            /* 200 characters */
#define TUNE_LINE   256u

enum tune_kind { TUNE_SUPPRESS, TUNE_THRESHOLD };
#define TUNE_KINDS 2

struct tune {                       /* immutable but for held_back */
    uint32_t refs;                  /* the sets' business */
    uint32_t id;                    /* of the API; 0: of a file */
    enum tune_kind kind;
    uint32_t gid, sid;              /* sid 0: every rule of gid; gid 0 as well: every rule */
    /* TUNE_THRESHOLD. Of TUNE_SUPPRESS only track: 0: whatever the addresses, TRACK_SRC, TRACK_DST, TRACK_BOTH: either
     * lies in net */
    struct limit limit;
    uint8_t net[16];
    uint32_t bits;                  /* of net, IPv4 mapped */
    uint32_t line;                  /* of the file */
    uint64_t version, at_ns;        /* of the API: when it was changed last */
    char by[TUNE_BY], note[TUNE_NOTE];
    uint64_t held_back;             /* atomic: matches, since the start */
};

struct tuning {
    uint32_t refs, n, next_id;
    uint64_t version;               /* +1 with each change */
    struct tune *tune[];            /* by gid, sid, id, line */
};

struct tuning *tuning_new(void);                /* NULL: out of memory */
struct tuning *tuning_hold(struct tuning *t);
void tuning_release(struct tuning *t);          /* [any]; NULL is taken */
const struct tune *tuning_by_id(const struct tuning *t, enum tune_kind kind, uint32_t id);
/* The next version with this entry: its id's place is taken, id 0: it gets a new one, which *id is. NULL: out of
 * memory, or TUNING_MAX are there. t stays. */
struct tuning *tuning_with(const struct tuning *t, const struct tune *e, uint32_t *id);
struct tuning *tuning_without(const struct tuning *t, uint32_t id);
/* While a set is being made, and nobody else has it: one more entry as it is, and at the end their order. false: out of
 * memory, or TUNING_MAX are there. */
bool tuning_add(struct tuning **t, const struct tune *e);
void tuning_sort(struct tuning *t);
/* Both sets in one; NULL: out of memory. */
struct tuning *tuning_join(const struct tuning *a, const struct tuning *b);

/* [wrk] What a match of this rule falls under. src, dst: as the packet has them. NULL: nothing. */
struct tune *tuning_suppresses(const struct tuning *t, uint32_t gid, uint32_t sid, const uint8_t src[16],
                               const uint8_t dst[16]);
struct tune *tuning_limits(const struct tuning *t, uint32_t gid, uint32_t sid);
bool tune_covers(const struct tune *e, const uint8_t src[16], const uint8_t dst[16]);   /* TUNE_SUPPRESS */
static inline void tune_count(struct tune *e)
{
    __atomic_add_fetch(&e->held_back, 1, __ATOMIC_RELAXED);
}

/* One line, without its newline. 1: e is it; 0: it is empty or a comment; −1: why says what is wrong, *column where. */
int tune_read(const char *line, struct tune *e, uint32_t *column, char *why, size_t n);
void tune_write(const struct tune *e, char line[TUNE_LINE]);
/* An address or network; false: it is none. */
bool tune_net(const char *text, uint8_t net[16], uint32_t *bits);
void tune_net_text(const struct tune *e, char to[64]);

/* Text of such lines: for each wrong one, which is left out, wrong("NAME:LINE:COL: sentence"). NULL: out of memory. */
struct tuning *tuning_lines(const char *text, size_t len, const char *name,
                            void (*wrong)(void *arg, const char *sentence), void *arg);
/* A file of them. NULL: it cannot be read, why says so. */
struct tuning *tuning_file(const char *path, void (*wrong)(void *arg, const char *sentence), void *arg, char *why,
                           size_t n);
/* While a set of a file is being made: entries that the one before it has too go on counting. Both are in order. */
void tuning_carry(struct tuning *t, const struct tuning *before);

/* What the API made, as text with a checksum at its end, malloc'ed; NULL: out of memory. */
char *tuning_write(const struct tuning *t, size_t *len);
/* Back. NULL: a sentence stands in why, with the line where something is wrong; *newer: it is of a later format. */
struct tuning *tuning_read(const char *text, size_t len, bool *newer, char *why, size_t n);

#endif
