#include "plugins/traffic/defrag/defrag.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/traffic/engine.h"
#include "plugins/traffic/flow/hash.h"

#define EXPIRE_EACH 4               /* datagrams that are looked at for each fragment */
#define FRONT_MAX 256u              /* bytes before IP that are worth keeping */

int defrag_init(struct defrag *d, uint64_t k0, uint64_t k1, uint64_t cap)
{
    memset(d, 0, sizeof *d);
    pool_init(&d->pool, cap);
    d->k0 = k0 ^ UINT64_C(0x667261676d656e74);  /* not the flow table's */
    d->k1 = k1;
    d->bucket = calloc(DEFRAG_BUCKETS, sizeof(struct datagram *));
    return d->bucket ? 0 : EC_ENOMEM;
}

void defrag_free(struct defrag *d)
{
    pool_free(&d->pool);
    free(d->bucket);
}

static struct defrag_key key_of(const struct worker *w, const struct packet *p)
{
    struct defrag_key k = { .id = p->frag.id, .version = p->pub.ip_version, .depth = (uint8_t)p->pub.depth };

    memcpy(k.src, p->pub.src, sizeof k.src);
    memcpy(k.dst, p->pub.dst, sizeof k.dst);
    if (k.version == 4)
        k.proto = p->pub.ip_proto;
    if (w->conf->vlans) {
        k.vlans = p->vlans;
        memcpy(k.vlan, p->vlan, sizeof k.vlan);
    }
    return k;
}

static struct datagram **bucket_of(struct defrag *d, const struct defrag_key *k)
{
    uint64_t m[6];

    memcpy(m, k, sizeof m);
    return &d->bucket[sip_words(d->k0, d->k1, m, 6) % DEFRAG_BUCKETS];
}

static void fragments_drop(struct defrag *d, struct datagram *g)
{
    for (struct fragment *f = g->head, *next; f; f = next) {
        next = f->next;
        pool_put(&d->pool, f, sizeof *f + f->end - f->off);
    }
    pool_put(&d->pool, g->front, g->front_len);
}

static void datagram_drop(struct defrag *d, struct datagram *g)
{
    struct datagram **at = bucket_of(d, &g->key);

    while (*at != g)
        at = &(*at)->chain;
    *at = g->chain;
    *(g->older ? &g->older->newer : &d->oldest) = g->newer;
    *(g->newer ? &g->newer->older : &d->newest) = g->older;
    fragments_drop(d, g);
    pool_put(&d->pool, g, sizeof *g);
}

static bool is_late(const struct worker *w, const struct datagram *g, uint64_t now_ns)
{
    return now_ns > g->first_ns && now_ns - g->first_ns > w->conf->defrag_timeout;
}

static void expire(struct worker *w, uint64_t now_ns)
{
    struct defrag *d = &w->defrag;

    for (uint32_t i = 0; i < EXPIRE_EACH && d->oldest && is_late(w, d->oldest, now_ns); i++) {
        datagram_drop(d, d->oldest);
        count(w, M_DEFRAG_TIMEOUT);
    }
}

void *defrag_room(struct worker *w, const struct datagram *keep, uint64_t n)
{
    struct defrag *d = &w->defrag;
    void *m;

    while (!(m = pool_get(&d->pool, n))) {
        struct datagram *victim = d->oldest == keep && keep ? keep->newer : d->oldest;
        if (!victim)
            return NULL;
        datagram_drop(d, victim);
        count(w, M_DEFRAG_MEMORY);
    }
    return m;
}

static struct datagram *datagram_find(struct worker *w, const struct defrag_key *k, uint64_t now_ns)
{
    struct datagram *g = *bucket_of(&w->defrag, k);

    while (g && memcmp(&g->key, k, sizeof *k))
        g = g->chain;
    if (g && is_late(w, g, now_ns)) {
        datagram_drop(&w->defrag, g);
        count(w, M_DEFRAG_TIMEOUT);
        g = NULL;
    }
    return g;
}

static struct datagram *datagram_new(struct worker *w, const struct defrag_key *k, uint64_t now_ns)
{
    struct defrag *d = &w->defrag;
    struct datagram *g = defrag_room(w, NULL, sizeof *g), **bucket = bucket_of(d, k);

    if (!g)
        return NULL;
    memset(g, 0, sizeof *g);
    g->key = *k;
    g->first_ns = now_ns;
    g->tail = &g->head;
    g->chain = *bucket;
    *bucket = g;
    g->older = d->newest;
    *(d->newest ? &d->newest->newer : &d->oldest) = g;
    d->newest = g;
    return g;
}

/* Mark the units of a fragment, or only look. True: some were there already. */
static bool units_overlap(struct datagram *g, uint32_t off, uint32_t end, bool mark)
{
    uint32_t first = off / 8, last = (end + 7) / 8, n = 0;

    for (uint32_t i = first; i < last; ) {
        uint32_t k = i % 64, m = 64 - k < last - i ? 64 - k : last - i;
        uint64_t mask = (m == 64 ? ~UINT64_C(0) : (UINT64_C(1) << m) - 1) << k;
        n += (uint32_t)__builtin_popcountll(mask & ~g->seen[i / 64]);
        if (mark)
            g->seen[i / 64] |= mask;
        i += m;
    }
    g->units += mark ? n : 0;
    return n != last - first;
}

