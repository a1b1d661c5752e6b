/* flow: direction and state of the flow that the packet, stream or transaction belongs to. */
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/scope.h"
#include "plugins/ids/rule/arena.h"

struct flow_cond { struct cond c; uint32_t want; };
enum { FLOW_ESTABLISHED = 1, FLOW_NOT_ESTABLISHED = 2, FLOW_TO_SERVER = 4, FLOW_TO_CLIENT = 8, FLOW_STATELESS = 16,
       FLOW_ONLY_STREAM = 32, FLOW_NO_STREAM = 64 };

static const struct { const char *name; uint32_t bit, excludes; } words[] = {
    { "established", FLOW_ESTABLISHED, FLOW_NOT_ESTABLISHED | FLOW_STATELESS },
    { "not_established", FLOW_NOT_ESTABLISHED, FLOW_ESTABLISHED | FLOW_STATELESS },
    { "stateless", FLOW_STATELESS, FLOW_ESTABLISHED | FLOW_NOT_ESTABLISHED },
    { "to_server", FLOW_TO_SERVER, FLOW_TO_CLIENT }, { "from_client", FLOW_TO_SERVER, FLOW_TO_CLIENT },
    { "to_client", FLOW_TO_CLIENT, FLOW_TO_SERVER }, { "from_server", FLOW_TO_CLIENT, FLOW_TO_SERVER },
    { "only_stream", FLOW_ONLY_STREAM, FLOW_NO_STREAM }, { "no_stream", FLOW_NO_STREAM, FLOW_ONLY_STREAM },
};

static bool flow_match(const struct cond *c, const struct scope *s)
{
    uint32_t want = ((const struct flow_cond *)c)->want;
    bool established;

    if (!s->flow)
        return false;
    if ((want & FLOW_TO_SERVER) && s->dir != EC_TO_SERVER)
        return false;
    if ((want & FLOW_TO_CLIENT) && s->dir != EC_TO_CLIENT)
        return false;
    established = s->packet ? (s->packet->flags & EC_PK_ESTABLISHED) != 0 : s->flow->state != EC_FLOW_NEW;
    if (want & FLOW_ESTABLISHED)
        return established;
    return !(want & FLOW_NOT_ESTABLISHED) || !established;
}

static int flow_word(struct build *b, struct token t, uint32_t *want)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!token_is(t, words[i].name))
            continue;
        if (*want & words[i].excludes)
            return build_fail(b, t.off, "'%.*s' contradicts another word of flow", (int)t.len, t.s);
        *want |= words[i].bit;
        return 0;
    }
    return build_fail(b, t.off, "flow does not know '%.*s': established, not_established, stateless, to_server, "
                      "to_client, from_server, from_client, only_stream, no_stream",
                      (int)(t.len > 40 ? 40 : t.len), t.s);
}

static int flow_parse(struct build *b)
{
    struct token rest = b->option->value, t;
    struct flow_cond *f = arena_alloc(b->arena, sizeof *f);
    struct rule *r = b->rule;

    if (!f)
        return build_fail(b, 0, "out of memory");
    if (b->have & BUILD_FLOW)
        return build_fail(b, b->option->name.off, "flow stands twice in the rule");
    b->have |= BUILD_FLOW;
    while (token_cut(&rest, ',', &t))
        if (flow_word(b, t, &f->want))
            return -1;
    if (f->want & FLOW_TO_SERVER)
        r->dirs = RULE_TO_SERVER;
    if (f->want & FLOW_TO_CLIENT)
        r->dirs = RULE_TO_CLIENT;
    if (f->want & FLOW_ONLY_STREAM)
        r->flags |= RULE_STREAM_ONLY;
    if (f->want & FLOW_NO_STREAM)
        r->flags |= RULE_PACKET;
    f->c.match = flow_match;
    return build_cond(b, &f->c);
}

static const struct keyword rows[] = {
    { "flow", NULL, KW_VALUE, flow_parse, "established, not_established, stateless, to_server, to_client …" },
};
KEYWORD_FAMILY(keyword_flow, rows);
