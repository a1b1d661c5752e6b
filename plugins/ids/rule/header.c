#include "plugins/ids/rule/header.h"

#include "plugins/ids/rule/build.h"
#include "plugins/ids/rule/cache.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *name; uint32_t action, verdict; } actions[] = {
    { "alert", RULE_ALERT, EC_V_PASS }, { "pass", RULE_PASS, EC_V_PASS }, { "drop", RULE_DROP, EC_V_DROP },
    { "reject", RULE_REJECT, EC_V_REJECT }, { "rejectsrc", RULE_REJECT, EC_V_REJECT },
    { "rejectdst", RULE_REJECT, EC_V_REJECT_DST }, { "rejectboth", RULE_REJECT, EC_V_REJECT_BOTH },
};

static const struct { const char *name; uint32_t l4, flags, ip_version; } protos[] = {
    { "ip", RULE_L4_ANY, 0, 0 }, { "ipv4", RULE_L4_ANY, 0, 4 }, { "ip4", RULE_L4_ANY, 0, 4 },
    { "ipv6", RULE_L4_ANY, 0, 6 }, { "ip6", RULE_L4_ANY, 0, 6 }, { "pkthdr", RULE_L4_ANY, RULE_PACKET | RULE_PKTHDR, 0 },
    { "tcp", RULE_L4_TCP, 0, 0 }, { "tcp-pkt", RULE_L4_TCP, RULE_PACKET, 0 },
    { "tcp-stream", RULE_L4_TCP, RULE_STREAM_ONLY, 0 }, { "udp", RULE_L4_UDP, 0, 0 },
    { "sctp", RULE_L4_SCTP, 0, 0 },
    { "icmp", RULE_L4_ICMP, 0, 0 }, { "icmpv4", RULE_L4_ICMP, 0, 4 }, { "icmpv6", RULE_L4_ICMP, 0, 6 },
};

static int header_action(struct build *b, struct token t)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (token_is(t, actions[i].name)) {
            b->rule->action = actions[i].action;
            b->rule->verdict = actions[i].verdict;
            b->rule->action_word = actions[i].name;
            return 0;
        }
    b->off = t.off;
    return build_unsupported(b, "action", "the action '%.*s' is not supported: alert, pass, drop and reject are",
                             (int)t.len, t.s);
}

static int header_proto(struct build *b, struct token t)
{
    struct rule *r = b->rule;
    char name[40], word[64];

    for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++)
        if (token_is(t, protos[i].name)) {
            r->l4 = protos[i].l4;
            r->flags |= protos[i].flags;
            r->ip_version = protos[i].ip_version;
            return 0;
        }
    snprintf(name, sizeof name, "%.*s", (int)(t.len > 39 ? 39 : t.len), t.s);
    for (char *c = name; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    r->l4 = RULE_L4_TCP | RULE_L4_UDP;
    r->app_proto = b->env->proto ? b->env->proto(b->env->arg, strcmp(name, "http1") ? name : "http") : 0;
    if (r->app_proto)
        return 0;
    b->off = t.off;
    snprintf(word, sizeof word, "protocol %s", name);
    return build_unsupported(b, word, "no parser detects the protocol '%s'", name);
}

static int header_set(struct build *b, enum expr_kind kind, struct token t, const struct rangeset **set)
{
    char why[400];
    uint32_t off;

    if (cache_address(b->cache, b->arena, b->env->vars, kind, t, set, &off, why, sizeof why))
        return 0;
    return build_fail(b, off, "%s", why);
}

int header_build(struct build *b)
{
    const struct ast *a = b->ast;
    struct rule *r = b->rule;

    if (header_action(b, a->action) || header_proto(b, a->proto))
        return -1;
    if (token_is(a->arrow, "<>"))
        r->flags |= RULE_BIDIR;
    else if (!token_is(a->arrow, "->"))
        return build_fail(b, a->arrow.off, "'->' or '<>' expected, not '%.*s'",
                          (int)(a->arrow.len > 20 ? 20 : a->arrow.len), a->arrow.s);
    return header_set(b, EXPR_ADDRESS, a->src, &r->src) || header_set(b, EXPR_PORT, a->sport, &r->sport) ||
           header_set(b, EXPR_ADDRESS, a->dst, &r->dst) || header_set(b, EXPR_PORT, a->dport, &r->dport) ? -1 : 0;
}
