/* fake_traffic.c: a traffic engine of a page. */
#include "fake_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ec_pctx { struct fake_traffic *f; };

static const struct ec_plugin no_plugin = { .size = sizeof no_plugin, .name = "fake" };

static struct ec_tx *fake_tx_begin(struct ec_pctx *c)
{
    struct fake_traffic *f = c->f;
    struct ec_tx *x;

    if (f->n_open == sizeof f->open / sizeof f->open[0] || f->n_begun == FAKE_TX_MAX)
        return NULL;
    if (!(x = calloc(1, sizeof *x)) || !(x->buf = calloc(f->proto->n_buf + 1u, sizeof *x->buf)) ||
        !(x->mem = calloc(1, f->proto->tx_bytes + 1u)))
        abort();
    x->size = sizeof *x;
    x->id = f->next_id++;
    f->n_begun++;
    return f->open[f->n_open++] = x;
}

/* Touch every buffer, so that a sanitizer sees a pointer that leads nowhere. */
static void read_buffer(const struct ec_buf *b)
{
    static volatile uint32_t sink;

    if (b->state & EC_BUF_LIST)
        for (uint32_t i = 0; i < b->len; i++)
            read_buffer(&b->u.item[i]);
    else
        for (uint32_t i = 0; b->state && i < b->len; i++)
            sink = sink + b->u.data[i];
}

static void show(struct fake_traffic *f, struct ec_tx *x)
{
    f->n_step++;
    for (uint32_t i = 0; i < f->proto->n_buf; i++)
        read_buffer(&x->buf[i]);
    if (f->on_step)
        f->on_step(f, x, f->on_step_arg);
    x->fresh = 0;
}

static void fake_tx_step(struct ec_pctx *c, struct ec_tx *x, uint32_t dir, uint32_t progress)
{
    x->dir = (uint8_t)dir;
    if (progress > x->progress[dir])
        x->progress[dir] = (uint8_t)progress;
    show(c->f, x);
}

static void tx_free(struct fake_traffic *f, struct ec_tx *x)
{
    if (f->proto->tx_drop)
        f->proto->tx_drop(f->proto_self, x->mem);
    free(x->mem);
    free(x->buf);
    free(x);
}

static void fake_tx_record(struct ec_pctx *c, struct ec_tx *x)
{
    struct fake_traffic *f = c->f;
    const struct ec_host *h = testhost_host(f->host);
    struct ec_build b;

    if (x->pad)
        return;
    x->pad = 1;                     /* once */
    if (h->open(h, 0, f->topic, &b))
        abort();
    if (f->proto->record(f->proto_self, x, f->topic, &b) == EC_OK)
        h->publish(h, &b);
    else
        h->discard(h, &b);
}

static void fake_tx_end(struct ec_pctx *c, struct ec_tx *x)
{
    struct fake_traffic *f = c->f;
    uint32_t i = 0;

    while (i < f->n_open && f->open[i] != x)
        i++;
    if (i == f->n_open)
        abort();                    /* ended twice */
    f->open[i] = f->open[--f->n_open];
    f->n_ended++;
    x->flags |= EC_TX_END;
    show(f, x);
    fake_tx_record(c, x);
    tx_free(f, x);
}

static void fake_anomaly(struct ec_pctx *c, struct ec_tx *x, uint32_t index)
{
    (void)x;
    if (index >= c->f->proto->n_anomaly)
        abort();
    c->f->anomaly[index]++;
}

static void fake_opaque(struct ec_pctx *c)
{
    c->f->opaque = true;
}

static int32_t fake_upgrade(struct ec_pctx *c, const char *proto)
{
    (void)proto;
    c->f->upgraded = true;
    return EC_OK;
}

static void fake_file(struct ec_pctx *c, struct ec_tx *x, const struct ec_file *file)
{
    struct fake_traffic *f = c->f;

    (void)x;
    f->n_file++;
    f->file = *file;
    snprintf(f->file_name, sizeof f->file_name, "%.*s", (int)file->name_len,
             file->name ? (const char *)file->name : "");
    f->file.name = NULL;
}

static int32_t fake_proto(void *self, const struct ec_host *h, const struct ec_proto *p, void *proto_self, uint32_t *id)
{
    struct fake_traffic *f = self;

    if (f->n_all == FAKE_PROTOS_MAX)
        abort();
    f->all[f->n_all] = p;
    f->all_self[f->n_all++] = proto_self;
    f->proto = p;
    f->proto_self = proto_self;
    f->topic = p->topic ? h->topic_find(h, p->topic) : 0;
    *id = 1;
    return f->topic || !p->topic ? EC_OK : EC_ENOENT;
}

void fake_use(struct fake_traffic *f, const char *name)
{
    uint32_t i = 0;

    while (i < f->n_all && strcmp(f->all[i]->name, name))
        i++;
    if (i == f->n_all)
        abort();
    f->proto = f->all[i];
    f->proto_self = f->all_self[i];
}

