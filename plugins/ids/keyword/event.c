/* decode-event, stream-event, app-layer-event: anomalies that were raised with the packet, or in the transaction.
 * engine-event is the older word for the first two, with the whole name. */
#include "plugins/ids/keyword/events.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/hit.h"
#include "plugins/ids/rule/arena.h"

#include <stdio.h>
#include <string.h>

struct event_cond { struct cond c; const char *keyword, *name; uint32_t order; };
struct event_engine { struct event_cond e; uint32_t bit; };
struct event_proto { struct event_cond e; uint32_t bit, proto; };

static bool event_match(const struct cond *c, const struct scope *s)
{
    uint32_t bit = ((const struct event_engine *)c)->bit;

    return s->packet && s->packet->raised && (s->packet->raised->bit[bit >> 6] >> (bit & 63) & 1);
}

/* In the transaction, or beside all of them. */
static bool event_match_proto(const struct cond *c, const struct scope *s)
{
    const struct event_proto *e = (const struct event_proto *)c;
    const struct ec_raised *r = s->packet ? s->packet->raised : NULL;

    if (s->tx && s->tx->proto == e->proto && (s->tx->raised >> e->bit & 1))
        return true;
    return r && r->proto == e->proto && (r->app >> e->bit & 1);
}

static void event_tell(const struct cond *c, struct hit *h)
{
    const struct event_cond *e = (const struct event_cond *)c;

    hit_add_word(h, e->keyword, "anomaly", e->name, e->order);
}

/* What a rule may ask for, beside what some plugin raises: the same name without regard to case. */
struct event_search {
    struct build *b;
    uint32_t kind, proto;           /* EC_ANOMALY_*; of EC_ANOMALY_PROTO */
    const char *prefix;             /* that names of this kind have and rules leave out */
    struct token name;
    struct event_near near;
    struct ec_anomaly found;        /* name NULL: none */
    uint32_t n;                     /* anomalies of this kind and protocol */
};

static void event_find(struct event_search *q)
{
    const struct env *env = q->b->env;
    struct ec_anomaly a = { .size = sizeof a };

    for (uint32_t i = 0; env->anomaly && !env->anomaly(env->arg, i, &a); i++) {
        size_t skip = strncmp(a.name, q->prefix, strlen(q->prefix)) ? 0 : strlen(q->prefix);

        if (a.kind != q->kind || (a.kind == EC_ANOMALY_PROTO && a.proto != q->proto))
            continue;
        q->n++;
        events_near_try(&q->near, a.name + skip);
        if (token_is(q->name, a.name + skip))
            q->found = a;
    }
}

static int event_unknown(struct event_search *q, struct token shown)
{
    struct build *b = q->b;
    const struct token key = b->option->name;
    char near[200], word[96];
    const char *why = events_silent(q->kind, q->prefix, q->name);

    snprintf(word, sizeof word, "%.*s:%.*s", (int)key.len, key.s, (int)(shown.len > 60 ? 60 : shown.len), shown.s);
    if (why)
        return build_unsupported(b, word, "nothing raises '%.*s' here: %s", (int)shown.len, shown.s, why);
    if (!q->n)
        return build_unsupported(b, word, "no parser raises anomalies of '%.*s'", (int)shown.len, shown.s);
    events_near_print(&q->near, near, sizeof near);
    return build_fail(b, shown.off, "%.*s does not know '%.*s'; the nearest names: %s", (int)key.len, key.s,
                      (int)(shown.len > 60 ? 60 : shown.len), shown.s, near);
}

static int event_add(struct build *b, struct event_cond *e, const struct ec_anomaly *a, struct token shown)
{
    const struct token key = b->option->name;

    e->keyword = arena_text(b->arena, key.s, key.len);
    e->name = arena_text(b->arena, shown.s, shown.len);
    if (!e->keyword || !e->name)
        return build_fail(b, 0, "out of memory");
    e->order = b->elements++;
    e->c.tell = event_tell;
    b->rule->flags |= RULE_EVENT;
    /* One of them is enough to be found by: a protocol's comes with a transaction. */
    if (!b->rule->event_proto) {
        b->rule->event_bit = a->bit;
        b->rule->event_proto = a->kind == EC_ANOMALY_PROTO ? a->proto : 0;
    }
    return build_cond(b, &e->c);
}

static int event_engine(struct build *b, uint32_t kind, const char *prefix, struct token name)
{
    struct event_search q = { .b = b, .kind = kind, .prefix = prefix, .name = name, .near = { .wanted = name } };
    struct event_engine *e = arena_alloc(b->arena, sizeof *e);

    if (!e)
        return build_fail(b, 0, "out of memory");
    event_find(&q);
    if (!q.found.name)
        return event_unknown(&q, name);
    e->bit = q.found.bit;
    e->e.c.match = event_match;
    return event_add(b, &e->e, &q.found, name);
}

static int event_value(struct build *b, struct token *t)
{
    *t = token_trim(b->option->value);
    if (t->len && t->s[0] == '!')
        return build_fail(b, t->off, "'%.*s' cannot be negated", (int)b->option->name.len, b->option->name.s);
    return 0;
}

static int decode_event_parse(struct build *b)
{
    struct token t;

    return event_value(b, &t) ? -1 : event_engine(b, EC_ANOMALY_DECODE, "decoder.", t);
}

static int stream_event_parse(struct build *b)
{
    struct token t;

    return event_value(b, &t) ? -1 : event_engine(b, EC_ANOMALY_STREAM, "stream.", t);
}

