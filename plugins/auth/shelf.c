#define EC_API_LEVEL 1
#include "plugins/auth/shelf.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX     1024 /* bytes of an item */
#define DOCUMENT_MAX 4096
#define SWEEP        64

struct shelf {
    const struct shelf_form *form;
    pthread_rwlock_t lock; /* of the list; held for copies only */
    pthread_mutex_t edit;  /* one change at a time, from the store to the list */
    const struct ec_store *store;
    void *store_self;
    uint32_t kind, n, room;
    char *list; /* in the order of their ids */
};

struct shelf *shelf_new(const struct shelf_form *form)
{
    struct shelf *s = form->size <= ITEM_MAX ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return NULL;
    s->form = form;
    pthread_rwlock_init(&s->lock, NULL);
    pthread_mutex_init(&s->edit, NULL);
    return s;
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    if (s->list)
        OPENSSL_cleanse(s->list, (size_t)s->n * s->form->size);
    free(s->list);
    pthread_rwlock_destroy(&s->lock);
    pthread_mutex_destroy(&s->edit);
    free(s);
}

static char *at(const struct shelf *s, uint32_t i)
{
    return s->list + (size_t)i * s->form->size;
}

static uint64_t id_of(const void *item)
{
    return *(const uint64_t *)item;
}

/* Where it stands, or would stand. */
static uint32_t place(const struct shelf *s, uint64_t id)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (id_of(at(s, mid)) < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static char *by_id(const struct shelf *s, uint64_t id)
{
    uint32_t i = place(s, id);

    return i < s->n && id_of(at(s, i)) == id ? at(s, i) : NULL;
}

/* Room for one more, before the store is written. */
static int32_t reserve(struct shelf *s)
{
    uint32_t room = s->room ? 2 * s->room : 16;
    char *list;

    if (s->n >= s->form->max)
        return EC_ELIMIT;
    if (s->n < s->room)
        return EC_OK;
    list = calloc(room, s->form->size);
    if (!list)
        return EC_ENOMEM;
    pthread_rwlock_wrlock(&s->lock);
    if (s->list) {
        memcpy(list, s->list, (size_t)s->n * s->form->size);
        OPENSSL_cleanse(s->list, (size_t)s->n * s->form->size);
    }
    free(s->list);
    s->list = list;
    s->room = room;
    pthread_rwlock_unlock(&s->lock);
    return EC_OK;
}

static void insert(struct shelf *s, const void *item)
{
    uint32_t i;

    pthread_rwlock_wrlock(&s->lock);
    i = place(s, id_of(item));
    if (i == s->n || id_of(at(s, i)) != id_of(item)) {
        memmove(at(s, i + 1), at(s, i), (size_t)(s->n - i) * s->form->size);
        s->n++;
    }
    memcpy(at(s, i), item, s->form->size);
    pthread_rwlock_unlock(&s->lock);
}

static void take_out(struct shelf *s, uint64_t id)
{
    uint32_t i;

    pthread_rwlock_wrlock(&s->lock);
    i = place(s, id);
    if (i < s->n && id_of(at(s, i)) == id) {
        s->n--;
        memmove(at(s, i), at(s, i + 1), (size_t)(s->n - i) * s->form->size);
        OPENSSL_cleanse(at(s, s->n), s->form->size);
    }
    pthread_rwlock_unlock(&s->lock);
}

struct loading {
    struct shelf *s;
    uint64_t last;
    uint32_t n;
    int32_t err;
};

static int32_t on_document(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    uint64_t item[ITEM_MAX / sizeof(uint64_t)] = {id};
    struct loading *l = arg;

    (void)version;
    l->last = id;
    l->n++;
    l->s->form->read(p, item);
    l->err = reserve(l->s);
    if (!l->err)
        insert(l->s, item);
    OPENSSL_cleanse(item, sizeof item);
    return l->err;
}

int32_t shelf_load(struct shelf *s, const struct ec_store *store, void *store_self, uint32_t kind)
{
    struct loading l = {.s = s};
    int32_t err;

    s->store = store;
    s->store_self = store_self;
    s->kind = kind;
    do {
        l.n = 0;
        err = store->find(store_self, kind, NULL, 0, l.last, 1000, on_document, &l);
    } while (!err && !l.err && l.n == 1000);
    return !l.err || l.err == EC_ELIMIT ? err : l.err;
}

uint32_t shelf_count(struct shelf *s)
{
    uint32_t n;

    pthread_rwlock_rdlock(&s->lock);
    n = s->n;
    pthread_rwlock_unlock(&s->lock);
    return n;
}

int32_t shelf_get(struct shelf *s, uint64_t id, void *to)
{
    const char *item;

    pthread_rwlock_rdlock(&s->lock);
    item = by_id(s, id);
    if (item)
        memcpy(to, item, s->form->size);
    pthread_rwlock_unlock(&s->lock);
    return item ? EC_OK : EC_ENOENT;
}

uint32_t shelf_find(struct shelf *s, bool (*fn)(const void *item, void *arg), void *arg, uint64_t after, void *to,
                    uint32_t n)
{
    uint32_t got = 0;

    pthread_rwlock_rdlock(&s->lock);
    for (uint32_t i = place(s, after + 1); i < s->n && got < n; i++)
        if (fn(at(s, i), arg))
            memcpy((char *)to + (size_t)got++ * s->form->size, at(s, i), s->form->size);
    pthread_rwlock_unlock(&s->lock);
    return got;
}

static int32_t store_write(struct shelf *s, uint64_t *id, const void *item)
{
    union {
        uint64_t align;
        uint8_t bytes[DOCUMENT_MAX];
    } room = {.bytes = {0}};
    struct ec_build b = {.base = room.bytes, .cap = sizeof room};
    const struct ec_part *p;
    int32_t err;

    ec_grow(&b, sizeof(struct ec_event));
    p = s->form->write(item, &b);
    err = p ? s->store->put(s->store_self, s->kind, id, 0, p) : EC_ELIMIT;
    OPENSSL_cleanse(&room, sizeof room);
    return err;
}

/* A number beyond those of the store; random, so that none comes back after a restart. */
static int32_t brief_id(uint64_t *id)
{
    if (RAND_bytes((unsigned char *)id, sizeof *id) != 1)
        return EC_ENOMEM;
    *id = SHELF_BRIEF | (*id & (SHELF_BRIEF - 1));
    return EC_OK;
}

int32_t shelf_add(struct shelf *s, void *item, bool brief)
{
    uint64_t id = 0;
    int32_t err;

    pthread_mutex_lock(&s->edit);
    err = reserve(s);
    if (!err) {
        err = store_write(s, &id, item);
        if (err && brief)
            err = brief_id(&id);
        if (!err) {
            *(uint64_t *)item = id;
            insert(s, item);
        }
    }
    pthread_mutex_unlock(&s->edit);
    return err;
}

static int32_t change(struct shelf *s, uint64_t id, int32_t (*fn)(void *item, void *arg), void *arg, void *to)
{
    int32_t err = shelf_get(s, id, to);

    if (!err)
        err = fn(to, arg);
    if (!err && id < SHELF_BRIEF)
        err = store_write(s, &id, to);
    if (!err)
        insert(s, to);
    return err;
}

int32_t shelf_change(struct shelf *s, uint64_t id, int32_t (*fn)(void *item, void *arg), void *arg, void *to)
{
    int32_t err;

    pthread_mutex_lock(&s->edit);
    err = change(s, id, fn, arg, to);
    pthread_mutex_unlock(&s->edit);
    return err;
}

void shelf_touch(struct shelf *s, uint64_t id, void (*fn)(void *item, void *arg), void *arg)
{
    char *item;

    pthread_rwlock_wrlock(&s->lock);
    item = by_id(s, id);
    if (item)
        fn(item, arg);
    pthread_rwlock_unlock(&s->lock);
}

/* `edit` is held. */
static int32_t drop(struct shelf *s, uint64_t id)
{
    int32_t err = id < SHELF_BRIEF ? s->store->del(s->store_self, s->kind, id, 0) : EC_OK;

    if (err && err != EC_ENOENT)
        return err;
    take_out(s, id);
    return EC_OK;
}

int32_t shelf_remove(struct shelf *s, uint64_t id)
{
    int32_t err = EC_ENOENT;

    pthread_mutex_lock(&s->edit);
    if (by_id(s, id))
        err = drop(s, id);
    pthread_mutex_unlock(&s->edit);
    return err;
}

uint32_t shelf_sweep(struct shelf *s, bool (*fn)(const void *item, void *arg), void *arg)
{
    uint64_t doomed[SWEEP], after = 0;
    uint32_t gone = 0, n;

    do {
        n = 0;
        pthread_mutex_lock(&s->edit); /* who reads the list while it is held needs no other lock */
        for (uint32_t i = place(s, after + 1); i < s->n && n < SWEEP; i++)
            if (fn(at(s, i), arg))
                doomed[n++] = id_of(at(s, i));
        for (uint32_t i = 0; i < n; i++)
            gone += !drop(s, doomed[i]);
        pthread_mutex_unlock(&s->edit);
        after = n ? doomed[n - 1] : 0;
    } while (n == SWEEP);
    return gone;
}
