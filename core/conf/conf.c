#include "core/conf/conf.h"

#include "core/conf/conf_impl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void silent(const char *sentence, void *arg)
{
    (void)sentence;
    (void)arg;
}

/* The folder of the configuration file, as an absolute path. */
static const char *folder_of(struct conf *c, const char *file)
{
    char resolved[PATH_MAX];
    const char *slash = file ? strrchr(file, '/') : NULL;
    char *folder;

    if (!file)
        return ECYBER_CONFDIR;
    folder = slash ? conf_strndup(&c->mem, file, (size_t)(slash - file) + (slash == file))
                   : conf_strdup(&c->mem, ".");
    if (folder && realpath(folder, resolved))
        folder = conf_strdup(&c->mem, resolved);
    return folder ? folder : ".";
}

static bool section_open(struct conf_loader *l, struct ec_conf *s, const struct conf_section *from)
{
    struct conf_place p = {.from = CONF_DEFAULT, .name = from->name};
    char why[256];

    s->section = from->name;
    s->options = from->options;
    s->dormant = from->dormant;
    if (!from->options || from->dormant)
        return true;
    if (!row_options_check(from->options, why, sizeof why)) {
        p.from = CONF_DEFAULT;
        conf_error(l, &p, false, "%s", why);
        return true;
    }
    s->slot = conf_alloc(&l->c->mem, (from->options->n_row + 1u) * sizeof *s->slot);
    if (!s->slot)
        return false;
    s->n = from->options->n_row;
    for (uint32_t i = 0; i < s->n; i++) {
        s->slot[i].row = row_at(from->options, i);
        s->slot[i].where = "default";
    }
    return true;
}

static bool sections_open(struct conf_loader *l, const struct conf_section *s, uint32_t n)
{
    struct conf *c = l->c;

    c->section = conf_alloc(&c->mem, (n + 1u) * sizeof *c->section);
    if (!c->section)
        return false;
    for (; c->n < n; c->n++)
        if (!section_open(l, &c->section[c->n], &s[c->n]))
            return false;
    return true;
}

static void apply_defaults(struct conf_loader *l)
{
    for (uint32_t i = 0; i < l->c->n; i++) {
        struct ec_conf *s = &l->c->section[i];

        for (uint32_t j = 0; j < s->n; j++) {
            struct conf_place p = {.from = CONF_DEFAULT};

            if (!s->slot[j].row->def)
                continue;
            p.name = conf_printf(&l->c->mem, "%s.%s", s->section, s->slot[j].row->name);
            conf_apply_text(l, s, &s->slot[j], s->slot[j].row->def, &p);
        }
    }
}

struct conf *conf_load(const struct conf_input *in, const struct conf_section *s, uint32_t n,
                       void (*err)(const char *sentence, void *arg), void *arg)
{
    struct conf_loader l = {.in = in, .err = in->partial ? silent : err, .arg = arg};
    struct conf_input quiet = *in;

    if (in->partial) {
        quiet.warn = NULL;
        l.in = &quiet;
    }
    l.c = calloc(1, sizeof *l.c);
    if (!l.c || !sections_open(&l, s, n)) {
        conf_free(l.c);
        err("the configuration: out of memory", arg);
        return NULL;
    }
    l.folder = folder_of(l.c, in->file);
    apply_defaults(&l);
    if (in->file) {
        conf_apply_files(&l);
        conf_apply_env_file(&l);
    }
    if (in->changes && !in->partial)
        conf_apply_changes(&l);
    conf_apply_environment(&l);
    conf_apply_set(&l);
    conf_error_end(&l);
    if (l.errors && !in->partial) {
        conf_free(l.c);
        return NULL;
    }
    return l.c;
}

const struct ec_conf *conf_of(const struct conf *c, const char *section)
{
    return conf_section_find(c, section);
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    conf_mem_free(&c->mem);
    free(c);
}