static const struct ec_traffic service = {
    .size = sizeof service,
    .proto = fake_proto,
    .tx_begin = fake_tx_begin,
    .tx_step = fake_tx_step,
    .tx_end = fake_tx_end,
    .anomaly = fake_anomaly,
    .upgrade = fake_upgrade,
    .file = fake_file,
    .opaque = fake_opaque,
    .tx_record = fake_tx_record,
};

struct fake_traffic *fake_new(fake_register_fn *reg)
{
    struct fake_traffic *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->host = testhost_new(&no_plugin);
    if (reg(testhost_host(f->host), &service, f) != EC_OK)
        abort();
    return f;
}

void fake_begin(struct fake_traffic *f)
{
    if (!(f->state = calloc(1, f->proto->state_bytes + 1u)))
        abort();
    for (int dir = 0; dir < 2; dir++) {
        if (!f->held[dir] && !(f->held[dir] = malloc(FAKE_HELD_MAX)))
            abort();
        f->n_held[dir] = 0;
        f->offset[dir] = 0;
    }
    f->n_begun = f->n_ended = f->n_step = f->n_file = 0;
    f->next_id = 0;
    f->gave_up = f->upgraded = f->opaque = false;
    memset(f->anomaly, 0, sizeof f->anomaly);
}

static int64_t parse(struct fake_traffic *f, const struct ec_chunk *k)
{
    struct ec_pctx c = { f };
    /* A copy of its own, so that a sanitizer sees a read behind the end and a pointer kept for too long. */
    uint8_t *copy = malloc(k->len + !k->len);
    struct ec_chunk own = *k;
    int64_t eaten;

    if (!copy)
        abort();
    if (k->len)
        memcpy(copy, k->data, k->len);
    own.data = copy;
    eaten = f->proto->parse(f->proto_self, &c, f->state, &own);
    free(copy);
    if (eaten > (int64_t)k->len)
        abort();
    return eaten;
}

static void feed(struct fake_traffic *f, uint32_t dir, const uint8_t *d, uint32_t n, uint32_t flags, uint64_t missing)
{
    struct ec_chunk k = { .size = sizeof k, .flags = flags, .dir = dir, .missing = missing, .packet = f->packet };
    int64_t eaten;

    if (f->gave_up || f->upgraded)
        return;
    if (n > FAKE_HELD_MAX - f->n_held[dir])
        n = FAKE_HELD_MAX - f->n_held[dir];
    if (n)
        memcpy(f->held[dir] + f->n_held[dir], d, n);
    f->n_held[dir] += n;
    k.data = f->held[dir];
    k.len = f->n_held[dir];
    k.offset = f->offset[dir];
    eaten = parse(f, &k);
    if (eaten < 0) {
        f->gave_up = true;
        return;
    }
    if (flags & EC_CH_DATAGRAM)
        eaten = k.len;
    f->n_held[dir] -= (uint32_t)eaten;
    f->offset[dir] += (uint64_t)eaten;
    memmove(f->held[dir], f->held[dir] + eaten, f->n_held[dir]);
}

void fake_feed(struct fake_traffic *f, uint32_t dir, const void *d, uint32_t n, uint32_t flags)
{
    feed(f, dir, d, n, flags, 0);
}

void fake_gap(struct fake_traffic *f, uint32_t dir, uint64_t missing)
{
    f->n_held[dir] = 0;
    f->offset[dir] += missing;
    feed(f, dir, NULL, 0, EC_CH_GAP, missing);
}

void fake_end(struct fake_traffic *f)
{
    fake_feed(f, EC_TO_SERVER, NULL, 0, EC_CH_END);
    fake_feed(f, EC_TO_CLIENT, NULL, 0, EC_CH_END);
    while (f->n_open)
        tx_free(f, f->open[--f->n_open]);
    if (f->proto->state_drop)
        f->proto->state_drop(f->proto_self, f->state);
    free(f->state);
    f->state = NULL;
}

void fake_free(struct fake_traffic *f)
{
    testhost_free(f->host);
    free(f->held[0]);
    free(f->held[1]);
    free(f);
}

uint32_t fake_told(const struct fake_traffic *f, const char *name)
{
    for (uint32_t i = 0; i < f->proto->n_anomaly; i++)
        if (!strcmp(f->proto->anomaly[i], name))
            return f->anomaly[i];
    fprintf(stderr, "there is no anomaly %s\n", name);
    abort();
}

const struct ec_buf *fake_buffer(struct fake_traffic *f, struct ec_tx *x, const char *name, uint32_t dir)
{
    for (uint32_t i = 0; i < f->proto->n_buf; i++)
        if (!strcmp(f->proto->buf[i].name, name) && f->proto->buf[i].dir == dir)
            return x->buf[i].state ? &x->buf[i] : NULL;
    return NULL;
}
