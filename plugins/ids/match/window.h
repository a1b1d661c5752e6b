/* window.h: the last bytes of a stream's direction, kept so that contents across chunks are found, and the rules that
 * wait for the rest of their contents. Fixed pieces from a region of each worker; when it is used up, the windows are
 * taken away from flows in turn. */
#ifndef IDS_MATCH_WINDOW_H
#define IDS_MATCH_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_BYTES 2048               /* overlap */
#define WINDOW_PENDING 24

struct window {
    struct window **owner;              /* NULL: free */
    struct window *next;                /* in the list of free ones */
    uint64_t end;                       /* stream offset behind the last byte */
    uint32_t gen, len;                  /* generation of `pending` */
    uint16_t n_pending, rescan;         /* rescan: too many rules wait, so search the whole window again */
    uint32_t pending[WINDOW_PENDING];   /* rules, by index */
    uint8_t data[WINDOW_BYTES];
};

struct window_pool {
    struct window *region, *free;
    size_t n, used, hand, limit;        /* limit: at most this many in use */
};

/* Reserve address space for n windows; memory is used as windows are. false: there is none. */
bool window_pool_open(struct window_pool *p, size_t n);
void window_pool_close(struct window_pool *p);
/* A window for *owner, which is set. *taken: it was another flow's. NULL: no windows at all. */
struct window *window_get(struct window_pool *p, struct window **owner, bool *taken);
void window_put(struct window_pool *p, struct window **owner);
/* Append the chunk at stream offset `offset`, keeping the last WINDOW_BYTES. */
void window_keep(struct window *w, const uint8_t *d, uint32_t n, uint64_t offset);

#endif
