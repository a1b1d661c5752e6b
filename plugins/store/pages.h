/* pages.h: pages of events as they were read, kept in memory for whoever asks the same again. A page is handed out only
 * while its stamp is that of the database: the same segments, and nothing committed since. Any thread. */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H
#include "plugins/store/query.h"

#define PAGES_KEPT  16u
#define PAGES_BYTES (8u << 20)      /* of all of them */
#define PAGE_BYTES  (1u << 20)      /* of one: a larger one is not kept */
#define PAGES_ASKED 64u             /* questions that are remembered: a page is kept when it is asked for again */

struct stamp { uint64_t changes; struct segment_id last; int64_t row; };
struct kept_row { uint64_t id; struct cursor at; size_t begin; uint32_t len; };
struct kept {                       /* one page */
    bool whole;                     /* else it is being read, by one thread */
    bool failed;                    /* not to be kept: too large, partial, no memory */
    uint32_t users;                 /* the list is one */
    uint32_t n, room;
    uint64_t hash, used, filter;    /* of the question; of the filter, for cursors */
    struct stamp stamp;
    struct text question, json;     /* json: of all rows, with a NUL each */
    struct kept_row *row;
    char next[EC_CURSOR_MAX];
};

struct pages_counts { uint64_t hits, misses, bytes; };
struct pages {
    pthread_mutex_t lock;           /* of all below, and of `users` and `used` of those in the list */
    struct kept *kept[PAGES_KEPT];
    uint64_t uses, asked[PAGES_ASKED];
    uint32_t n_asked;
    struct pages_counts n;
};

void pages_open(struct pages *p);
void pages_close(struct pages *p);
/* The page of this question. NULL: read it. Whole: hand it out. Not whole: read it, and into this too. What is not NULL
 * goes back by pages_done(). May block. */
struct kept *pages_ask(struct pages *p, const struct query_host *h, const struct ec_query *q);
/* One that was read, and has not failed, is kept. NULL is fine. */
void pages_done(struct pages *p, struct kept *k);
struct pages_counts pages_counts(struct pages *p);

/* The row that begins there in k->json, up to its end; k->json may move. */
void kept_add(struct kept *k, uint64_t id, struct cursor at, size_t begin);
/* As query_events(). */
void kept_hand_out(const struct kept *k, ec_store_event_fn *fn, void *arg, struct ec_page *page);

#endif
