#include "plugins/ids/match/window.h"

#include <string.h>
#include <sys/mman.h>

bool window_pool_open(struct window_pool *p, size_t n)
{
    void *m = mmap(NULL, n * sizeof(struct window), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    memset(p, 0, sizeof *p);
    if (m == MAP_FAILED)
        return false;
    p->region = m;
    p->n = p->limit = n;
    return true;
}

void window_pool_close(struct window_pool *p)
{
    if (p->region)
        munmap(p->region, p->n * sizeof(struct window));
    memset(p, 0, sizeof *p);
}

static struct window *window_take(struct window_pool *p)
{
    struct window *w;

    for (size_t i = 0; i < p->used; i++) {
        w = &p->region[p->hand];
        p->hand = p->hand + 1 < p->used ? p->hand + 1 : 0;
        if (w->owner) {
            *w->owner = NULL;
            return w;
        }
    }
    return NULL;
}

struct window *window_get(struct window_pool *p, struct window **owner, bool *taken)
{
    struct window *w = p->free;

    *taken = false;
    if (w) {
        p->free = w->next;
    } else if (p->used < p->limit && p->used < p->n) {
        w = &p->region[p->used++];
    } else {
        w = window_take(p);
        *taken = w != NULL;
    }
    if (!w)
        return NULL;
    memset(w, 0, offsetof(struct window, data));
    w->owner = owner;
    *owner = w;
    return w;
}

void window_put(struct window_pool *p, struct window **owner)
{
    struct window *w = *owner;

    if (!w)
        return;
    w->owner = NULL;
    w->next = p->free;
    p->free = w;
    *owner = NULL;
}

void window_keep(struct window *w, const uint8_t *d, uint32_t n, uint64_t offset)
{
    if (n >= WINDOW_BYTES) {
        memcpy(w->data, d + n - WINDOW_BYTES, WINDOW_BYTES);
        w->len = WINDOW_BYTES;
    } else {
        uint32_t keep = w->len > WINDOW_BYTES - n ? WINDOW_BYTES - n : w->len;

        memmove(w->data, w->data + w->len - keep, keep);
        if (n)
            memcpy(w->data + keep, d, n);
        w->len = keep + n;
    }
    w->end = offset + n;
}
