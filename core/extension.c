#include "core/extension.h"

#include "core/instance.h"

#include <ecyber/ext/enrich.h>
#include <ecyber/ext/list.h>
#include <ecyber/ext/source.h>
#include <ecyber/ext/stage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The interfaces that the core calls, with the functions that it calls without asking. */
#define FN(type, member) { offsetof(struct type, member), #member }
struct function { size_t off; const char *name; };
static const struct interface {
    const char *id;
    uint32_t bytes;
    struct function fn[8];
} interfaces[] = {
    { EC_SOURCE_ID, sizeof(struct ec_source),
      { FN(ec_source, scheme), FN(ec_source, open), FN(ec_source, fetch), FN(ec_source, finish),
        FN(ec_source, stats), FN(ec_source, close), { 0, NULL } } },
    { EC_STAGE_ID, sizeof(struct ec_stage), { FN(ec_stage, packet), { 0, NULL } } },
    { EC_ENRICH_ID, sizeof(struct ec_enricher), { FN(ec_enricher, topic), FN(ec_enricher, lookup),
      { 0, NULL } } },
    { EC_LIST_ID, sizeof(struct ec_listing),
      { FN(ec_listing, name), FN(ec_listing, column), FN(ec_listing, each), { 0, NULL } } },
};

static const struct interface *interface_find(const char *id)
{
    for (size_t k = 0; k < sizeof interfaces / sizeof interfaces[0]; k++)
        if (!strcmp(interfaces[k].id, id))
            return &interfaces[k];
    return NULL;
}

bool extension_is_interface(const char *id)
{
    return interface_find(id) != NULL;
}

static const char *file_of(const struct instance *i)
{
    return i->path ? i->path : i->d.name;
}

__attribute__((format(printf, 2, 3)))
static void refuse(struct instance *i, const char *fmt, ...)
{
    int at = snprintf(i->why, sizeof i->why, "%s: left out: ", file_of(i));
    va_list ap;

    va_start(ap, fmt);
    if (at > 0 && (size_t)at < sizeof i->why)
        vsnprintf(i->why + at, sizeof i->why - (size_t)at, fmt, ap);
    va_end(ap);
    i->status = INSTANCE_REFUSED;
}

static uint32_t table_size(const void *vtable)
{
    uint32_t size;

    memcpy(&size, vtable, sizeof size);             /* every table starts with it */
    return size;
}

int extension_check(struct instance *i)
{
    for (uint32_t k = 0; k < i->d.n_offer; k++) {
        const struct ec_offer *o = &i->d.offer[k];
        const struct interface *f = interface_find(o->id);

        if (!f)
            continue;
        if (table_size(o->vtable) < f->bytes) {
            refuse(i,
                   "its table of %s has %u bytes, this daemon needs %u; rebuild it against this "
                   "daemon's SDK",
                   o->id, table_size(o->vtable), f->bytes);
            return EC_EINVAL;
        }
        for (const struct function *m = f->fn; m->name; m++) {
            const void *p;

            memcpy(&p, (const uint8_t *)o->vtable + m->off, sizeof p);
            if (!p) {
                refuse(i, "its %s has no %s(); correct it", o->id, m->name);
                return EC_EINVAL;
            }
        }
    }
    return EC_OK;
}

const void *extension_offer(const struct instance *i, const char *id, uint32_t nth)
{
    for (uint32_t k = 0; k < i->d.n_offer; k++)
        if (!strcmp(i->d.offer[k].id, id) && !nth--)
            return i->d.offer[k].vtable;
    return NULL;
}

void extension_each(struct instance *const *order, uint32_t n, const char *id,
                    void (*fn)(struct instance *i, const void *vtable, void *arg), void *arg)
{
    for (uint32_t k = 0; k < n; k++) {
        const void *v;

        for (uint32_t nth = 0; (v = extension_offer(order[k], id, nth)); nth++)
            fn(order[k], v, arg);
    }
}

struct resolve {
    struct instance *const *all;
    uint32_t n;
    struct instance *core;                          /* NULL: the daemon itself offers nothing */
    extension_choose_fn *choose;
    const void *arg;
};

