#include "plugins/webhooks/hooks.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct document {
    struct ec_part part;
    struct ec_span name, url, secret, by;
    struct ec_list types;
    uint64_t at;
    uint32_t severity, pad;
    uint8_t active, pad2[7];
};
static const struct ec_row rows[] = {
    EC_FIELD(TEXT, 0, struct document, name, "name", NULL, "how it is called"),
    EC_FIELD(TEXT, 0, struct document, url, "url", NULL, "where to"),
    EC_FIELD(TEXT, EC_R_SECRET, struct document, secret, "secret", NULL, "that signs"),
    EC_FIELD(TEXT, 0, struct document, by, "changed_by", NULL, "who changed it last"),
    EC_FIELD(TEXT, EC_R_LIST, struct document, types, "events", NULL, "types of events"),
    EC_FIELD(TIME, 0, struct document, at, "changed_at", NULL, "when"),
    EC_FIELD(U32, 0, struct document, severity, "severity", NULL, "the least severe alert"),
    EC_FIELD(BOOL, 0, struct document, active, "active", NULL, "it is used"),
};
static const struct ec_record record = EC_RECORD_PART(struct document, rows);
static const struct ec_kind kind = { sizeof kind, 1, "webhooks", &record, NULL };

struct hooks {
    pthread_rwlock_t lock;          /* of the list */
    pthread_mutex_t edit;           /* one change at a time */
    const struct ec_store *store;
    void *store_self;
    uint32_t kind, n;
    struct hook *list;              /* HOOKS_MAX, in the order of their ids */
};

struct hooks *hooks_new(const struct ec_store *store, void *store_self)
{
    struct hooks *h = calloc(1, sizeof *h);

    if (!h || !(h->list = calloc(HOOKS_MAX, sizeof *h->list))) {
        free(h);
        return NULL;
    }
    pthread_rwlock_init(&h->lock, NULL);
    pthread_mutex_init(&h->edit, NULL);
    h->store = store;
    h->store_self = store_self;
    return h;
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    OPENSSL_cleanse(h->list, HOOKS_MAX * sizeof *h->list);
    free(h->list);
    pthread_rwlock_destroy(&h->lock);
    pthread_mutex_destroy(&h->edit);
    free(h);
}

int32_t hooks_declare(struct hooks *h, const struct ec_host *host)
{
    return h->store->kind(h->store_self, host, &kind, &h->kind);
}

static struct hook *find(const struct hooks *h, uint64_t id)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->list[i].id == id)
            return &h->list[i];
    return NULL;
}

static void text_take(const struct ec_part *p, struct ec_span from, char *to, size_t room)
{
    size_t n = from.off && from.len < room ? from.len : 0;

    if (n)
        memcpy(to, ec_bytes(p, from), n);
    to[n] = '\0';
}

static int32_t on_document(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    const struct document *d = (const struct document *)(const void *)p;
    struct hooks *h = arg;
    struct hook *one = &h->list[h->n];

    if (h->n == HOOKS_MAX)
        return 1;
    *one = (struct hook){ .id = id, .version = version, .at_ns = d->at, .severity = d->severity, .active = d->active };
    text_take(p, d->name, one->name, sizeof one->name);
    text_take(p, d->url, one->url, sizeof one->url);
    text_take(p, d->secret, one->secret, sizeof one->secret);
    text_take(p, d->by, one->by, sizeof one->by);
    for (uint32_t i = 0; i < d->types.n && one->types < HOOK_TYPES; i++) {
        const struct ec_span *s = (const void *)((const char *)p + d->types.off + (size_t)i * d->types.stride);

        text_take(p, *s, one->type[one->types++], HOOK_TYPE);
    }
    h->n++;
    return EC_OK;
}

int32_t hooks_load(struct hooks *h)
{
    return h->store->find(h->store_self, h->kind, NULL, 0, 0, HOOKS_MAX, on_document, h);
}

