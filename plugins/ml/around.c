#include "plugins/ml/around.h"

#include <math.h>
#include <string.h>

enum { IP_ICMP = 1, IP_ICMP6 = 58 };
enum { FAST = 4, SLOW = 2 };        /* words of a sketch: 256 and 128 bits */
enum { SOURCES = 65536, SERVICES = 131072, TARGETS = 65536 };
#define MINUTE UINT64_C(60000000000)
#define HALF_HOUR (30 * MINUTE)
#define IDLE_NS (2 * HALF_HOUR)

struct fast { uint32_t flows, answered; uint64_t a[FAST], b[FAST]; };
struct slow { uint32_t flows, answered; uint64_t a[SLOW], b[SLOW]; };
struct few { uint32_t flows, answered; };
/* [0] is the window that runs, [1] the one before. */
struct source { uint32_t minute, half; struct fast fast[2]; struct slow slow[2]; };   /* a: ports, b: hosts */
struct service { uint32_t minute, half; struct few fast[2], slow[2]; };
struct target { uint32_t minute, pad; struct fast fast[2]; };                           /* a: ports, b: sources */
_Static_assert(sizeof(struct source) <= 256, "an entry of ec.hosts/1");

int32_t around_open(struct around_tables *t)
{
    int32_t rc;

    if (!t->hosts)
        return EC_OK;
    rc = t->hosts->space(t->self, "ml.source", sizeof(struct source), SOURCES, IDLE_NS, &t->source);
    if (!rc)
        rc = t->hosts->space(t->self, "ml.service", sizeof(struct service), SERVICES, IDLE_NS, &t->service);
    return rc ? rc : t->hosts->space(t->self, "ml.target", sizeof(struct target), TARGETS, 2 * MINUTE, &t->target);
}

/* A fixed mix (splitmix64's), so that results are the same everywhere. */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

void sketch_put(uint64_t *word, uint32_t n, uint64_t value)
{
    uint64_t bit = mix(value + UINT64_C(0x9e3779b97f4a7c15)) % (64 * n);

    word[bit / 64] |= UINT64_C(1) << bit % 64;
}

float sketch_count(const uint64_t *word, uint32_t n)
{
    uint32_t set = 0, bits = 64 * n;

    for (uint32_t i = 0; i < n; i++)
        set += (uint32_t)__builtin_popcountll(word[i]);
    if (set == bits)                /* full: more than it can tell apart */
        set = bits - 1;
    return (float)(-(double)bits * log(1.0 - (double)set / bits));
}

static float both(const uint64_t *now, const uint64_t *before, uint32_t n)
{
    uint64_t all[FAST];

    for (uint32_t i = 0; i < n; i++)
        all[i] = now[i] | before[i];
    return sketch_count(all, n);
}

/* Move the windows, of `bytes` each, up to `period`; a clock that goes back does not move them. */
static void turn(uint32_t *at, void *window, size_t bytes, uint64_t period)
{
    uint32_t now = (uint32_t)period;
    uint8_t *w = window;

    if (now <= *at)
        return;
    if (now == *at + 1)
        memcpy(w + bytes, w, bytes);
    else
        memset(w + bytes, 0, bytes);
    memset(w, 0, bytes);
    *at = now;
}

static uint64_t address_value(const uint8_t *a)
{
    uint64_t half[2];

    memcpy(half, a, sizeof half);
    return mix(half[0]) ^ half[1];
}

static bool has_ports(const struct ec_flow *f)
{
    return f->ip_proto != IP_ICMP && f->ip_proto != IP_ICMP6;
}

static uint64_t port_value(const struct ec_flow *f)
{
    return (uint64_t)f->ip_proto << 16 | (has_ports(f) ? f->dport : 0);
}

static struct source *source_lock(const struct around_tables *t, const struct ec_flow *f, uint64_t now)
{
    struct source *s = t->hosts->lock(t->self, t->source, f->src, sizeof f->src, now);

    if (s) {
        turn(&s->minute, s->fast, sizeof s->fast[0], now / MINUTE);
        turn(&s->half, s->slow, sizeof s->slow[0], now / HALF_HOUR);
    }
    return s;
}

static struct service *service_lock(const struct around_tables *t, const struct ec_flow *f, uint64_t now)
{
    uint8_t key[35];
    uint16_t port = has_ports(f) ? f->dport : 0;
    struct service *s;

