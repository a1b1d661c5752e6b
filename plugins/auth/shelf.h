/* shelf.h: documents of one kind, all of them in memory as structs of one size, so that a request is judged without any
 * I/O. Each struct begins with its id. What is changed is written to the store first. */
#ifndef AUTH_SHELF_H
#define AUTH_SHELF_H
#include <ecyber/ext/store.h>
#include <stdbool.h>

struct shelf_form { /* static */
    const struct ec_kind *kind; /* to be declared to the store in setup() */
    uint32_t size, max;         /* bytes of an item; how many there may be */
    void (*read)(const struct ec_part *p, void *item);
    struct ec_part *(*write)(const void *item, struct ec_build *b); /* NULL: b has no room */
};
/* Items from this number on are in memory only: those that the store could not take. */
#define SHELF_BRIEF (UINT64_C(1) << 52)

struct shelf;

struct shelf *shelf_new(const struct shelf_form *form); /* NULL: out of memory */
void shelf_free(struct shelf *s);                       /* wipes the items */
/* [ctl] start(): read them all from the store. EC_OK, or what the store returned. More than max are left out. */
int32_t shelf_load(struct shelf *s, const struct ec_store *store, void *store_self, uint32_t kind);

uint32_t shelf_count(struct shelf *s);                    /* [any] */
int32_t shelf_get(struct shelf *s, uint64_t id, void *to); /* [any] A copy. EC_ENOENT */
/* [any] Copies of at most n items for which fn is true, in the order of their ids, behind `after`; returns how many.
 * fn runs under the lock. */
uint32_t shelf_find(struct shelf *s, bool (*fn)(const void *item, void *arg), void *arg, uint64_t after, void *to,
                    uint32_t n);

/* [pool] A new item; its id is set. EC_ELIMIT: max; else the store failed. brief: where the store fails, keep it in
 * memory until the daemon ends. */
int32_t shelf_add(struct shelf *s, void *item, bool brief);
/* [pool] fn changes a copy, one at a time; it is kept where fn returns EC_OK and the store takes it. `to` gets the copy.
 * EC_ENOENT: there is none; else what fn or the store returned. */
int32_t shelf_change(struct shelf *s, uint64_t id, int32_t (*fn)(void *item, void *arg), void *arg, void *to);
/* [any] fn changes the item in memory alone, for what may be lost; under the lock. Nothing where there is none. */
void shelf_touch(struct shelf *s, uint64_t id, void (*fn)(void *item, void *arg), void *arg);
int32_t shelf_remove(struct shelf *s, uint64_t id); /* [pool] EC_ENOENT; else the store failed, and it is still there */
/* [pool] Remove all for which fn is true; returns how many. Those that the store does not let go stay. */
uint32_t shelf_sweep(struct shelf *s, bool (*fn)(const void *item, void *arg), void *arg);

#endif
