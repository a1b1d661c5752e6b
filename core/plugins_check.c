/* Names of plugins in the core's own options: a mistyped one would change nothing, silently. */
#include "core/plugins.h"

#include "core/conf/conf.h"
#include "core/extension.h"
#include "core/instance.h"
#include "core/conf/nearest.h"
#include "core/options.h"

#include <stdio.h>
#include <string.h>

struct check {
    const struct plugins *p;
    const struct options *o;
    void (*err)(const char *sentence, void *arg);
    void *arg;
    uint32_t errors;
};

static void tell(struct check *c, const char *option, uint32_t i, const char *what)
{
    const char *where = conf_where(c->o->c, option, i);
    char sentence[1024];

    snprintf(sentence, sizeof sentence, "%s: core.%s: %s", where ? where : "core", option, what);
    c->err(sentence, c->arg);
    c->errors++;
}

/* Is there a plugin of this name, be it left out or not enabled? */
static bool known(struct check *c, const char *option, uint32_t i, const char *name)
{
    struct nearest near = { name, NULL, 0 };
    char what[512];

    for (uint32_t k = 0; k < c->p->n; k++)
        nearest_try(&near, c->p->all[k]->d.name);
    for (uint32_t k = 0; k < c->p->n_dormant; k++)
        nearest_try(&near, c->p->dormant[k]);
    if (plugins_find(c->p, name) || (near.best && !strcmp(near.best, name)))
        return true;
    snprintf(what, sizeof what, "there is no plugin '%.64s'%s%s%s", name, near.best ? "; the nearest is '" : "",
             near.best ? near.best : "", near.best ? "'" : "");
    tell(c, option, i, what);
    return false;
}

/* The chosen one has to offer what it is chosen for; of one that is left out, nobody knows. */
static void check_provider(struct check *c, uint32_t i)
{
    const char *id = conf_key(c->o->c, "providers", i), *name = conf_text(c->o->c, "providers", i);
    const struct instance *p;
    char what[512];

    if (!id || !name || !known(c, "providers", i, name))
        return;
    p = plugins_find(c->p, name);
    if (!p || p->status == INSTANCE_REFUSED || extension_offer(p, id, 0))
        return;
    snprintf(what, sizeof what, "plugin '%s' does not offer %.128s; 'ecyberctl plugins info %s' shows what it offers",
             name, id, name);
    tell(c, "providers", i, what);
}

uint32_t plugins_check(const struct plugins *p, const struct options *o, void (*err)(const char *sentence, void *arg),
                       void *arg)
{
    struct check c = { p, o, err, arg, 0 };
    const char *name;

    for (uint32_t i = 0; i < conf_count(o->c, "stages"); i++)
        if ((name = conf_text(o->c, "stages", i)))
            known(&c, "stages", i, name);
    for (uint32_t i = 0; i < conf_count(o->c, "providers"); i++)
        check_provider(&c, i);
    for (uint32_t i = 0; i < conf_count(o->c, "log.levels"); i++)
        if ((name = conf_key(o->c, "log.levels", i)) && strcmp(name, OPTIONS_SECTION) != 0)
            known(&c, "log.levels", i, name);
    return c.errors;
}
