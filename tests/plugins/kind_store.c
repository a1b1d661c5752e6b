/* kind_store.c: the kind 'service provider': documents in memory behind ec.store/1. */
#define EC_API_LEVEL 1
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ecyber/plugin.h>
#include <ecyber/ext/store.h>

#define KINDS 8
#define DOCUMENTS 256

struct document { uint32_t kind; uint64_t id, version; struct ec_part *part; };
struct store {
    const struct ec_host *host;
    pthread_mutex_t lock;
    const struct ec_kind *kind[KINDS];
    struct document document[DOCUMENTS];
    uint32_t n_kind, n_document;
    uint64_t last_id;
};

static int32_t store_kind(void *self, const struct ec_host *h, const struct ec_kind *k, uint32_t *kind)
{
    struct store *s = self;

    (void)h;
    if (s->n_kind == KINDS)
        return s->host->fail(s->host, EC_ELIMIT, "more than 8 kinds of document");
    s->kind[s->n_kind] = k;
    *kind = s->n_kind++;
    return EC_OK;
}

static struct document *document_find(struct store *s, uint32_t kind, uint64_t id)
{
    for (uint32_t i = 0; i < s->n_document; i++)
        if (s->document[i].kind == kind && s->document[i].id == id)
            return &s->document[i];
    return NULL;
}

static int32_t document_write(struct store *s, struct document *d, uint64_t version, const struct ec_part *p)
{
    struct ec_part *copy;

    if (version && version != d->version)
        return EC_EAGAIN;
    if (!(copy = malloc(p->total)))
        return EC_ENOMEM;
    memcpy(copy, p, p->total);
    free(d->part);
    d->part = copy;
    d->version++;
    (void)s;
    return EC_OK;
}

static int32_t store_put(void *self, uint32_t kind, uint64_t *id, uint64_t version, const struct ec_part *p)
{
    struct store *s = self;
    struct document *d;
    int32_t err = EC_ENOENT;

    pthread_mutex_lock(&s->lock);
    if (!*id && s->n_document < DOCUMENTS) {
        d = &s->document[s->n_document++];
        d->kind = kind;
        *id = d->id = ++s->last_id;
    } else {
        d = *id ? document_find(s, kind, *id) : NULL;
    }
    if (d)
        err = document_write(s, d, version, p);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static int32_t store_del(void *self, uint32_t kind, uint64_t id, uint64_t version)
{
    struct store *s = self;
    struct document *d;
    int32_t err = EC_OK;

    pthread_mutex_lock(&s->lock);
    d = document_find(s, kind, id);
    if (!d) {
        err = EC_ENOENT;
    } else if (version && version != d->version) {
        err = EC_EAGAIN;
    } else {
        free(d->part);
        *d = s->document[--s->n_document];
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

static int32_t store_get(void *self, uint32_t kind, uint64_t id, ec_store_row_fn *fn, void *arg)
{
    struct store *s = self;
    struct document *d;

    pthread_mutex_lock(&s->lock);
    if ((d = document_find(s, kind, id)))
        fn(arg, d->id, d->version, d->part);
    pthread_mutex_unlock(&s->lock);
    return d ? EC_OK : EC_ENOENT;
}

static int32_t store_find(void *self, uint32_t kind, const struct ec_filter *f, uint32_t n, uint64_t after,
                          uint32_t limit, ec_store_row_fn *fn, void *arg)
{
    struct store *s = self;

    (void)f;
    if (n)
        return s->host->fail(s->host, EC_ENOTSUP, "this store has no filters");
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->n_document && limit; i++)
        if (s->document[i].kind == kind && s->document[i].id > after && limit--)
            fn(arg, s->document[i].id, s->document[i].version, s->document[i].part);
    pthread_mutex_unlock(&s->lock);
    return EC_OK;
}

static const struct ec_store store = {
    .size = sizeof store, .kind = store_kind, .put = store_put, .del = store_del, .get = store_get, .find = store_find };
static const struct ec_offer offers[] = { { sizeof(struct ec_offer), 0, EC_STORE_ID, &store } };

static int32_t store_create(const struct ec_host *h, void **self)
{
    struct store *s = *self = calloc(1, sizeof *s);

    if (!s)
        return EC_ENOMEM;
    s->host = h;
    pthread_mutex_init(&s->lock, NULL);
    return EC_OK;
}

static void store_destroy(void *self)
{
    struct store *s = self;

    for (uint32_t i = 0; i < s->n_document; i++)
        free(s->document[i].part);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const struct ec_plugin plugin = {
    EC_PLUGIN_HEAD, "org.ecyber.test.store", "kind_store", "1", "documents in memory", "MIT", NULL,
    0, 0, 1, sizeof offers[0], 0, 0, NULL, offers, NULL, NULL,
    store_create, NULL, NULL, NULL, NULL, NULL, NULL, NULL, store_destroy };
EC_PLUGIN(plugin)