static bool alive(const struct instance *i)
{
    return i->status != INSTANCE_REFUSED;
}

/* Who serves this id: the daemon itself or a plugin, NULL: nobody. Where several do and nobody chose, the first;
 * check_single() has dealt with those. */
static struct instance *provider(const struct resolve *r, const char *id)
{
    const char *wanted = r->choose ? r->choose(id, r->arg) : NULL;

    if (r->core && extension_offer(r->core, id, 0))
        return r->core;
    for (uint32_t k = 0; k < r->n; k++)
        if (alive(r->all[k]) && extension_offer(r->all[k], id, 0) &&
            (!wanted || !strcmp(wanted, r->all[k]->d.name)))
            return r->all[k];
    return NULL;
}

/* Refuse who offers what the daemon itself does: nobody could tell which of them answers. */
static bool check_core(const struct resolve *r, struct instance *i)
{
    for (uint32_t o = 0; r->core && o < i->d.n_offer; o++)
        if (extension_offer(r->core, i->d.offer[o].id, 0)) {
            refuse(i, "it offers %s, which the daemon itself does; take that offer out of it",
                   i->d.offer[o].id);
            return false;
        }
    return true;
}

/* Refuse both where two offer the same service and the configuration does not choose. */
static bool check_single(const struct resolve *r, struct instance *a)
{
    for (uint32_t o = 0; o < a->d.n_offer; o++) {
        const char *id = a->d.offer[o].id;

        if (extension_is_interface(id) || (r->choose && r->choose(id, r->arg)))
            continue;
        for (uint32_t k = 0; k < r->n; k++) {
            struct instance *b = r->all[k];

            if (b == a || !alive(b) || !extension_offer(b, id, 0))
                continue;
            refuse(a, "%s is offered by %s and by %s; name one of them in core.providers", id,
                   a->d.name, b->d.name);
            refuse(b, "%s is offered by %s and by %s; name one of them in core.providers", id,
                   a->d.name, b->d.name);
            return true;
        }
    }
    return false;
}

/* Why is nobody there: was he left out, or is another revision there? */
static void refuse_missing(const struct resolve *r, struct instance *i, const char *id)
{
    const char *slash = strchr(id, '/');
    size_t family = slash ? (size_t)(slash - id) + 1 : strlen(id);
    const char *wanted = r->choose ? r->choose(id, r->arg) : NULL;

    if (wanted) {
        refuse(i,
               "it needs %s, which core.providers expects of %s, and that plugin is not there or "
               "does not offer it",
               id, wanted);
        return;
    }
    for (uint32_t k = 0; k < r->n; k++)
        if (!alive(r->all[k]) && r->all[k] != i && extension_offer(r->all[k], id, 0)) {
            refuse(i, "it needs %s, and %s, which offers it, is left out", id, r->all[k]->d.name);
            return;
        }
    for (uint32_t k = 0; k < r->n; k++)
        for (uint32_t o = 0; alive(r->all[k]) && o < r->all[k]->d.n_offer; o++)
            if (!strncmp(r->all[k]->d.offer[o].id, id, family) &&
                strcmp(r->all[k]->d.offer[o].id, id) != 0) {
                refuse(i, "it needs %s, and %s offers %s; rebuild it against this daemon's SDK", id,
                       r->all[k]->d.name, r->all[k]->d.offer[o].id);
                return;
            }
    for (uint32_t o = 0; r->core && o < r->core->d.n_offer; o++)
        if (!strncmp(r->core->d.offer[o].id, id, family)) {
            refuse(i, "it needs %s, and the daemon offers %s; rebuild it against this daemon's SDK",
                   id, r->core->d.offer[o].id);
            return;
        }
    refuse(i, "it needs %s, which no plugin offers; load one that does", id);
}

