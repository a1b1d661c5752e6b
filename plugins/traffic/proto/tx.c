/* Transactions: made by parsers, seen by inspectors at each step, published at their end. */
#include "plugins/traffic/proto/app.h"

#include "plugins/traffic/inspect.h"
#include "plugins/traffic/publish.h"

#define ALIGN8(n) (((n) + 7u) & ~7u)

struct ec_tx *tx_begin(struct ec_pctx *c)
{
    const struct traffic *tr = c->w->tr;
    const struct ec_proto *def = c->a->proto->def;
    uint32_t lease = tr->lease_bytes[1], buf = (uint32_t)sizeof(struct txi) + lease;
    uint32_t mem = buf + def->n_buf * (uint32_t)sizeof(struct ec_buf),
             bytes = ALIGN8(mem + def->tx_bytes);
    struct txi *x = NULL;

    if (c->a->tx_open < (def->tx_max ? def->tx_max : c->w->conf->tx_max))
        x = pool_zero(&c->w->pool, bytes);
    if (!x) {
        count(c->w, M_TX_LIMIT);
        return NULL;
    }
    x->pub.size = sizeof x->pub;
    x->pub.proto = c->a->proto->id;
    x->pub.id = c->a->tx_next++;
    x->pub.buf = (struct ec_buf *)(void *)((uint8_t *)x + buf);
    x->pub.mem = (uint8_t *)x + mem;
    x->proto = c->a->proto;
    x->flow = c->f;
    x->bytes = bytes;
    x->prev = c->a->last;
    if (c->a->last)
        c->a->last->next = x;
    else
        c->a->first = x;
    c->a->last = x;
    c->a->tx_open++;
    count(c->w, M_TX);
    return &x->pub;
}

void tx_step(struct ec_pctx *c, struct ec_tx *x, uint32_t dir, uint32_t progress)
{
    x->dir = (uint8_t)dir;
    if (progress > x->progress[dir])
        x->progress[dir] = (uint8_t)progress;
    inspect_tx(c->w, c->f, x);
    x->fresh = 0;
}

static void tx_leases_drop(const struct traffic *tr, struct txi *x)
{
    for (uint32_t i = 0; i < tr->n_lease[1]; i++)
        if (tr->lease[1][i].drop)
            tr->lease[1][i].drop(tr->lease[1][i].self, (uint8_t *)x + tr->lease[1][i].off);
}

static void record(struct worker *w, struct flow *f, struct txi *x)
{
    if (!x->recorded)
        publish_tx(w, f, &x->pub, x->proto);
    x->recorded = true;
}

static void tx_close(struct worker *w, struct flow *f, struct app *a, struct txi *x, uint32_t flags)
{
    x->pub.flags |= flags | EC_TX_END;
    inspect_tx(w, f, &x->pub);
    record(w, f, x);
    if (x->proto->def->tx_drop)
        x->proto->def->tx_drop(x->proto->self, x->pub.mem);
    tx_leases_drop(w->tr, x);
    if (x->prev)
        x->prev->next = x->next;
    else
        a->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    else
        a->last = x->prev;
    a->tx_open--;
    pool_put(&w->pool, x, x->bytes);
}

void tx_record(struct ec_pctx *c, struct ec_tx *x)
{
    record(c->w, c->f, (struct txi *)(void *)x);
}

void tx_end(struct ec_pctx *c, struct ec_tx *x)
{
    tx_close(c->w, c->f, c->a, (struct txi *)(void *)x, 0);
}

void tx_end_all(struct worker *w, struct flow *f, struct app *a)
{
    while (a->first) {
        count(w, M_TX_CUT);
        tx_close(w, f, a, a->first, EC_TX_CUT);
    }
}

void tx_anomaly(struct ec_pctx *c, struct ec_tx *x, uint32_t index)
{
    const struct proto *p = c->a->proto;
    uint64_t bit = UINT64_C(1) << (index & 63);

    if (index >= p->def->n_anomaly)
        return;
    count(c->w, M_ANOMALY);
    if (p->host && p->metric)
        p->host->cells(p->host, c->w->index)[p->metric[index]]++;
    if (x)
        x->raised |= bit;
    else
        raised_note_app(c->w, c->f, p->id, index);
    if (c->a->anomalies & bit) {
        count(c->w, M_ANOMALY_LIMITED);
        return;
    }
    c->a->anomalies |= bit;
    publish_anomaly(c->w, c->f, c->w->now, ANOMALY_APP, p->def->anomaly[index], "proto_parser", x);
}

void tx_file(struct ec_pctx *c, struct ec_tx *x, const struct ec_file *file)
{
    count(c->w, M_FILES);
    publish_file(c->w, c->f, x, file);
}

struct ec_flow *tx_flow(struct ec_pctx *c)
{
    return &c->f->pub;
}

void tx_opaque(struct ec_pctx *c)
{
    c->opaque = true;
}

int32_t tx_upgrade(struct ec_pctx *c, const char *proto)
{
    c->to = proto ? registry_find(c->w->tr, proto) : NULL;
    if (proto && !c->to)
        return EC_ENOENT;
    c->upgrade = true;
    return EC_OK;
}

const struct ec_buf *tx_fill(void *self, struct ec_tx *x, uint32_t slot)
{
    const struct proto *p = ((struct txi *)(void *)x)->proto;
    struct ec_buf *b = x->buf + slot;

    (void)self;
    if ((b->state & EC_BUF_LAZY) && p->def->fill)
        p->def->fill(p->self, x, slot, b);
    b->state &= (uint16_t)~EC_BUF_LAZY;
    return b;
}
