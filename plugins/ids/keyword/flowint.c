/* flowint: numbers of a flow that rules count and compare. Names are interned for the run, so numbers outlive
 * reloads. */
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/scope.h"
#include "plugins/ids/rule/arena.h"

#include <stdio.h>

struct flowint { uint32_t op, id, other, value; };      /* other: the name of a number to use, 0: value */
struct flowint_cond { struct cond c; struct flowint f; };
struct flowint_effect { struct effect e; struct flowint f; };
enum { OP_SET, OP_ADD, OP_SUB, OP_LT, OP_LE, OP_EQ, OP_NE, OP_GE, OP_GT, OP_ISSET, OP_NOTSET, OP_ISNOTSET, OPS };
static const char *const ops[OPS] = { "=", "+", "-", "<", "<=", "==", "!=", ">=", ">", "isset", "notset", "isnotset" };

static const uint32_t *flowint_get(const struct scope *s, uint32_t id)
{
    return s->state ? ints_get(&s->w->ints, s->state->ints, id) : NULL;
}

/* false: it names a number that is not set */
static bool flowint_operand(const struct flowint *f, const struct scope *s, uint32_t *v)
{
    const uint32_t *other = f->other ? flowint_get(s, f->other) : &f->value;

    if (other)
        *v = *other;
    return other != NULL;
}

static bool flowint_match(const struct cond *c, const struct scope *s)
{
    const struct flowint *f = &((const struct flowint_cond *)c)->f;
    const uint32_t *have = flowint_get(s, f->id);
    uint32_t v;

    if (f->op >= OP_ISSET)
        return s->state && (have != NULL) == (f->op == OP_ISSET);
    if (!have || !flowint_operand(f, s, &v))
        return false;
    switch (f->op) {
    case OP_LT: return *have < v;
    case OP_LE: return *have <= v;
    case OP_EQ: return *have == v;
    case OP_NE: return *have != v;
    case OP_GE: return *have >= v;
    default: return *have > v;
    }
}

/* What is not set counts from 0. No number leaves 0 … 2^32 − 1: the ends hold it. */
static void flowint_run(const struct effect *e, const struct scope *s)
{
    const struct flowint *f = &((const struct flowint_effect *)e)->f;
    const uint32_t *have = flowint_get(s, f->id);
    uint32_t old = have ? *have : 0, v;

    if (!s->state || !flowint_operand(f, s, &v))
        return;
    if (f->op == OP_ADD)
        v = old > UINT32_MAX - v ? UINT32_MAX : old + v;
    else if (f->op == OP_SUB)
        v = old < v ? 0 : old - v;
    if (!ints_put(&s->w->ints, &s->state->ints, f->id, v))
        scope_count(s, COUNT_FLOWINTS_FULL);
}

/* Interned beside the flowbits, for the order of rules goes by both. */
static int flowint_name(struct build *b, struct token t, uint32_t *id)
{
    char name[136];

    if (!t.len || t.len > 120)
        return build_fail(b, t.off, "flowint: a name of 1 to 120 characters expected");
    snprintf(name, sizeof name, "flowint/%.*s", (int)t.len, t.s);
    *id = b->env->intern(b->env->arg, "flowbit", name);
    return *id ? 0 : build_fail(b, 0, "out of memory");
}

static int flowint_read(struct build *b, struct flowint *f)
{
    struct token rest = b->option->value, name, op, value;
    int64_t v = 0;

    token_cut(&rest, ',', &name);
    token_cut(&rest, ',', &op);
    while (f->op < OPS && !token_is(op, ops[f->op]))
        f->op++;
    if (f->op == OPS)
        return build_fail(b, op.off, "flowint does not know '%.*s': =, +, -, <, <=, ==, !=, >=, >, isset, notset",
                          (int)(op.len > 40 ? 40 : op.len), op.s);
    if (flowint_name(b, name, &f->id))
        return -1;
    value = token_trim(rest);
    if (f->op >= OP_ISSET)
        return value.len ? build_fail(b, value.off, "flowint: nothing may follow '%s'", ops[f->op]) : 0;
    if (!value.len || (value.s[0] >= '0' && value.s[0] <= '9') || value.s[0] == '-') {
        if (build_number(b, value, 0, UINT32_MAX, &v))
            return -1;
        f->value = (uint32_t)v;
        return 0;
    }
    return flowint_name(b, value, &f->other);
}

static void flowint_note(struct build *b, uint32_t id, const uint32_t **list, uint32_t *n)
{
    uint32_t *all = arena_alloc(b->arena, (*n + 1) * sizeof *all);

    if (!all)
        return;
    for (uint32_t i = 0; i < *n; i++)
        all[i] = (*list)[i];
    all[(*n)++] = id;
    *list = all;
}

static int flowint_parse(struct build *b)
{
    struct flowint f = { 0 };
    struct rule *r = b->rule;

    if (flowint_read(b, &f))
        return -1;
    if (f.op <= OP_SUB) {
        struct flowint_effect *e = arena_alloc(b->arena, sizeof *e);

        if (!e)
            return build_fail(b, 0, "out of memory");
        e->f = f;
        e->e.run = flowint_run;
        r->flags |= RULE_SETS_BITS;
        flowint_note(b, f.id, &r->bits_set, &r->n_bits_set);
        return build_effect(b, &e->e);
    }
    struct flowint_cond *c = arena_alloc(b->arena, sizeof *c);

    if (!c)
        return build_fail(b, 0, "out of memory");
    c->f = f;
    c->c.match = flowint_match;
    r->flags |= RULE_READS_BITS;
    flowint_note(b, f.id, &r->bits_read, &r->n_bits_read);
    return build_cond(b, &c->c);
}

static const struct keyword rows[] = {
    { "flowint", NULL, KW_VALUE, flowint_parse, "count, set or compare a number of the flow: NAME,+,1; NAME,>,3 …" },
};
KEYWORD_FAMILY(keyword_flowint, rows);
