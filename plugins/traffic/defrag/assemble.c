/* Put a datagram together whose fragments are all there. */
#include <string.h>

#include "plugins/traffic/defrag/defrag.h"
#include "plugins/traffic/engine.h"

#define NOBODY UINT16_MAX

/* By units of eight bytes: only the last fragment can end within one, and none goes beyond it. */
struct overlay { const struct fragment **frag; uint16_t *owner; };

/* Each unit belongs to the fragment that the policy gives it, asked for in the order of arrival. */
static void overlay_put(struct overlay *o, uint32_t policy, uint32_t index, uint8_t *out)
{
    const struct fragment *f = o->frag[index];
    uint32_t at = f->off / 8, last = (f->end + 7) / 8;

    while (at < last) {
        uint32_t from = at * 8, end;
        uint16_t owner = o->owner[at];
        bool wins = owner == NOBODY || policy_later_wins(policy, o->frag[owner], f);
        for (; at < last && o->owner[at] == owner; at++)
            if (wins)
                o->owner[at] = (uint16_t)index;
        end = at == last ? f->end : at * 8;
        if (wins)
            memcpy(out + from, f->bytes + (from - f->off), end - from);
    }
}

static bool data_overlaid(struct worker *w, const struct datagram *g, uint8_t *out)
{
    uint64_t n = g->n * sizeof(struct fragment *), m = (g->total + 7) / 8 * sizeof(uint16_t);
    struct overlay o = { defrag_room(w, g, n), defrag_room(w, g, m) };
    bool ok = o.frag && o.owner;
    uint32_t i = 0, policy = target_policy(&w->conf->targets, g->key.dst, w->conf->defrag_policy);

    if (ok) {
        memset(o.owner, 0xff, m);
        for (const struct fragment *f = g->head; f; f = f->next, i++) {
            o.frag[i] = f;
            overlay_put(&o, policy, i, out);
        }
    }
    pool_put(&w->defrag.pool, o.frag, n);
    pool_put(&w->defrag.pool, o.owner, m);
    return ok;
}

static void put16(uint8_t *d, uint32_t v) { d[0] = (uint8_t)(v >> 8), d[1] = (uint8_t)v; }

/* The header says that this is no fragment. */
static void header_mend(const struct datagram *g, struct whole *out)
{
    uint8_t *h = out->bytes + g->l3;

    if (g->key.version == 6) {
        put16(h + 4, out->len - g->l3 - 40);
        out->bytes[g->nh_at] = g->nh;
        return;
    }
    put16(h + 2, out->len - g->l3);
    put16(h + 6, be16(h + 6) & 0x4000);             /* don't fragment: the rest goes */
    put16(h + 10, 0);
    put16(h + 10, sum_end(sum_add(0, h, (h[0] & 15u) * 4)));
}

bool defrag_assemble(struct worker *w, const struct datagram *g, struct whole *out)
{
    uint32_t header = g->key.version == 6 ? 40 : 0; /* which its length does not count */
    uint8_t *data;

    if (g->front_len - g->l3 - header + g->total > DEFRAG_BYTES_MAX)
        return false;
    out->len = g->front_len + g->total;
    out->l3 = g->l3;
    if (!(out->bytes = defrag_room(w, g, out->len)))
        return false;
    memcpy(out->bytes, g->front, g->front_len);
    data = out->bytes + g->front_len;
    if (!g->overlaps) {
        for (const struct fragment *f = g->head; f; f = f->next)
            memcpy(data + f->off, f->bytes, f->end - f->off);
    } else if (!data_overlaid(w, g, data)) {
        defrag_give_back(&w->defrag, out);
        return false;
    }
    header_mend(g, out);
    return true;
}

void defrag_give_back(struct defrag *d, struct whole *out)
{
    pool_put(&d->pool, out->bytes, out->len);
    out->bytes = NULL;
}
