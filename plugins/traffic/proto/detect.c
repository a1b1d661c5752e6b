/* Which protocol is it? Content decides; a port only says who is asked first. */
#include "plugins/traffic/proto/app.h"

static bool hinted(const struct proto *p, const struct flow *f)
{
    for (uint32_t i = 0; i < p->hints; i++)
        if (p->hint_proto[i] == f->pub.ip_proto &&
            (p->hint[i] == f->pub.dport || p->hint[i] == f->pub.sport))
            return true;
    return false;
}

/* Ask those that are hinted (or those that are not). */
static int ask(const struct worker *w, const struct flow *f, uint64_t *refused, const uint8_t *d,
               uint32_t n, uint32_t dir, bool want_hinted, bool *more)
{
    const struct traffic *tr = w->tr;
    bool tcp = f->pub.ip_proto == PROTO_TCP;

    for (uint32_t i = 0; i < tr->protos; i++) {
        const struct proto *p = &tr->proto[i];
        int32_t answer;
        if ((*refused >> i & 1) || !(tcp ? p->tcp : p->udp) || hinted(p, f) != want_hinted)
            continue;
        answer = p->def->probe(d, n, tcp ? dir : dir | EC_PROBE_DATAGRAM);
        if (answer == EC_YES)
            return (int)i;
        if (answer == EC_MORE && n < DETECT_BYTES)
            *more = true;
        else
            *refused |= UINT64_C(1) << i;
    }
    return -1;
}

int detect(const struct worker *w, const struct flow *f, uint64_t *refused, const uint8_t *d,
           uint32_t n, uint32_t dir)
{
    bool more = false;
    int found = ask(w, f, refused, d, n, dir, true, &more);

    if (found < 0)
        found = ask(w, f, refused, d, n, dir, false, &more);
    return found >= 0 ? found : more ? -2 : -1;
}