    memcpy(key, f->src, 16);
    memcpy(key + 16, f->dst, 16);
    memcpy(key + 32, &port, 2);
    key[34] = f->ip_proto;
    s = t->hosts->lock(t->self, t->service, key, sizeof key, now);
    if (s) {
        turn(&s->minute, s->fast, sizeof s->fast[0], now / MINUTE);
        turn(&s->half, s->slow, sizeof s->slow[0], now / HALF_HOUR);
    }
    return s;
}

static struct target *target_lock(const struct around_tables *t, const struct ec_flow *f, uint64_t now)
{
    struct target *s = t->hosts->lock(t->self, t->target, f->dst, sizeof f->dst, now);

    if (s)
        turn(&s->minute, s->fast, sizeof s->fast[0], now / MINUTE);
    return s;
}

/* An answer may come in the window after the one in which its flow was counted. */
static uint32_t unanswered(uint32_t flows, uint32_t answered) { return flows > answered ? flows - answered : 0; }

static void source_begin(const struct around_tables *t, const struct ec_flow *f, uint64_t now, struct around *o)
{
    struct source *s = source_lock(t, f, now);

    if (!s)
        return;
    s->fast[0].flows++;
    s->slow[0].flows++;
    sketch_put(s->fast[0].a, FAST, port_value(f));
    sketch_put(s->slow[0].a, SLOW, port_value(f));
    sketch_put(s->fast[0].b, FAST, address_value(f->dst));
    sketch_put(s->slow[0].b, SLOW, address_value(f->dst));
    o->src_flows = s->fast[0].flows + s->fast[1].flows;
    o->src_unanswered = unanswered(o->src_flows, s->fast[0].answered + s->fast[1].answered);
    o->src_long = s->slow[0].flows + s->slow[1].flows;
    o->src_long_unanswered = unanswered(o->src_long, s->slow[0].answered + s->slow[1].answered);
    o->src_ports = both(s->fast[0].a, s->fast[1].a, FAST);
    o->src_hosts = both(s->fast[0].b, s->fast[1].b, FAST);
    o->src_long_ports = both(s->slow[0].a, s->slow[1].a, SLOW);
    o->src_long_hosts = both(s->slow[0].b, s->slow[1].b, SLOW);
    t->hosts->unlock(t->self, s);
}

static void service_begin(const struct around_tables *t, const struct ec_flow *f, uint64_t now, struct around *o)
{
    struct service *s = service_lock(t, f, now);

    if (!s)
        return;
    s->fast[0].flows++;
    s->slow[0].flows++;
    o->svc_flows = s->fast[0].flows + s->fast[1].flows;
    o->svc_unanswered = unanswered(o->svc_flows, s->fast[0].answered + s->fast[1].answered);
    o->svc_long = s->slow[0].flows + s->slow[1].flows;
    o->svc_long_unanswered = unanswered(o->svc_long, s->slow[0].answered + s->slow[1].answered);
    t->hosts->unlock(t->self, s);
}

static void target_begin(const struct around_tables *t, const struct ec_flow *f, uint64_t now, struct around *o)
{
    struct target *s = target_lock(t, f, now);

    if (!s)
        return;
    s->fast[0].flows++;
    sketch_put(s->fast[0].a, FAST, port_value(f));
    sketch_put(s->fast[0].b, FAST, address_value(f->src));
    o->dst_flows = s->fast[0].flows + s->fast[1].flows;
    o->dst_unanswered = unanswered(o->dst_flows, s->fast[0].answered + s->fast[1].answered);
    o->dst_ports = both(s->fast[0].a, s->fast[1].a, FAST);
    o->dst_sources = both(s->fast[0].b, s->fast[1].b, FAST);
    t->hosts->unlock(t->self, s);
}

void around_begin(const struct around_tables *t, const struct ec_flow *f, uint64_t now_ns, struct around *out)
{
    if (!t->hosts)
        return;
    source_begin(t, f, now_ns, out);
    service_begin(t, f, now_ns, out);
    target_begin(t, f, now_ns, out);
}

void around_answer(const struct around_tables *t, const struct ec_flow *f, uint64_t now_ns)
{
    struct source *s = t->hosts ? source_lock(t, f, now_ns) : NULL;
    struct service *v;
    struct target *d;

    if (s) {
        s->fast[0].answered++;
        s->slow[0].answered++;
        t->hosts->unlock(t->self, s);
    }
    if (t->hosts && (v = service_lock(t, f, now_ns))) {
        v->fast[0].answered++;
        v->slow[0].answered++;
        t->hosts->unlock(t->self, v);
    }
    if (t->hosts && (d = target_lock(t, f, now_ns))) {
        d->fast[0].answered++;
        t->hosts->unlock(t->self, d);
    }
}
