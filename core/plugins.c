#include "core/plugins.h"

#include "core/conf/conf.h"
#include "core/log/crash.h"
#include "core/extension.h"
#include "core/instance.h"
#include "core/loader.h"
#include "core/log/log.h"
#include "core/options.h"
#include "core/services.h"
#include "core/topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
    struct plugins *p;
    const struct options *o;
    uint8_t *named;                 /* by entry of core.plugins: it was found */
    bool no_memory;
};

/* Does core.plugins name this file, or nobody? */
static bool is_wanted(struct scan *s, const char *path, const char *name)
{
    uint32_t n = conf_count(s->o->c, "plugins");
    bool wanted = n == 0;

    for (uint32_t i = 0; i < n; i++) {
        const char *entry = conf_text(s->o->c, "plugins", i);

        if (entry && (!strcmp(entry, name) || !strcmp(entry, path)))
            wanted = (s->named[i] = 1);
    }
    return wanted;
}

static void found(const char *path, void *arg)
{
    struct scan *s = arg;
    struct plugins *p = s->p;
    struct instance *i = instance_new(path), **all;
    const char **dormant;

    if (!i) {
        s->no_memory = true;
        return;
    }
    if (is_wanted(s, path, i->d.name)) {
        all = reallocarray(p->all, p->n + 1, sizeof *all);
        if (all) {
            p->all = all;
            all[p->n++] = i;
            return;
        }
    } else if ((dormant = reallocarray(p->dormant, p->n_dormant + 1, sizeof *dormant))) {
        p->dormant = dormant;
        dormant[p->n_dormant++] = i->d.name;
        instance_free(i);           /* its name stays */
        return;
    }
    instance_free(i);
    s->no_memory = true;
}

static int scan_all(struct scan *s, char *why, uint32_t n)
{
    uint32_t dirs = conf_count(s->o->c, "plugin_dirs"), names = conf_count(s->o->c, "plugins");
    char sentence[1024];

    for (uint32_t i = 0; i < dirs; i++)
        if (loader_scan(conf_text(s->o->c, "plugin_dirs", i), found, s, sentence,
                        sizeof sentence)) {
            const char *where = conf_where(s->o->c, "plugin_dirs", i);

            if (where && strcmp(where, "default") != 0) {
                snprintf(why, n, "%s: core.plugin_dirs: %s", where, sentence);
                return EC_ENOENT;
            }
            LOG(EC_LOG_WARNING, "%s", sentence);
        }
    if (s->no_memory) {
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    for (uint32_t i = 0; i < names; i++)
        if (!s->named[i]) {
            const char *where = conf_where(s->o->c, "plugins", i);

            snprintf(why, n, "%s: core.plugins: no folder of core.plugin_dirs has %s.so",
                     where ? where : "core.plugins", conf_text(s->o->c, "plugins", i));
            return EC_ENOENT;
        }
    return EC_OK;
}

/* The same id or name twice: the first that was found stays. */
static bool is_unique(const struct plugins *p, struct instance *i)
{
    for (uint32_t k = 0; k < p->n && p->all[k] != i; k++) {
        const struct instance *o = p->all[k];
        bool id = !strcmp(o->d.id, i->d.id), name = !strcmp(o->d.name, i->d.name);

        if (o->status == INSTANCE_REFUSED || !(id || name))
            continue;
        snprintf(i->why, sizeof i->why,
                 "%s: refused: its %s '%s' is that of %s already; remove one of them", i->path,
                 id ? "id" : "name", id ? i->d.id : i->d.name, o->path);
        i->status = INSTANCE_REFUSED;
        return false;
    }
    return true;
}

static bool crashed_too_often(const struct options *o, struct instance *i)
{
    if (crash_count(i->d.name) < CRASH_LIMIT)
        return false;
    instance_refuse(
        i, "it crashed the daemon %d times in a row; replace it, then remove %s/crash to try again",
        CRASH_LIMIT, o->state_dir);
    return true;
}

static void load_one(struct plugins *p, const struct options *o, struct instance *i)
{
    /* while it was loaded, when only its file's name was known */
    if (crashed_too_often(o, i))
        return;
    if (loader_open(i))
        i->status = INSTANCE_REFUSED;
    else if (!crashed_too_often(o, i) && is_unique(p, i))
        LOG(EC_LOG_DEBUG, "%s: %s %s, level %u", i->path, i->d.name, i->d.version, i->d.api_level);
}

int plugins_load(struct plugins *p, const struct options *o, char *why, uint32_t n)
{
    struct scan s = { .p = p, .o = o, .named = calloc(conf_count(o->c, "plugins") + 1, 1) };
    int rc = EC_ENOMEM;

    memset(p, 0, sizeof *p);
    if (s.named)
        rc = scan_all(&s, why, n);
    free(s.named);
    if (rc)
        return rc;
    for (uint32_t k = 0; k < p->n; k++)
        load_one(p, o, p->all[k]);
    p->order = calloc(p->n + 1, sizeof(struct instance *));
    plugins_tell(p);
    if (!p->order)
        snprintf(why, n, "out of memory");
    return p->order ? EC_OK : EC_ENOMEM;
}

static bool has_section(const struct conf_section *s, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(s[i].name, name))
            return true;
    return false;
}

