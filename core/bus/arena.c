#include "core/bus/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Bytes of a block by class: powers of two and, where a page holds a good number of them, what lies between. */
static const uint32_t class_bytes[] = { 256,  384,  512,  768,  1024,  1536,  2048, 3072,
                                        4096, 6144, 8192, 16384, 32768, 65536 };
#define CLASSES (sizeof class_bytes / sizeof class_bytes[0])
#define NONE UINT32_MAX

struct page {
    struct block *free;             /* blocks that were used before */
    uint32_t class, live, carved;   /* blocks in use; blocks ever taken from this page in its present class */
    uint32_t next, prev;            /* in the class's list of pages with room, or in the list of free pages */
    bool listed;
};

struct heap {
    uint32_t first, pages, fresh;   /* its pages; those never used start at first + fresh */
    uint32_t free;                  /* list of pages without a class */
    uint32_t room[CLASSES];         /* lists of pages with room */
    uint64_t used;                  /* bytes of blocks in use */
};

struct arena {
    uint8_t *base;
    uint32_t n_page;
    struct heap heap[2];            /* for all, for reserved topics */
    uint64_t returned;
    struct page *page;
    _Alignas(64) _Atomic(struct block *) back;      /* the return stack: written by every reader */
};

static void heap_init(struct heap *h, uint32_t first, uint32_t pages)
{
    h->first = first;
    h->pages = pages;
    h->free = NONE;
    for (uint32_t i = 0; i < CLASSES; i++)
        h->room[i] = NONE;
}

struct arena *arena_create(uint64_t bytes)
{
    uint64_t n = (bytes + ARENA_PAGE - 1) / ARENA_PAGE;
    struct arena *a;

    if (n < ARENA_PAGES_MIN)
        n = ARENA_PAGES_MIN;
    if (n > NONE / 2)
        return NULL;
    a = aligned_alloc(64, (sizeof *a + 63) & ~(size_t)63);
    if (!a)
        return NULL;
    memset(a, 0, sizeof *a);
    a->n_page = (uint32_t)n;
    a->page = calloc(n, sizeof *a->page);
    a->base = mmap(NULL, n * ARENA_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!a->page || a->base == MAP_FAILED) {
        if (a->base != MAP_FAILED)
            munmap(a->base, n * ARENA_PAGE);
        free(a->page);
        free(a);
        return NULL;
    }
    heap_init(&a->heap[0], 0, (uint32_t)(n - n / 4));
    heap_init(&a->heap[1], (uint32_t)(n - n / 4), (uint32_t)(n / 4));
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    munmap(a->base, (size_t)a->n_page * ARENA_PAGE);
    free(a->page);
    free(a);
}

static void page_link(struct arena *a, uint32_t *list, uint32_t i)
{
    struct page *p = &a->page[i];

    p->next = *list;
    p->prev = NONE;
    if (*list != NONE)
        a->page[*list].prev = i;
    *list = i;
    p->listed = true;
}

static void page_unlink(struct arena *a, uint32_t *list, uint32_t i)
{
    struct page *p = &a->page[i];

    if (p->prev != NONE)
        a->page[p->prev].next = p->next;
    else
        *list = p->next;
    if (p->next != NONE)
        a->page[p->next].prev = p->prev;
    p->listed = false;
}

static void block_back(struct arena *a, struct block *b)
{
    uint32_t i = (uint32_t)(((uint8_t *)b - a->base) / ARENA_PAGE);
    struct heap *h = &a->heap[i >= a->heap[1].first];
    struct page *p = &a->page[i];

    h->used -= b->bytes;
    b->next = p->free;
    p->free = b;
    if (!p->listed)
        page_link(a, &h->room[p->class], i);
    if (!--p->live) {
        page_unlink(a, &h->room[p->class], i);
        page_link(a, &h->free, i);
    }
}

/* Empties the return stack; false: it was empty. */
static bool arena_collect(struct arena *a)
{
    struct block *b, *next;

    if (!atomic_load_explicit(&a->back, memory_order_relaxed))
        return false;
    for (b = atomic_exchange_explicit(&a->back, NULL, memory_order_acquire); b; b = next) {
        next = b->next;
        block_back(a, b);
        a->returned++;
    }
    return true;
}

static struct block *page_take(struct arena *a, struct heap *h, uint32_t c, uint32_t i)
{
    struct page *p = &a->page[i];
    struct block *b = p->free;

    if (b)
        p->free = b->next;
    else
        b = (struct block *)(void *)(a->base + (size_t)i * ARENA_PAGE + (size_t)p->carved++ * class_bytes[c]);
    p->live++;
    h->used += class_bytes[c];
    if (!p->free && p->carved == ARENA_PAGE / class_bytes[c])
        page_unlink(a, &h->room[c], i);
    return b;
}

static struct block *heap_take(struct arena *a, struct heap *h, uint32_t c, bool new_page)
{
    uint32_t i = h->room[c];

    if (i == NONE) {
        if (!new_page)
            return NULL;
        if ((i = h->free) != NONE)
            page_unlink(a, &h->free, i);
        else if (h->fresh < h->pages)
            i = h->first + h->fresh++;
        else
            return NULL;
        a->page[i].free = NULL;
        a->page[i].carved = a->page[i].live = 0;
        a->page[i].class = c;
        page_link(a, &h->room[c], i);
    }
    return page_take(a, h, c, i);
}

struct block *arena_alloc(struct arena *a, uint32_t event_bytes, bool reserved)
{
    uint32_t c = 0, bytes;
    struct block *b;

    if (event_bytes > BLOCK_EVENT_MAX)
        return NULL;
    bytes = event_bytes + (uint32_t)sizeof *b;
    while (class_bytes[c] < bytes)
        c++;
    /* What readers gave back comes before a page that is cold. */
    b = heap_take(a, &a->heap[0], c, false);
    if (!b) {
        arena_collect(a);
        b = heap_take(a, &a->heap[0], c, true);
    }
    if (!b && reserved)
        b = heap_take(a, &a->heap[1], c, true);
    if (!b)
        return NULL;
    b->next = NULL;
    b->arena = a;
    b->bytes = class_bytes[c];
    atomic_store_explicit(&b->refs, 0, memory_order_relaxed);
    return b;
}

void block_release(struct block *b, uint32_t refs)
{
    struct arena *a = b->arena;
    struct block *top;

    /* Whoever holds all that are left needs no read-modify-write: nobody can add one. */
    if (atomic_load_explicit(&b->refs, memory_order_acquire) != refs
        && atomic_fetch_sub_explicit(&b->refs, refs, memory_order_acq_rel) != refs)
        return;
    top = atomic_load_explicit(&a->back, memory_order_relaxed);
    do
        b->next = top;
    while (!atomic_compare_exchange_weak_explicit(&a->back, &top, b, memory_order_release, memory_order_relaxed));
}

uint64_t arena_used(struct arena *a, uint64_t *total)
{
    arena_collect(a);
    *total = (uint64_t)a->heap[0].pages * ARENA_PAGE;
    return a->heap[0].used;
}

uint64_t arena_returned(const struct arena *a)
{
    return a->returned;
}
