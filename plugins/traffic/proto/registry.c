/* Who speaks what: the protocols, their anomalies' metrics, buffers by name, leases. Written in
 * setup() only. */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/traffic/proto/app.h"

/* A metric row for each anomaly, owned by the parser's plugin. */
static int32_t anomalies_add(struct proto *p)
{
    uint32_t n = p->def->n_anomaly;

    if (!n || !p->host)
        return EC_OK;
    p->rows = calloc(n, sizeof *p->rows);
    p->metric = calloc(n, sizeof *p->metric);
    if (!p->rows || !p->metric)
        return EC_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        char name[96];
        int32_t rc;
        snprintf(name, sizeof name, "app.%s.%s", p->def->name, p->def->anomaly[i]);
        for (char *c = name; *c; c++)               /* EVE has some of them in capitals */
            if (*c >= 'A' && *c <= 'Z')
                *c |= 0x20;
        p->rows[i].size = sizeof p->rows[i];
        p->rows[i].kind = EC_METRIC_COUNTER;
        p->rows[i].name = strdup(name);
        p->rows[i].unit = "events";
        p->rows[i].help = "Times that the parser met this anomaly.";
        if (!p->rows[i].name)
            return EC_ENOMEM;
        if ((rc = p->host->metric_add(p->host, &p->rows[i], &p->metric[i])))
            return rc;
    }
    return EC_OK;
}

/* Where def's protocol goes; a parser takes the place of a name alone. NULL: it is there already, or there is no room. */
static struct proto *registry_place(struct traffic *tr, const struct ec_proto *def, int32_t *why)
{
    for (uint32_t i = 0; i < tr->protos; i++) {
        if (strcmp(tr->proto[i].def->name, def->name) != 0)
            continue;
        *why = EC_EEXIST;
        if (!(tr->proto[i].def->flags & EC_PROTO_NAME_ONLY) || (def->flags & EC_PROTO_NAME_ONLY))
            return NULL;
        detect_remove(&tr->probes, i);
        return &tr->proto[i];
    }
    *why = EC_ELIMIT;
    return tr->protos < PROTOS_MAX ? &tr->proto[tr->protos] : NULL;
}

int32_t registry_proto(struct traffic *tr, const struct ec_host *h, const struct ec_proto *def,
                       void *self, uint32_t *id)
{
    struct proto *p;
    int32_t rc;

    if (!EC_HAS(def, struct ec_proto, state_drop) || !def->name || !def->probe ||
        !def->parse == !(def->flags & EC_PROTO_NAME_ONLY) || def->n_buf > EC_SLOTS_MAX || def->n_anomaly > 64)
        return EC_EINVAL;
    if (!(p = registry_place(tr, def, &rc)))
        return rc;
    memset(p, 0, sizeof *p);
    p->def = def;
    p->host = h;
    p->self = self;
    p->index = (uint32_t)(p - tr->proto);
    if ((rc = detect_add(&tr->probes, p)))
        return rc;
    p->id = tr->host ? tr->host->intern(tr->host, "app_proto", def->name) : p->index + 1;
    tr->protos += p->index == tr->protos;
    if ((rc = anomalies_add(p)))
        return rc;
    if (id)
        *id = p->id;
    return EC_OK;
}

const struct proto *registry_find(const struct traffic *tr, const char *name)
{
    for (uint32_t i = 0; i < tr->protos; i++)
        if (!strcmp(tr->proto[i].def->name, name))
            return &tr->proto[i];
    return NULL;
}

int32_t registry_lease(struct traffic *tr, uint32_t what, uint32_t bytes,
                       void (*drop)(void *, void *), void *self, uint32_t *off)
{
    uint32_t k = what == EC_LEASE_TX;
    struct lease *l;

    if ((what != EC_LEASE_FLOW && what != EC_LEASE_TX) || !bytes || bytes > 4096)
        return EC_EINVAL;
    if (tr->n_lease[k] == LEASES_MAX)
        return EC_ELIMIT;
    l = &tr->lease[k][tr->n_lease[k]++];
    l->off =
        (k ? (uint32_t)sizeof(struct txi) : (uint32_t)sizeof(struct flow)) + tr->lease_bytes[k];
    l->drop = drop;
    l->self = self;
    tr->lease_bytes[k] += (bytes + 7u) & ~7u;
    *off = l->off;
    return EC_OK;
}

static const struct ec_bufdef *buf_at(const struct ec_proto *def, uint32_t slot)
{
    return (const struct ec_bufdef *)(const void *)((const uint8_t *)def->buf +
                                                    (uint64_t)slot * def->buf_stride);
}

int32_t registry_slot(const struct traffic *tr, const char *name, uint32_t i, struct ec_slot *out)
{
    for (uint32_t p = 0; p < tr->protos; p++) {
        const struct ec_proto *def = tr->proto[p].def;
        for (uint32_t s = 0; s < def->n_buf; s++) {
            const struct ec_bufdef *b = buf_at(def, s);
            struct ec_slot slot = {sizeof slot, tr->proto[p].id, s,
                                   b->dir,      b->kind,         b->min_progress};
            if (strcmp(b->name, name) || i--)
                continue;
            memcpy(out, &slot, sizeof slot);
            return EC_OK;
        }
    }
    return EC_ENOENT;
}

int32_t registry_slot_at(const struct traffic *tr, uint32_t i, const char **name, const char **help)
{
    for (uint32_t p = 0; p < tr->protos; p++) {
        const struct ec_proto *def = tr->proto[p].def;
        if (i < def->n_buf) {
            const struct ec_bufdef *b = buf_at(def, i);
            *name = b->name;
            *help = b->help;
            return EC_OK;
        }
        i -= def->n_buf;
    }
    return EC_ENOENT;
}

void registry_free(struct traffic *tr)
{
    for (uint32_t i = 0; i < tr->protos; i++) {
        struct proto *p = &tr->proto[i];
        for (uint32_t k = 0; p->rows && k < p->def->n_anomaly; k++)
            free((void *)(uintptr_t)p->rows[k].name);
        free(p->rows);
        free(p->metric);
    }
    memset(&tr->probes, 0, sizeof tr->probes);
    tr->protos = 0;
}