struct conf_section *plugins_sections(const struct plugins *p, uint32_t *n)
{
    struct conf_section *s = calloc(p->n + p->n_dormant + 1, sizeof *s);
    uint32_t at = 0;

    if (!s)
        return NULL;
    s[at++] = (struct conf_section){ .name = OPTIONS_SECTION, .options = &options_table };
    for (uint32_t k = 0; k < p->n; k++)             /* a plugin that agreed has an id */
        if (p->all[k]->d.id[0] && !has_section(s, at, p->all[k]->d.name))
            s[at++] =
                (struct conf_section){.name = p->all[k]->d.name, .options = p->all[k]->d.options};
    for (uint32_t k = 0; k < p->n; k++)
        if (!p->all[k]->d.id[0] && !has_section(s, at, p->all[k]->d.name))
            s[at++] = (struct conf_section){ .name = p->all[k]->d.name, .dormant = true };
    for (uint32_t k = 0; k < p->n_dormant; k++)
        if (!has_section(s, at, p->dormant[k]))
            s[at++] = (struct conf_section){ .name = p->dormant[k], .dormant = true };
    *n = at;
    return s;
}

static const char *choose(const char *id, const void *arg)
{
    return options_provider(arg, id);
}

/* Every callback of one kind, in order; false: one failed and is refused. */
static bool each(struct plugins *p, int (*callback)(struct instance *i))
{
    for (uint32_t k = 0; k < p->n_order; k++)
        if (callback(p->order[k]))
            return false;
    return true;
}

void plugins_prepare(struct plugins *p, const struct options *o, uint32_t workers)
{
    for (;;) {
        p->n_order = extension_resolve(p->all, p->n, services_core(), choose, o, p->order);
        instance_list(p->order, p->n_order, workers);
        plugins_tell(p);
        if (each(p, instance_create) && each(p, instance_setup))
            return;
        plugins_unprepare(p);
    }
}

void plugins_unprepare(struct plugins *p)
{
    for (uint32_t k = p->n_order; k--; )
        instance_destroy(p->order[k]);
    instance_list(p->order, 0, 0);
    p->n_order = 0;
    services_reset();
    topic_reset();
}

void plugins_tell(struct plugins *p)
{
    for (uint32_t k = 0; k < p->n; k++)
        if (p->all[k]->status == INSTANCE_REFUSED && !p->all[k]->told) {
            p->all[k]->told = true;
            log_f("core", EC_LOG_WARNING, NULL, "%s", p->all[k]->why);
        }
}

uint32_t plugins_left_out(const struct plugins *p)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < p->n; k++)
        n += p->all[k]->status == INSTANCE_REFUSED;
    return n;
}

struct instance *plugins_find(const struct plugins *p, const char *name)
{
    for (uint32_t k = 0; k < p->n; k++)
        if (!strcmp(p->all[k]->d.name, name))
            return p->all[k];
    return NULL;
}

void plugins_free(struct plugins *p)
{
    for (uint32_t k = 0; k < p->n; k++)
        instance_free(p->all[k]);
    free(p->all);
    free(p->order);
    free(p->dormant);
    memset(p, 0, sizeof *p);
}
