#include "core/conf/conf_impl.h"

#include "core/conf/nearest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 256 /* in conf.d */

/* A missing file may be one that was mistyped. */
static void missing(struct conf_loader *l, const struct conf_place *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096], best[256] = "";
    struct nearest near = {slash ? slash + 1 : path, NULL, 0};
    struct dirent *e;
    DIR *d;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    d = opendir(folder);
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        nearest_try(&near, e->d_name);
        if (near.best == e->d_name) {
            snprintf(best, sizeof best, "%s", e->d_name);
            near.best = best;
        }
    }
    if (d)
        closedir(d);
    conf_error(l, p, false,
               near.best ? "there is no such file; the nearest in that folder is '%s'"
                         : "there is no such file%s",
               best);
}

/* Its size is only where to begin: it may grow meanwhile. */
static char *read_all(struct conf_loader *l, const struct conf_place *p, int fd, size_t size,
                      size_t *len)
{
    size_t cap = size < YAML_BYTES_MAX ? size + 1 : YAML_BYTES_MAX + 1, used = 0;
    char *text = malloc(cap), *grown;
    ssize_t got = 1;

    while (text && got && used <= YAML_BYTES_MAX) {
        if (used == cap) {
            cap = cap * 2 < YAML_BYTES_MAX ? cap * 2 : YAML_BYTES_MAX + 1;
            grown = realloc(text, cap);
            if (!grown)
                free(text);
            text = grown;
            continue;
        }
        got = read(fd, text + used, cap - used);
        if (got > 0)
            used += (size_t)got;
        else if (got < 0 && errno != EINTR)
            break;
    }
    if (!text)
        conf_no_memory(l);
    else if (got < 0)
        conf_error(l, p, false, "cannot be read: %s", strerror(errno));
    else if (used > YAML_BYTES_MAX)
        conf_error(l, p, false, "the file is longer than 4 MiB");
    else {
        *len = used;
        return text;
    }
    free(text);
    return NULL;
}

