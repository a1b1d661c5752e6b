/* flowbits: marks of a flow that rules set and ask for. Names are interned for the run, so marks outlive reloads. */
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/flowstate.h"
#include "plugins/ids/match/scope.h"
#include "plugins/ids/rule/arena.h"

#include <stdio.h>
#include <string.h>

enum { FLOWBITS_NAMES = 16 };
struct flowbits_cond { struct cond c; bool want; uint32_t n, id[FLOWBITS_NAMES]; };
struct flowbits_effect { struct effect e; uint32_t op, n, id[FLOWBITS_NAMES]; };
enum { OP_SET, OP_UNSET, OP_TOGGLE, OP_ISSET, OP_ISNOTSET };
static const char *const ops[] = { "set", "unset", "toggle", "isset", "isnotset" };

/* isset,a|b: one of them is enough; isnotset,a|b: one that is not set is enough. */
static bool flowbits_match(const struct cond *c, const struct scope *s)
{
    const struct flowbits_cond *f = (const struct flowbits_cond *)c;

    for (uint32_t i = 0; s->state && i < f->n; i++)
        if (flowstate_bit(s->state, f->id[i]) == f->want)
            return true;
    return false;
}

static void flowbits_run(const struct effect *e, const struct scope *s)
{
    const struct flowbits_effect *f = (const struct flowbits_effect *)e;

    for (uint32_t i = 0; s->state && i < f->n; i++) {
        bool set = f->op == OP_SET || (f->op == OP_TOGGLE && !flowstate_bit(s->state, f->id[i]));

        if (!flowstate_bit_put(s->state, f->id[i], set))
            scope_count(s, COUNT_FLOWBITS_FULL);
    }
}

static int flowbits_names(struct build *b, struct token t, uint32_t *id, uint32_t *n)
{
    struct token piece;
    char name[128];

    while (token_cut(&t, '|', &piece)) {
        if (!piece.len || piece.len >= sizeof name || memchr(piece.s, ' ', piece.len))
            return build_fail(b, piece.off, "the name of a flowbit has 1 to %zu characters and no blank",
                              sizeof name - 1);
        if (*n == FLOWBITS_NAMES)
            return build_fail(b, piece.off, "more than %d flowbits in one place", FLOWBITS_NAMES);
        snprintf(name, sizeof name, "%.*s", (int)piece.len, piece.s);
        id[*n] = b->env->intern(b->env->arg, "flowbit", name);
        if (!id[(*n)++])
            return build_fail(b, 0, "out of memory");
    }
    return *n ? 0 : build_fail(b, b->option->value.off, "the name of a flowbit expected");
}

/* Remember the names in the rule, for the order of inspection. */
static void flowbits_note(struct build *b, const uint32_t *id, uint32_t n, const uint32_t **list, uint32_t *count)
{
    uint32_t *all = arena_alloc(b->arena, (*count + n) * sizeof *all);

    if (!all)
        return;
    if (*count)
        memcpy(all, *list, *count * sizeof *all);
    memcpy(all + *count, id, n * sizeof *all);
    *list = all;
    *count += n;
}

static int flowbits_ask(struct build *b, struct token names, bool want)
{
    struct flowbits_cond *c = arena_alloc(b->arena, sizeof *c);

    if (!c)
        return build_fail(b, 0, "out of memory");
    if (flowbits_names(b, names, c->id, &c->n))
        return -1;
    c->want = want;
    c->c.match = flowbits_match;
    b->rule->flags |= RULE_READS_BITS;
    flowbits_note(b, c->id, c->n, &b->rule->bits_read, &b->rule->n_bits_read);
    return build_cond(b, &c->c);
}

static int flowbits_parse(struct build *b)
{
    struct token rest = b->option->value, op;
    struct flowbits_effect *e;
    uint32_t i;

    token_cut(&rest, ',', &op);
    if (token_is(op, "noalert")) {
        b->rule->flags |= RULE_NOALERT;
        return 0;
    }
    for (i = 0; i < sizeof ops / sizeof ops[0] && !token_is(op, ops[i]); i++)
        ;
    if (i == sizeof ops / sizeof ops[0])
        return build_fail(b, op.off, "flowbits does not know '%.*s': set, unset, toggle, isset, isnotset, noalert",
                          (int)(op.len > 40 ? 40 : op.len), op.s);
    if (i >= OP_ISSET)
        return flowbits_ask(b, rest, i == OP_ISSET);
    e = arena_alloc(b->arena, sizeof *e);
    if (!e)
        return build_fail(b, 0, "out of memory");
    if (flowbits_names(b, rest, e->id, &e->n))
        return -1;
    e->op = i;
    e->e.run = flowbits_run;
    b->rule->flags |= RULE_SETS_BITS;
    flowbits_note(b, e->id, e->n, &b->rule->bits_set, &b->rule->n_bits_set);
    return build_effect(b, &e->e);
}

static const struct keyword rows[] = {
    { "flowbits", NULL, KW_VALUE, flowbits_parse, "set, unset, toggle, isset, isnotset a mark of the flow; noalert" },
};
KEYWORD_FAMILY(keyword_flowbits, rows);
