/* query.h: stored events, page by page, and how often values occur. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H
#include "plugins/store/readers.h"

struct pages;
struct query_host {                 /* what a query works on */
    const struct schema *schema;
    struct segments *segments;
    struct readers *readers;
    uint64_t bound;                 /* ns that a page may take */
    /* A segment that is damaged. It is set aside, and said; then the query goes on without it. */
    void (*damaged)(void *arg, struct segment_id id, const char *why);
    void (*unreadable)(void *arg, const char *why);     /* one that cannot be opened, while others can */
    void *arg;
    struct pages *pages;            /* NULL: every page is read */
};

/* As struct ec_store says. [any], may block */
int32_t query_events(const struct query_host *h, const struct ec_query *q, ec_store_event_fn *fn, void *arg,
                     struct ec_page *page, char *why, uint32_t n);
int32_t query_event(const struct query_host *h, uint64_t id, ec_store_event_fn *fn, void *arg, char *why, uint32_t n);
/* Which of n ids are stored, in segments of `day` and later: there[i] becomes 1. 0, or EC_EIO and why. */
int32_t query_known(const struct query_host *h, const uint64_t *id, uint32_t n_id, uint32_t day, uint8_t *there,
                    char *why, uint32_t n);
int32_t query_count(const struct query_host *h, const struct ec_query *q, const char *field, uint32_t top,
                    ec_store_count_fn *fn, void *arg, struct ec_page *page, char *why, uint32_t n);

/* The conditions of a query, checked as a whole. */
int32_t query_filter(const struct query_host *h, const struct ec_query *q, struct filter *f, char *why, uint32_t n);

/* Cursors: "20261122.1.4711.89abcdef01234567": the last row that was seen. False: that is none of this query. */
struct cursor { struct segment_id id; int64_t row; };
bool cursor_read(struct cursor *c, const char *s, uint64_t hash);
void cursor_write(const struct cursor *c, uint64_t hash, char to[EC_CURSOR_MAX]);

#endif