static bool event_prefix(struct token *t, const char *prefix)
{
    uint32_t n = (uint32_t)strlen(prefix);

    if (t->len <= n || !token_is(token_sub(*t, 0, n), prefix))
        return false;
    *t = token_sub(*t, n, t->len - n);
    return true;
}

static int engine_event_parse(struct build *b)
{
    struct token t;

    if (event_value(b, &t))
        return -1;
    if (event_prefix(&t, "decoder."))
        return event_engine(b, EC_ANOMALY_DECODE, "decoder.", t);
    if (event_prefix(&t, "stream."))
        return event_engine(b, EC_ANOMALY_STREAM, "stream.", t);
    return build_fail(b, t.off, "engine-event takes a name that begins with 'decoder.' or 'stream.', not '%.*s'",
                      (int)(t.len > 60 ? 60 : t.len), t.s);
}

/* "tls.invalid_record_type": the rule is one of that protocol. */
static int event_proto(struct build *b, struct token proto, struct token name, struct token shown)
{
    char text[40], prefix[44], word[64];
    struct event_search q = { .b = b, .kind = EC_ANOMALY_PROTO, .name = name, .near = { .wanted = name } };
    struct event_proto *e = arena_alloc(b->arena, sizeof *e);
    struct rule *r = b->rule;

    if (!e)
        return build_fail(b, 0, "out of memory");
    snprintf(text, sizeof text, "%.*s", (int)(proto.len > 39 ? 39 : proto.len), proto.s);
    for (char *c = text; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    snprintf(prefix, sizeof prefix, "%s.", text);
    q.prefix = prefix;
    q.proto = b->env->proto ? b->env->proto(b->env->arg, text) : 0;
    if (!q.proto) {
        snprintf(word, sizeof word, "protocol %s", text);
        return build_unsupported(b, word, "no parser detects the protocol '%s'", text);
    }
    event_find(&q);
    if (!q.found.name)
        return event_unknown(&q, shown);
    if (r->app_proto && r->app_proto != q.proto)
        return build_fail(b, shown.off, "the rule is not about the protocol '%s'", text);
    r->app_proto = q.proto;
    e->bit = q.found.bit;
    e->proto = q.proto;
    e->e.c.match = event_match_proto;
    return event_add(b, &e->e, &q.found, shown);
}

static int app_event_parse(struct build *b)
{
    struct token t, rest, proto;

    if (event_value(b, &t))
        return -1;
    if (!memchr(t.s, '.', t.len))
        return event_engine(b, EC_ANOMALY_DETECT, "", t);
    rest = t;
    token_cut(&rest, '.', &proto);
    return event_proto(b, proto, token_trim(rest), t);
}

static const struct { const char *keyword, *event; uint32_t ip_version; } sums[] = {
    { "ipv4-csum", "ipv4.csum_invalid", 4 }, { "tcpv4-csum", "tcp.csum_invalid", 4 },
    { "tcpv6-csum", "tcp.csum_invalid", 6 }, { "udpv4-csum", "udp.csum_invalid", 4 },
    { "udpv6-csum", "udp.csum_invalid", 6 }, { "icmpv4-csum", "icmp.csum_invalid", 4 },
    { "icmpv6-csum", "icmp.csum_invalid", 6 },
};

/* Where checksums are verified, a wrong one is an anomaly; a right one is told nowhere. */
static int sum_parse(struct build *b)
{
    struct token t = token_trim(b->option->value), name = { 0 };
    size_t i = 0;

    if (t.len >= 2 && t.s[0] == '"' && t.s[t.len - 1] == '"')
        t = token_sub(t, 1, t.len - 2);
    while (!token_is(b->option->name, sums[i].keyword))
        i++;
    if (token_is(t, "valid"))
        return build_unsupported(b, "csum:valid", "a right checksum cannot be asked for");
    if (!token_is(t, "invalid"))
        return build_fail(b, t.off, "'%s' takes valid or invalid", sums[i].keyword);
    if (b->rule->ip_version && b->rule->ip_version != sums[i].ip_version)
        return build_fail(b, b->option->name.off, "the rule is not about IPv%u", sums[i].ip_version);
    b->rule->ip_version = sums[i].ip_version;
    name.s = sums[i].event;
    name.len = (uint32_t)strlen(name.s);
    name.off = t.off;
    return event_engine(b, EC_ANOMALY_DECODE, "decoder.", name);
}

#define SUM(name) { name, NULL, KW_VALUE, sum_parse, "invalid: the packet's checksum is wrong (traffic.checksums)" }
static const struct keyword rows[] = {
    SUM("ipv4-csum"), SUM("tcpv4-csum"), SUM("tcpv6-csum"), SUM("udpv4-csum"), SUM("udpv6-csum"), SUM("icmpv4-csum"),
    SUM("icmpv6-csum"),
    { "decode-event", NULL, KW_VALUE, decode_event_parse, "an anomaly of the packet: ipv4.trunc_pkt" },
    { "stream-event", NULL, KW_VALUE, stream_event_parse, "an anomaly of the TCP stream: reassembly_seq_gap" },
    { "app-layer-event", NULL, KW_VALUE, app_event_parse, "an anomaly of the protocol: tls.invalid_certificate" },
    { "engine-event", NULL, KW_VALUE, engine_event_parse, "decoder.NAME or stream.NAME, as the first two" },
};
KEYWORD_FAMILY(keyword_event, rows);