/* Bind the uses of one; false where it had to be refused. */
static bool bind_uses(const struct resolve *r, struct instance *i)
{
    for (uint32_t u = 0; u < i->d.n_use; u++) {
        const struct ec_use *use = &i->d.use[u];
        struct instance *p = provider(r, use->id);
        uint32_t size = p ? table_size(extension_offer(p, use->id, 0)) : 0;
        const char *who = !p ? "" : p == r->core ? "the daemon" : p->d.name;

        i->bound[u] = p && size >= use->min_size ? p : NULL;
        if (i->bound[u] || (use->flags & EC_USE_OPTIONAL))
            continue;
        if (p)
            refuse(i, "it needs at least %u bytes of %s, and %s offers %u; update %s",
                   use->min_size, use->id, who, size, who);
        else
            refuse_missing(r, i, use->id);
        return false;
    }
    return true;
}

/* Refusing one may leave others without what they need: again until nothing changes. */
static void settle(const struct resolve *r)
{
    bool changed;

    do {
        changed = false;
        for (uint32_t k = 0; k < r->n; k++)
            if (alive(r->all[k]) && (check_single(r, r->all[k]) || !bind_uses(r, r->all[k])))
                changed = true;
    } while (changed);
}

/* Depth first along RUN uses: providers come out before their users. */
struct visit {
    const struct resolve *r;
    struct instance **order, **path;
    uint32_t n, depth;
    uint8_t *seen;                                  /* 1: on the path, 2: done */
};

static uint32_t position(const struct resolve *r, const struct instance *i)
{
    uint32_t k = 0;

    while (r->all[k] != i)
        k++;
    return k;
}

/* Refuse everybody on the circle that closes at `i`, with the whole circle in the sentence. */
static void refuse_cycle(struct visit *v, const struct instance *i)
{
    char circle[512] = "";
    uint32_t from = 0;

    while (v->path[from] != i)
        from++;
    for (uint32_t k = from; k < v->depth; k++) {
        size_t at = strlen(circle);

        snprintf(circle + at, sizeof circle - at, "%s -> ", v->path[k]->d.name);
    }
    for (uint32_t k = from; k < v->depth; k++)
        refuse(v->path[k], "its RUN uses form a cycle: %s%s; make one of them a SETUP use", circle,
               i->d.name);
}

/* false: a cycle was found and its members are refused. */
static bool visit(struct visit *v, struct instance *i)
{
    uint32_t at = position(v->r, i);

    if (v->seen[at] == 2)
        return true;
    if (v->seen[at] == 1) {
        refuse_cycle(v, i);
        return false;
    }
    v->seen[at] = 1;
    v->path[v->depth++] = i;
    for (uint32_t u = 0; u < i->d.n_use; u++)
        if ((i->d.use[u].flags & EC_USE_RUN) && i->bound[u] && i->bound[u] != i &&
            i->bound[u] != v->r->core && !visit(v, i->bound[u]))
            return false;
    v->depth--;
    v->seen[at] = 2;
    v->order[v->n++] = i;
    return true;
}

static bool sort(struct visit *v)
{
    v->n = v->depth = 0;
    memset(v->seen, 0, v->r->n);
    for (uint32_t k = 0; k < v->r->n; k++)
        if (alive(v->r->all[k]) && !visit(v, v->r->all[k]))
            return false;
    return true;
}

static bool bound_alloc(struct instance *i)
{
    free(i->bound);
    i->bound = calloc(i->d.n_use + 1, sizeof *i->bound);
    if (!i->bound)
        refuse(i, "out of memory");
    return i->bound != NULL;
}

uint32_t extension_resolve(struct instance *const *all, uint32_t n, struct instance *core,
                           extension_choose_fn *choose, const void *arg, struct instance **order)
{
    struct resolve r = { all, n, core, choose, arg };
    struct visit v = {
        .r = &r, .order = order, .path = calloc(n + 1, sizeof *v.path), .seen = calloc(n + 1, 1)};

    for (uint32_t k = 0; k < n; k++)
        if (alive(all[k]) && bound_alloc(all[k]) && check_core(&r, all[k]))
            extension_check(all[k]);
    if (v.path && v.seen)
        do
            settle(&r);
        while (!sort(&v));
    free(v.path);
    free(v.seen);
    return v.n;
}
