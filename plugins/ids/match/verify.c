#include "plugins/ids/match/verify.h"

static bool verify_from(struct verify *v, const struct chain *c, uint32_t i, int64_t anchor, uint32_t reach);

/* A negated element holds where nothing is found; places behind it count from the element before it. */
static bool verify_negated(struct verify *v, const struct chain *c, uint32_t i, int64_t anchor, uint32_t reach)
{
    const struct element *e = c->element[i];
    struct attempt a = { .anchor = anchor };

    if (e->find(e, v, &a)) {
        v->stop |= !(e->flags & ELEMENT_RELATIVE);
        return false;
    }
    return verify_from(v, c, i + 1, anchor, reach);
}

/* Does an element behind the i-th count from where that one ends? */
static bool verify_leads(const struct chain *c, uint32_t i)
{
    for (i++; i < c->n; i++) {
        if (c->element[i]->flags & ELEMENT_RELATIVE)
            return true;
        if (!(c->element[i]->flags & ELEMENT_NEGATED))
            return false;
    }
    return false;
}

static bool verify_positive(struct verify *v, const struct chain *c, uint32_t i, int64_t anchor, uint32_t reach)
{
    const struct element *e = c->element[i];
    struct attempt a = { .anchor = anchor };
    bool again = v->fresh || verify_leads(c, i);

    for (uint32_t tries = 0;; tries++) {
        uint32_t end;

        if (!v->steps)
            return false;
        v->steps--;
        if (!e->find(e, v, &a)) {
            /* Depends on nothing before it: no other place of those can help. */
            v->stop |= !tries && !(e->flags & ELEMENT_RELATIVE);
            return false;
        }
        end = a.off + a.len;
        v->place[i] = (struct place){ a.off, a.len };
        if (verify_from(v, c, i + 1, end, end > reach ? end : reach))
            return true;
        if (!again || v->stop || a.off == UINT32_MAX)
            return false;
        a.resume = a.off + 1;
    }
}

static bool verify_from(struct verify *v, const struct chain *c, uint32_t i, int64_t anchor, uint32_t reach)
{
    if (i == c->n)
        return !v->fresh || !c->positive || reach > v->fresh;
    if (c->element[i]->flags & ELEMENT_NEGATED)
        return verify_negated(v, c, i, anchor, reach);
    return verify_positive(v, c, i, anchor, reach);
}

bool verify_chain(struct verify *v, const struct chain *c)
{
    v->steps = VERIFY_STEPS;
    v->stop = false;
    return verify_from(v, c, 0, -(int64_t)v->base, 0);
}