int32_t hooks_get(struct hooks *h, uint64_t id, struct hook *to)
{
    const struct hook *one;

    pthread_rwlock_rdlock(&h->lock);
    if ((one = find(h, id)))
        *to = *one;
    pthread_rwlock_unlock(&h->lock);
    return one ? EC_OK : EC_ENOENT;
}

uint32_t hooks_page(struct hooks *h, uint64_t after, struct hook *to, uint32_t n)
{
    uint32_t got = 0;

    pthread_rwlock_rdlock(&h->lock);
    for (uint32_t i = 0; i < h->n && got < n; i++)
        if (h->list[i].id > after)
            to[got++] = h->list[i];
    pthread_rwlock_unlock(&h->lock);
    return got;
}

static bool wants(const struct hook *one, const char *type, uint32_t severity)
{
    if (!one->active || (one->severity && severity > one->severity))
        return false;
    for (uint32_t i = 0; i < one->types; i++)
        if (!strcmp(one->type[i], type))
            return true;
    return false;
}

uint32_t hooks_wanting(struct hooks *h, const char *type, uint32_t severity, uint64_t to[HOOKS_MAX])
{
    uint32_t got = 0;

    pthread_rwlock_rdlock(&h->lock);
    for (uint32_t i = 0; i < h->n; i++)
        if (wants(&h->list[i], type, severity))
            to[got++] = h->list[i].id;
    pthread_rwlock_unlock(&h->lock);
    return got;
}

static int32_t store_write(struct hooks *h, struct hook *one)
{
    union { uint64_t align; uint8_t bytes[8192]; } room = { .bytes = { 0 } };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct document *d;
    struct ec_span *type;
    int32_t err;

    ec_grow(&b, sizeof(struct ec_event));
    d = ec_add(&b, 0, sizeof *d);
    d->name = ec_puts(&b, one->name);
    d->url = ec_puts(&b, one->url);
    d->secret = ec_puts(&b, one->secret);
    d->by = ec_puts(&b, one->by);
    d->at = one->at_ns;
    d->severity = one->severity;
    d->active = one->active;
    type = ec_rows(&b, &d->types, one->types, sizeof *type);
    for (uint32_t i = 0; type && i < one->types; i++)
        type[i] = ec_puts(&b, one->type[i]);
    err = h->store->put(h->store_self, h->kind, &one->id, one->version, &d->part);
    OPENSSL_cleanse(&room, sizeof room);
    return err;
}

static int32_t version_seen(void *arg, uint64_t id, uint64_t version, const struct ec_part *p)
{
    (void)id;
    (void)p;
    *(uint64_t *)arg = version;
    return EC_OK;
}

static int32_t put(struct hooks *h, struct hook *one)
{
    struct hook *old = one->id ? find(h, one->id) : NULL;
    int32_t err;

    if (one->id && !old)
        return EC_ENOENT;
    if (!old && h->n == HOOKS_MAX)
        return EC_ELIMIT;
    if ((err = store_write(h, one)))
        return err;
    h->store->get(h->store_self, h->kind, one->id, version_seen, &one->version);
    pthread_rwlock_wrlock(&h->lock);
    if (!old)
        old = &h->list[h->n++];     /* its id is the greatest */
    *old = *one;
    pthread_rwlock_unlock(&h->lock);
    return EC_OK;
}

int32_t hooks_put(struct hooks *h, struct hook *one)
{
    int32_t err;

    pthread_mutex_lock(&h->edit);
    err = put(h, one);
    pthread_mutex_unlock(&h->edit);
    return err;
}

int32_t hooks_remove(struct hooks *h, uint64_t id)
{
    struct hook *old;
    int32_t err = EC_ENOENT;

    pthread_mutex_lock(&h->edit);
    if ((old = find(h, id)) && !(err = h->store->del(h->store_self, h->kind, id, 0))) {
        pthread_rwlock_wrlock(&h->lock);
        memmove(old, old + 1, (size_t)(h->list + --h->n - old) * sizeof *old);
        pthread_rwlock_unlock(&h->lock);
    }
    pthread_mutex_unlock(&h->edit);
    return err;
}
