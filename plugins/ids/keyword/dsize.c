/* dsize: the payload's length, in bytes: N, >N, <N, !N, LOW<>HIGH (both excluded). Looks at packets. */
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/scope.h"
#include "plugins/ids/rule/arena.h"

struct dsize { struct cond c; uint32_t lo, hi; bool negated; };

static bool dsize_match(const struct cond *c, const struct scope *s)
{
    const struct dsize *d = (const struct dsize *)c;
    uint32_t n = s->packet ? s->packet->payload_len : 0;

    return s->packet && (n >= d->lo && n <= d->hi) != d->negated;
}

/* "LOW<>HIGH": the position of the '<', or t.len. */
static uint32_t dsize_split(struct token t)
{
    for (uint32_t i = 1; i + 1 < t.len; i++)
        if (t.s[i] == '<' && t.s[i + 1] == '>')
            return i;
    return t.len;
}

static int dsize_range(struct build *b, struct dsize *d, struct token t, uint32_t at)
{
    int64_t lo, hi;

    if (build_number(b, token_trim(token_sub(t, 0, at)), 0, 65535, &lo) ||
        build_number(b, token_trim(token_sub(t, at + 2, t.len - at - 2)), 0, 65535, &hi))
        return -1;
    if (hi < lo + 2)
        return build_fail(b, t.off, "no length lies between %lld and %lld", (long long)lo, (long long)hi);
    d->lo = (uint32_t)lo + 1;
    d->hi = (uint32_t)hi - 1;
    return 0;
}

static int dsize_parse(struct build *b)
{
    struct token t = b->option->value;
    struct dsize *d = arena_alloc(b->arena, sizeof *d);
    char op = t.s[0];
    int64_t v;

    if (!d)
        return build_fail(b, 0, "out of memory");
    d->c.match = dsize_match;
    b->rule->flags |= RULE_PACKET;
    if (dsize_split(t) < t.len)
        return dsize_range(b, d, t, dsize_split(t)) ? -1 : build_cond(b, &d->c);
    if (op == '<' || op == '>' || op == '!')
        t = token_trim(token_sub(t, 1, t.len - 1));
    if (build_number(b, t, 0, 65535, &v))
        return -1;
    if (op == '<' && v == 0)
        return build_fail(b, t.off, "no payload is shorter than 0 bytes");
    d->lo = op == '<' ? 0 : (uint32_t)v + (op == '>');
    d->hi = op == '>' ? 65535 : (uint32_t)v - (op == '<');
    d->negated = op == '!';
    return build_cond(b, &d->c);
}

static const struct keyword rows[] = {
    { "dsize", NULL, KW_VALUE, dsize_parse, "length of the packet's payload: N, >N, <N, !N, LOW<>HIGH" },
};
KEYWORD_FAMILY(keyword_dsize, rows);
