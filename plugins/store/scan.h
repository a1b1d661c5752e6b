/* scan.h: goes through the segments in order, piece by piece, within a time. What a piece is for is the caller's. */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H
#include "plugins/store/query.h"

struct scan {
    const struct query_host *host;
    const struct filter *filter;
    bool oldest_first;
    struct cursor from;             /* where it begins: behind this row; day 0: at the end that is first */
    /* A segment that is looked at: prepare statements. */
    enum db_fault (*open)(struct scan *s, struct reader *r);
    /* Rows first…last of it. *done: the caller has enough. */
    enum db_fault (*piece)(struct scan *s, struct reader *r, int64_t first, int64_t last, bool *done);
    void (*close)(struct scan *s);  /* finalize them */
    int64_t most;                   /* rows of one piece; 0: any number */
    void *arg;
    char *why;
    uint32_t n_why;
    uint64_t deadline;              /* ns of readers_clock() */
    bool begun;                     /* one piece is done whatever the time, so that every page gets on */
    /* Out: */
    bool late;                      /* time ran out; `at` says how far it got */
    bool hole;                      /* a segment could not be read, others could; it was said */
    struct cursor at;               /* all up to this row has been seen. The caller moves it with each row */
};
/* 0, or EC_E* and why. */
int32_t scan_run(struct scan *s);
/* The last row that its segment has; none: *row stays. */
enum db_fault scan_last_row(struct reader *r, int64_t *row, char *why, size_t n);

#endif
