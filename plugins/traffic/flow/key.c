#include "plugins/traffic/flow/flow.h"
#include "plugins/traffic/flow/hash.h"

int icmp_counterpart(uint8_t ip_proto, uint8_t type)
{
    if (ip_proto == PROTO_ICMP)
        switch (type) {
        case 0: return 8;           /* echo */
        case 8: return 0;
        case 9: return 10;          /* router advertisement, solicitation */
        case 10: return 9;
        case 13: return 14;         /* timestamp */
        case 14: return 13;
        case 15: return 16;         /* information */
        case 16: return 15;
        case 17: return 18;         /* address mask */
        case 18: return 17;
        default: return -1;
        }
    switch (type) {
    case 128: return 129;           /* echo */
    case 129: return 128;
    case 130: return 131;           /* listener query, report */
    case 131: return 130;
    case 133: return 134;           /* router solicitation, advertisement */
    case 134: return 133;
    case 135: return 136;           /* neighbour solicitation, advertisement */
    case 136: return 135;
    case 139: return 140;           /* who are you */
    case 140: return 139;
    case 144: return 145;           /* home agent discovery */
    case 145: return 144;
    default: return -1;
    }
}

static bool is_icmp(uint8_t proto) { return proto == PROTO_ICMP || proto == PROTO_ICMPV6; }

/* An IPv4 address of four bytes, mapped; or one of IPv6. */
static void address(uint8_t out[16], const uint8_t *d, bool v6)
{
    if (v6) {
        memcpy(out, d, 16);
        return;
    }
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, d, 4);
}

struct about about_of(const struct packet *p)
{
    struct about a = { .sport = p->icmp.sport, .dport = p->icmp.dport, .ip_proto = p->icmp.proto };

    address(a.src, p->icmp.src, p->pub.ip_version == 6);
    address(a.dst, p->icmp.dst, p->pub.ip_version == 6);
    return a;
}

struct packet about_packet(const struct packet *p)
{
    struct packet q = { .vlans = p->vlans };
    struct about a = about_of(p);

    memcpy(q.pub.src, a.src, sizeof a.src);
    memcpy(q.pub.dst, a.dst, sizeof a.dst);
    memcpy(q.vlan, p->vlan, sizeof q.vlan);
    q.pub.sport = a.sport;
    q.pub.dport = a.dport;
    q.pub.ip_proto = a.ip_proto;
    q.pub.ip_version = p->pub.ip_version;
    q.pub.depth = p->pub.depth;
    q.pub.frame = p->pub.frame;
    return q;
}

static bool same_about(const struct about *a, const struct packet *p)
{
    struct about b;

    if (!a || !(p->what & PK_ICMP_ABOUT))
        return !a && !(p->what & PK_ICMP_ABOUT);
    b = about_of(p);
    return !memcmp(a->src, b.src, 16) && !memcmp(a->dst, b.dst, 16) && a->sport == b.sport && a->dport == b.dport &&
           a->ip_proto == b.ip_proto;
}

struct key { uint64_t a[2], b[2]; uint16_t pa, pb; };

