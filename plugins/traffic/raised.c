/* What inspectors see of the anomalies of a packet. */
#include "plugins/traffic/engine.h"

_Static_assert(EVENT_WORDS <= EC_RAISED_WORDS, "each event has its bit");

/* NULL: what happens now is not about the packet at hand: another flow makes room for it, or ends before it. */
static struct ec_raised *raised_of(struct worker *w, const struct flow *f)
{
    struct packet *p = w->now;

    if (!p || p->pub.flow != (f ? &f->pub : NULL))
        return NULL;
    if (!p->pub.raised) {
        memset(&w->raised, 0, sizeof w->raised);
        w->raised.size = sizeof w->raised;
        p->pub.raised = &w->raised;
    }
    return &w->raised;
}

void raised_note(struct worker *w, const struct flow *f, uint32_t event)
{
    struct ec_raised *r = raised_of(w, f);

    if (r)
        r->bit[event >> 6] |= UINT64_C(1) << (event & 63);
}

void raised_note_app(struct worker *w, const struct flow *f, uint32_t proto, uint32_t bit)
{
    struct ec_raised *r = raised_of(w, f);

    if (!r)
        return;
    if (r->proto != proto)          /* the flow has changed its protocol within this packet */
        r->app = 0;
    r->proto = proto;
    r->app |= UINT64_C(1) << bit;
}

int32_t raised_at(const struct traffic *tr, uint32_t i, struct ec_anomaly *out)
{
    struct ec_anomaly a = { .kind = EC_ANOMALY_PROTO };

    if (i < EV_COUNT) {
        a.kind = i < EV_DECODE_COUNT ? EC_ANOMALY_DECODE : i < EV_DETECT_FIRST ? EC_ANOMALY_STREAM : EC_ANOMALY_DETECT;
        a.bit = i;
        a.name = event_name(i);
    }
    for (uint32_t k = 0, at = i - EV_COUNT; !a.name && k < tr->protos; k++) {
        const struct ec_proto *def = tr->proto[k].def;
        if (at < def->n_anomaly) {
            a.bit = at;
            a.proto = tr->proto[k].id;
            a.name = def->anomaly[at];
        }
        at -= def->n_anomaly;
    }
    if (!a.name)
        return EC_ENOENT;
    a.size = out->size < sizeof a ? out->size : (uint32_t)sizeof a;
    memcpy(out, &a, a.size);
    return EC_OK;
}