char *conf_read(struct conf_loader *l, const char *path, size_t *len)
{
    struct conf_place p = {.from = CONF_FILE, .file = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char *text = NULL;

    if (fd < 0) {
        if (errno == ENOENT)
            missing(l, &p, path);
        else
            conf_error(l, &p, false, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        conf_error(l, &p, false, "is not a regular file");
    else
        text = read_all(l, &p, fd, (size_t)st.st_size, len);
    close(fd);
    return text;
}

void conf_unknown_option(struct conf_loader *l, const struct ec_conf *s, const char *path, const struct conf_place *p)
{
    struct nearest near = {path, NULL, 0};

    for (uint32_t i = 0; i < s->n; i++)
        nearest_try(&near, s->slot[i].row->name);
    if (near.best)
        conf_error(l, p, false, "section '%s' has no option '%.64s'; the nearest is '%s'",
                   s->section, path, near.best);
    else
        conf_error(l, p, false, "section '%s' has no options, so '%.64s' is unknown", s->section,
                   path);
}

static bool is_group(const struct ec_conf *s, const char *path)
{
    size_t len = strlen(path);

    for (uint32_t i = 0; i < s->n; i++)
        if (!strncmp(s->slot[i].row->name, path, len) && s->slot[i].row->name[len] == '.')
            return true;
    return false;
}

static void apply_mapping(struct conf_loader *l, struct ec_conf *s, const struct yaml_node *map,
                          const char *prefix, const struct conf_place *base)
{
    for (const struct yaml_node *k = map->child; k; k = k->next) {
        struct conf_place p = *base;
        char path[256];
        struct conf_slot *slot;

        p.line = k->line;
        p.col = k->col;
        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", k->text);
        slot = conf_slot_find(s, path);
        if (slot && k->value)
            conf_apply_node(l, s, slot, k->value, base);
        else if (!slot && is_group(s, path) && k->value && k->value->kind == YAML_MAPPING)
            apply_mapping(l, s, k->value, path, base);
        else if (!slot && is_group(s, path) && k->value && !yaml_is_null(k->value))
            conf_error(l, &p, false, "'%s.%s' is a group of options: a mapping is expected",
                       s->section, path);
        else if (!slot && !is_group(s, path))
            conf_unknown_option(l, s, path, &p);
    }
}

static void apply_section(struct conf_loader *l, const struct yaml_node *k,
                          const struct conf_place *base)
{
    struct ec_conf *s = conf_section_find(l->c, k->text);
    struct nearest near = {k->text, NULL, 0};
    struct conf_place p = *base;

    p.line = k->line;
    p.col = k->col;
    if (!s && l->in->partial)
        return;
    if (!s) {
        for (uint32_t i = 0; i < l->c->n; i++)
            nearest_try(&near, l->c->section[i].section);
        conf_error(
            l, &p, false,
            "there is no section '%.64s', for there is no plugin of that name; the nearest is '%s'",
            k->text, near.best ? near.best : "");
    } else if (s->dormant && (!k->value || yaml_is_null(k->value))) {
        return; /* nothing is skipped */
    } else if (s->dormant) {
        conf_warn(l, &p, "section '%s' is skipped: its plugin is installed but does not run",
                  s->section);
    } else if (k->value && k->value->kind == YAML_MAPPING) {
        apply_mapping(l, s, k->value, "", base);
    } else if (k->value && !yaml_is_null(k->value)) {
        conf_error(l, &p, false, "section '%s' has to be a mapping: one 'option: value' a line",
                   s->section);
    }
}

struct file_errors {
    struct conf_loader *l;
    const char *name;
};

static void file_error(uint32_t line, uint32_t col, const char *text, void *arg)
{
    struct file_errors *f = arg;
    struct conf_place p = {.from = CONF_FILE, .file = f->name, .line = line, .col = col};

    conf_error(f->l, &p, false, "%s", text);
}

void conf_apply_yaml(struct conf_loader *l, const char *name, const char *text, size_t len)
{
    struct file_errors f = {l, name};
    struct conf_place base = {.from = CONF_FILE, .file = name};
    struct yaml_node *root;

    l->source++;
    if (!yaml_parse(&l->c->mem, text, len, &root, file_error, &f) || !root || yaml_is_null(root))
        return;
    if (root->kind != YAML_MAPPING) {
        file_error(root->line, root->col,
                   "the file has to be a mapping of sections: 'core:' and plugins' names", &f);
        return;
    }
    for (const struct yaml_node *k = root->child; k; k = k->next)
        apply_section(l, k, &base);
}

static void apply_file(struct conf_loader *l, const char *path)
{
    size_t len;
    char *text = conf_read(l, path, &len);

    if (text)
        conf_apply_yaml(l, path, text, len);
    free(text);
}

static int is_yaml(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && !strcmp(e->d_name + n - 5, ".yaml");
}

/* By bytes: the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void apply_folder(struct conf_loader *l, const char *folder)
{
    struct conf_place p = {.from = CONF_FILE, .file = folder};
    struct dirent **list = NULL;
    int n = scandir(folder, &list, is_yaml, by_name);

    if (n < 0 && errno != ENOENT)
        conf_error(l, &p, false, "cannot be read: %s", strerror(errno));
    if (n > FILES_MAX)
        conf_error(l, &p, false, "more than 256 files");
    for (int i = 0; i < n; i++) {
        const char *path =
            i < FILES_MAX ? conf_printf(&l->c->mem, "%s/%s", folder, list[i]->d_name) : NULL;

        if (path)
            apply_file(l, path);
        else if (i < FILES_MAX)
            conf_no_memory(l);
        free(list[i]);
    }
    free(list);
}

void conf_apply_files(struct conf_loader *l)
{
    char folder[4096];
    const char *slash = strrchr(l->in->file, '/');

    if (l->in->text)
        conf_apply_yaml(l, l->in->file, l->in->text, strlen(l->in->text));
    else
        apply_file(l, l->in->file);
    snprintf(folder, sizeof folder, "%.*sconf.d", slash ? (int)(slash - l->in->file + 1) : 0,
             l->in->file);
    apply_folder(l, folder);
}
