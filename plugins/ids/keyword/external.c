#include "plugins/ids/keyword/external.h"
#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/match/scope.h"
#include "plugins/ids/rule/arena.h"

#include <stdio.h>
#include <string.h>

struct external { struct cond c; const struct keyword_external *owner; void *value; };

static const struct keyword_external *external_find(const struct keyword_list *l, const char *name)
{
    for (uint32_t i = 0; l && i < l->n; i++)
        if (!strcmp(l->list[i].k->name, name))
            return &l->list[i];
    return NULL;
}

bool external_known(const struct keyword_list *l, const char *name)
{
    return external_find(l, name) != NULL;
}

int32_t external_add(struct keyword_list *l, const struct ec_host *h, const struct ec_keyword *k, void *self)
{
    struct token name = { k->name, k->name ? (uint32_t)strlen(k->name) : 0, 0 };

    if (!EC_HAS(k, struct ec_keyword, match) || !name.len || !k->compile || !k->match)
        return EC_EINVAL;
    if (keyword_find(name) || external_find(l, k->name))
        return EC_EEXIST;
    if (l->n == EXTERNAL_MAX)
        return EC_ELIMIT;
    l->list[l->n++] = (struct keyword_external){ k, self, h };
    return EC_OK;
}

static bool external_match(const struct cond *c, const struct scope *s)
{
    const struct external *x = (const struct external *)c;
    const struct keyword_external *o = x->owner;
    uint32_t worker = s->w->number;

    if (!s->flow || (o->k->kind == EC_KW_PACKET && !s->packet))
        return false;
    /* The keyword may look at the packet, and not change it. */
    return o->k->match(o->self, o->host->worker_mem(o->host, worker), o->host->state(o->host, worker), x->value,
                       s->flow, (struct ec_packet *)(uintptr_t)s->packet) == 1;
}

static void external_release(struct cond *c)
{
    struct external *x = (struct external *)c;

    if (x->owner->k->free)
        x->owner->k->free(x->owner->self, x->value);
}

int external_parse(struct build *b, const char *name)
{
    struct external *x = arena_alloc(b->arena, sizeof *x);
    struct token t = b->option->value;
    const char *value = arena_text(b->arena, t.len ? t.s : "", t.len);
    char why[256] = "";

    if (!x || !value)
        return build_fail(b, 0, "out of memory");
    x->owner = external_find(b->env->external, name);
    if (x->owner->k->compile(x->owner->self, value, &x->value, why, sizeof why))
        return build_fail(b, b->option->value.off, "%s: %s", name, why[0] ? why : "the value is wrong");
    x->c.match = external_match;
    x->c.release = external_release;
    if (x->owner->k->kind == EC_KW_PACKET)
        b->rule->flags |= RULE_PACKET;
    return build_cond(b, &x->c);
}
