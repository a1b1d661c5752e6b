#include "core/conf/conf_impl.h"

#include <string.h>

static bool same_value(const struct ec_row *r, const struct conf_value *a,
                       const struct conf_value *b)
{
    if (row_is_numeric(r))
        return a->v.num == b->v.num;
    return r->type == EC_T_F64 ? a->v.f64 == b->v.f64 : !strcmp(a->text, b->text);
}

static bool same_slot(const struct conf_slot *a, const struct conf_slot *b)
{
    if (a->n != b->n || a->present != b->present)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        const struct conf_value *v = &a->value[i];
        const struct conf_value *w = v->key ? conf_entry_find(b, v->key) : &b->value[i];

        if (!w || !same_value(a->row, v, w))
            return false;
    }
    return true;
}

struct change {
    struct ec_conf *section;
    struct conf_slot *slot;
    const struct conf_slot *other;
};

/* Calls fn for each option that waits for a restart and differs between the two. */
static void each_change(const struct conf *a, const struct conf *b,
                        void (*fn)(const struct change *c, void *arg), void *arg)
{
    for (uint32_t i = 0; i < a->n; i++) {
        struct ec_conf *s = &a->section[i], *t = conf_section_find(b, s->section);

        for (uint32_t j = 0; t && j < s->n; j++) {
            struct change c = {s, &s->slot[j], conf_slot_find(t, s->slot[j].row->name)};

            if (!(c.slot->row->flags & EC_R_LIVE) && c.other && !same_slot(c.slot, c.other))
                fn(&c, arg);
        }
    }
}

struct listener {
    void (*fn)(const char *section, const char *name, void *arg);
    void *arg;
    struct conf *next;
    int rc;
};

static void tell(const struct change *c, void *arg)
{
    struct listener *l = arg;

    l->fn(c->section->section, c->slot->row->name, l->arg);
}

void conf_diff(const struct conf *a, const struct conf *b,
               void (*fn)(const char *section, const char *name, void *arg), void *arg)
{
    struct listener l = {.fn = fn, .arg = arg};

    each_change(a, b, tell, &l);
}

static const char *copied(struct listener *l, const char *text)
{
    const char *copy = text ? conf_strdup(&l->next->mem, text) : NULL;

    if (text && !copy)
        l->rc = EC_ENOMEM;
    return copy;
}

/* The other configuration is freed one day, so everything is copied. */
static void keep(const struct change *c, void *arg)
{
    struct listener *l = arg;
    struct conf_value *v = conf_alloc(&l->next->mem, (c->other->n + 1u) * sizeof *v);

    if (!v) {
        l->rc = EC_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < c->other->n; i++) {
        v[i] = c->other->value[i];
        v[i].key = copied(l, v[i].key);
        v[i].text = copied(l, v[i].text);
        v[i].where = copied(l, v[i].where);
    }
    c->slot->removed = NULL;
    for (const struct conf_removed *r = c->other->removed; r; r = r->next) {
        struct conf_removed *copy = conf_alloc(&l->next->mem, sizeof *copy);

        if (copy)
            *copy = (struct conf_removed){copied(l, r->key), c->slot->removed};
        if (!copy || !copy->key) {
            l->rc = EC_ENOMEM;
            return;
        }
        c->slot->removed = copy;
    }
    c->slot->value = v;
    c->slot->n = c->slot->cap = c->other->n;
    c->slot->present = c->other->present;
    c->slot->where = copied(l, c->other->where);
    tell(c, l);
}

int conf_keep(struct conf *next, const struct conf *old,
              void (*fn)(const char *section, const char *name, void *arg), void *arg)
{
    struct listener l = {.fn = fn, .arg = arg, .next = next};

    each_change(next, old, keep, &l);
    return l.rc;
}