static uint64_t word(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

static uint64_t vlan_word(const struct packet *p)
{
    return (uint64_t)p->vlan[2] << 48 | (uint64_t)p->vlans << 32 | (uint64_t)p->vlan[0] << 16 | p->vlan[1];
}

/* Bring both directions of a conversation into one order; one-way ICMP messages have only one. */
static void key_sort(struct key *k, const struct packet *p)
{
    const struct ec_packet *q = &p->pub;
    int order = memcmp(q->src, q->dst, 16);

    k->a[0] = word(q->src), k->a[1] = word(q->src + 8);
    k->b[0] = word(q->dst), k->b[1] = word(q->dst + 8);
    k->pa = q->sport;
    k->pb = q->dport;
    if (is_icmp(q->ip_proto)) {
        int other = icmp_counterpart(q->ip_proto, (uint8_t)q->sport);
        if (other < 0)
            return;
        k->pb = (uint16_t)other;
    }
    if (order > 0 || (order == 0 && k->pa > k->pb)) {
        struct key s = *k;
        k->a[0] = s.b[0], k->a[1] = s.b[1], k->b[0] = s.a[0], k->b[1] = s.a[1];
        k->pa = s.pb;
        k->pb = s.pa;
    }
}

_Static_assert(offsetof(struct ec_packet, ip_version) == offsetof(struct ec_packet, depth) + 2 &&
                   offsetof(struct ec_packet, ip_proto) == offsetof(struct ec_packet, depth) + 3,
               "key_hash() reads them together");

void key_hash(const struct flow_table *t, struct packet *p)
{
    struct key k;
    uint64_t m[11], h;
    uint32_t n = 0, kind;           /* the depth, the version and the protocol at once */

    key_sort(&k, p);
    if (p->pub.ip_version == 4) { /* the first twelve bytes are the same for all */
        m[n++] = k.a[1] >> 32 | (k.b[1] >> 32 << 32);
    } else {
        m[n++] = k.a[0], m[n++] = k.a[1];
        m[n++] = k.b[0], m[n++] = k.b[1];
    }
    memcpy(&kind, &p->pub.depth, sizeof kind);
    m[n++] = (uint64_t)k.pa << 48 | (uint64_t)k.pb << 32 | kind;
    if (t->vlans && p->vlans)
        m[n++] = vlan_word(p);
    if (p->what & PK_ICMP_ABOUT) {
        struct about a = about_of(p);
        m[n++] = word(a.src), m[n++] = word(a.src + 8);
        m[n++] = word(a.dst), m[n++] = word(a.dst + 8);
        m[n++] = (uint64_t)a.sport << 32 | (uint64_t)a.dport << 16 | a.ip_proto;
    }
    h = sip_words(t->k0, t->k1, m, n);
    p->hash = (uint32_t)(h ^ h >> 32);
}

static bool icmp_match(const struct flow *f, const struct packet *p, bool reverse)
{
    int other = icmp_counterpart(f->pub.ip_proto, (uint8_t)f->pub.sport);

    if (other < 0)
        return !reverse && f->pub.sport == p->pub.sport && f->pub.dport == p->pub.dport &&
               same_about(flow_about(f), p);
    return p->pub.sport == (reverse ? (uint16_t)other : f->pub.sport);
}

bool key_match(const struct flow *f, const struct packet *p, bool vlans, uint32_t *dir)
{
    const struct ec_flow *a = &f->pub;
    const struct ec_packet *b = &p->pub;
    bool forward, reverse, icmp = is_icmp(a->ip_proto);

    if (f->hash != p->hash || a->ip_proto != b->ip_proto || f->depth != b->depth)
        return false;
    if (vlans && (a->vlans != p->vlans || a->vlan[0] != p->vlan[0] || a->vlan[1] != p->vlan[1] ||
                  (p->vlans > 2 && f->vlan_third != p->vlan[2])))
        return false;
    forward = !memcmp(a->src, b->src, 16) && !memcmp(a->dst, b->dst, 16);
    reverse = !memcmp(a->src, b->dst, 16) && !memcmp(a->dst, b->src, 16);
    if (icmp) {
        forward = forward && icmp_match(f, p, false);
        reverse = reverse && icmp_match(f, p, true);
    } else {
        forward = forward && a->sport == b->sport && a->dport == b->dport;
        reverse = reverse && a->sport == b->dport && a->dport == b->sport;
    }
    *dir = forward ? EC_TO_SERVER : EC_TO_CLIENT;
    return forward || reverse;
}

uint64_t key_flow_id(const struct packet *p)
{
    const struct ec_packet *q = &p->pub;
    uint64_t m[7] = {word(q->src),
                     word(q->src + 8),
                     word(q->dst),
                     word(q->dst + 8),
                     (uint64_t)q->sport << 48 | (uint64_t)q->dport << 32 | (uint64_t)q->depth << 8 | q->ip_proto,
                     vlan_word(p),
                     q->frame->count};
    uint64_t h = sip_words(0, 0, m, 7) >> 13;

    return h ? h : 1;
}