/* The first fragment brings the headers; link headers that are long are left out. */
static bool front_keep(struct worker *w, struct datagram *g, const struct packet *p)
{
    uint32_t from = p->pub.l3 > FRONT_MAX ? p->pub.l3 : 0;

    if (g->front)
        return true;
    g->front_len = p->frag.cut - from;
    if (!(g->front = defrag_room(w, g, g->front_len)))
        return false;
    memcpy(g->front, p->pub.data + from, g->front_len);
    g->l3 = p->pub.l3 - from;
    g->nh_at = p->frag.nh_at - from;
    g->nh = p->frag.nh;
    return true;
}

static bool fragment_add(struct worker *w, struct datagram *g, const struct packet *p, uint32_t end)
{
    uint32_t n = end - p->frag.off;
    struct fragment *f;

    if (!p->frag.off && !front_keep(w, g, p))
        return false;
    if (!(f = defrag_room(w, g, sizeof *f + n)))
        return false;
    f->next = NULL;
    f->off = p->frag.off;
    f->end = end;
    memcpy(f->bytes, p->pub.data + p->frag.at, n);
    *g->tail = f;
    g->tail = &f->next;
    g->n++;
    g->kept += n;
    return true;
}

/* Does it contradict what is known of the datagram, or go beyond its bounds? */
static bool fragment_fits(const struct datagram *g, const struct packet *p, uint32_t end)
{
    if (g->n == DEFRAG_FRAGS_MAX || g->kept + (end - p->frag.off) > DEFRAG_KEPT_MAX)
        return false;
    if (p->frag.more)
        return !g->total || end <= g->total;
    return g->total ? end == g->total : end >= g->max_end;
}

static void fragment_event(struct packet *p, uint32_t four, uint32_t six)
{
    decode_event(p, p->pub.ip_version == 4 ? four : six);
}

/* Where the data of a fragment end in the datagram; 0: it cannot be used. */
static uint32_t fragment_end(const struct worker *w, struct packet *p)
{
    uint32_t n = p->frag.end - p->frag.at, end;

    if ((p->what & PK_CUT) || (p->pub.flags & EC_PK_BADSUM))
        return 0;
    if (p->frag.more && n % 8) {
        if (p->pub.ip_version == 6) {               /* RFC 8200 §4.5: an error */
            decode_event(p, EV_IPV6_FRAG_INVALID_LENGTH);
            return 0;
        }
        if (target_policy(&w->conf->targets, p->pub.dst, w->conf->defrag_policy) != POLICY_LINUX)
            return 0;
        n &= ~7u;                                   /* Linux takes the whole units */
    }
    end = p->frag.off + n;
    if (p->frag.head + end > DEFRAG_BYTES_MAX) {
        fragment_event(p, EV_IPV4_FRAG_PKT_TOO_LARGE, EV_IPV6_FRAG_PKT_TOO_LARGE);
        return 0;
    }
    return n ? end : 0;
}

static bool datagram_done(struct worker *w, struct datagram *g, struct packet *p, struct whole *out)
{
    bool ok;

    if (!g->total || !g->front || g->units != (g->total + 7) / 8)
        return false;
    ok = defrag_assemble(w, g, out);
    if (!ok)
        fragment_event(p, EV_IPV4_FRAG_IGNORED, EV_IPV6_FRAG_IGNORED);
    count(w, ok ? M_DEFRAG_WHOLE : M_DEFRAG_MEMORY);
    datagram_drop(&w->defrag, g);
    return ok;
}

bool defrag_packet(struct worker *w, struct packet *p, struct whole *out)
{
    uint64_t now_ns = p->pub.frame->ts_ns;
    uint32_t end = fragment_end(w, p);
    struct defrag_key k = key_of(w, p);
    struct datagram *g;

    expire(w, now_ns);
    if (!end) {
        count(w, M_DEFRAG_IGNORED);
        return false;
    }
    g = datagram_find(w, &k, now_ns);
    if (g && units_overlap(g, p->frag.off, end, false)) {
        g->overlaps = true;
        fragment_event(p, EV_IPV4_FRAG_OVERLAP, EV_IPV6_FRAG_OVERLAP);
    }
    if ((!g && !(g = datagram_new(w, &k, now_ns))) || !fragment_fits(g, p, end) || !fragment_add(w, g, p, end)) {
        fragment_event(p, EV_IPV4_FRAG_IGNORED, EV_IPV6_FRAG_IGNORED);
        count(w, M_DEFRAG_IGNORED);
        return false;
    }
    units_overlap(g, p->frag.off, end, true);
    if (!p->frag.more)
        g->total = end;
    if (end > g->max_end)
        g->max_end = end;
    return datagram_done(w, g, p, out);
}

void defrag_flush(struct worker *w)
{
    while (w->defrag.oldest) {
        datagram_drop(&w->defrag, w->defrag.oldest);
        count(w, M_DEFRAG_END);
    }
}
