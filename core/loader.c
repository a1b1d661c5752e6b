#include "core/loader.h"

#include "core/deadline.h"
#include "core/instance.h"
#include "core/log/mark.h"
#include "core/record/record.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sizes at level 1: what every plugin of this major has at least. */
#define LEVEL1(type, last) ((uint32_t)(offsetof(type, last) + sizeof(((type *)0)->last)))
#define TABLE_MAX 1024
#define MAJOR_MAX 9
#define REBUILD "rebuild it against this daemon's SDK"

__attribute__((format(printf, 2, 3)))
static int refuse(struct instance *i, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(i->why, sizeof i->why, fmt, ap);
    va_end(ap);
    return EC_EINVAL;
}

static int is_object(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 3 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 3, ".so");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);      /* whatever the locale */
}

int loader_scan(const char *dir, void (*fn)(const char *path, void *arg), void *arg, char *why,
                uint32_t n)
{
    struct dirent **e;
    int count = scandir(dir, &e, is_object, by_name);

    if (count < 0) {
        snprintf(why, n, "%s: the plugin folder cannot be read: %s", dir, strerror(errno));
        return EC_ENOENT;
    }
    for (int i = 0; i < count; i++) {
        char *path;

        if (asprintf(&path, "%s/%s", dir, e[i]->d_name) >= 0) {
            fn(path, arg);
            free(path);
        }
        free(e[i]);
    }
    free(e);
    return EC_OK;
}

static bool trusts_one(const char *path, const char *what, char *why, uint32_t n)
{
    struct stat st;

    if (stat(path, &st)) {
        snprintf(why, n, "it cannot be read: %s", strerror(errno));
        return false;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        snprintf(why, n,
                 "%s belongs to user %u, and neither to root nor to the user that runs the daemon; "
                 "chown root %s",
                 what, (unsigned)st.st_uid, path);
        return false;
    }
    if ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && st.st_gid != 0)) {
        snprintf(why, n, "others can write to %s (mode %04o); chmod go-w %s", what,
                 (unsigned)(st.st_mode & 07777), path);
        return false;
    }
    return true;
}

static bool trusts_folder(const char *path, const char *what, char *why, uint32_t n)
{
    const char *slash = strrchr(path, '/');
    char *dir =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    bool ok = dir && trusts_one(dir, what, why, n);

    free(dir);
    return ok;
}

/* Where the file is a link, its target could be replaced by whoever may write where that stands. */
bool loader_trusts(const char *path, char *why, uint32_t n)
{
    char *target;
    bool ok;

    if (!trusts_folder(path, "its folder", why, n) || !trusts_one(path, "it", why, n))
        return false;
    target = realpath(path, NULL);
    ok = target && trusts_folder(target, "the folder that it links to", why, n);
    if (!target)
        snprintf(why, n, "it cannot be read: %s", strerror(errno));
    free(target);
    return ok;
}

/* A copy of n elements at our own stride; what the author's element lacks is zero. NULL: out of
 * memory. */
static void *table_copy(const void *from, uint32_t n, uint32_t from_stride, uint32_t to_stride)
{
    uint8_t *to = calloc(n ? n : 1, to_stride);
    uint32_t len = from_stride < to_stride ? from_stride : to_stride;

    for (uint32_t i = 0; to && i < n; i++)
        memcpy(to + (size_t)i * to_stride, (const uint8_t *)from + (size_t)i * from_stride, len);
    return to;
}

static int table_check(struct instance *i, const char *what, const char *name, const void *p,
                       uint32_t n, uint32_t stride, uint32_t least)
{
    if (!n)
        return EC_OK;
    if (!p)
        return refuse(i, "%s: refused: it announces %u %s and its table is NULL; " REBUILD, what, n,
                      name);
    if (n > TABLE_MAX)
        return refuse(i, "%s: refused: it announces %u %s, at most %d are taken; " REBUILD, what, n,
                      name, TABLE_MAX);
    if (stride < least || stride % 4)
        return refuse(
            i, "%s: refused: its table of %s has a stride of %u bytes, level 1 has %u; " REBUILD,
            what, name, stride, least);
    return EC_OK;
}

static int versions_check(struct instance *i, const struct ec_plugin *p, const char *what)
{
    if (p->abi_major != EC_ABI_MAJOR)
        return refuse(i,
                      "%s: refused: built for ABI %u, this daemon speaks ABI %d level %d; " REBUILD,
                      what, p->abi_major, EC_ABI_MAJOR, EC_API_LEVEL);
    if (p->api_level < 1)
        return refuse(
            i,
            "%s: refused: it states API level 0, this daemon speaks ABI %d level 1 to %d; define "
            "EC_API_LEVEL and " REBUILD,
            what, EC_ABI_MAJOR, EC_API_LEVEL);
    if (p->api_level > EC_API_LEVEL)
        return refuse(i,
                      "%s: refused: built for ABI %u level %u, this daemon speaks ABI %d level %d; "
                      "update the daemon, or " REBUILD,
                      what, p->abi_major, p->api_level, EC_ABI_MAJOR, EC_API_LEVEL);
    if (p->size < LEVEL1(struct ec_plugin, destroy))
        return refuse(
            i, "%s: refused: its descriptor has %u bytes, that of ABI %d level 1 has %u; " REBUILD,
            what, p->size, EC_ABI_MAJOR, LEVEL1(struct ec_plugin, destroy));
    return EC_OK;
}

static int names_check(struct instance *i, const char *what)
{
    const struct ec_plugin *d = &i->d;
    size_t n = d->id ? strnlen(d->id, 129) : 0;

    if (!n || n > 128 ||
        strspn(d->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != n)
        return refuse(i,
                      "%s: refused: its id '%.64s' is not like org.example.hello; give it one that "
                      "is unique in the world",
                      what, d->id ? d->id : "");
    if (!record_name_ok(d->name) || !strcmp(d->name, "core"))
        return refuse(i,
                      "%s: refused: its name '%.64s' is not [a-z][a-z0-9_]{0,31}, or is 'core'; "
                      "give it another",
                      what, d->name ? d->name : "");
    return EC_OK;
}

static int tables_check(struct instance *i, const char *what)
{
    const struct ec_plugin *d = &i->d;
    char why[512];
    int rc;

    if ((rc = table_check(i, what, "uses", d->use, d->n_use, d->use_stride,
                          LEVEL1(struct ec_use, id))) ||
        (rc = table_check(i, what, "offers", d->offer, d->n_offer, d->offer_stride,
                          LEVEL1(struct ec_offer, vtable))) ||
        (rc = table_check(i, what, "metrics", d->metric, d->n_metric, d->metric_stride,
                          LEVEL1(struct ec_metric, help))))
        return rc;
    if (d->options && record_check(d->options, RECORD_OPTIONS, why, sizeof why))
        return refuse(i, "%s: refused: its options: %s; correct it, and " REBUILD, what, why);
    return EC_OK;
}

static int elements_check(struct instance *i, const char *what)
{
    const struct ec_plugin *d = &i->d;

    for (uint32_t k = 0; k < d->n_use; k++)
        if (!d->use[k].id || !*d->use[k].id || !(d->use[k].flags & (EC_USE_SETUP | EC_USE_RUN)))
            return refuse(
                i, "%s: refused: its use %u has no id, or is neither SETUP nor RUN; correct it",
                what, k);
    for (uint32_t k = 0; k < d->n_offer; k++)
        if (!d->offer[k].id || !*d->offer[k].id || !d->offer[k].vtable)
            return refuse(i,
                          "%s: refused: its offer %u ('%.64s') has no id or no table of functions; "
                          "correct it",
                          what, k, d->offer[k].id ? d->offer[k].id : "");
    for (uint32_t k = 0; k < d->n_metric; k++)
        if (!d->metric[k].name || !*d->metric[k].name ||
            (d->metric[k].kind != EC_METRIC_COUNTER && d->metric[k].kind != EC_METRIC_GAUGE))
            return refuse(i,
                          "%s: refused: its metric %u has no name, or is neither a counter nor a "
                          "gauge; correct it",
                          what, k);
    return EC_OK;
}

static int tables_copy(struct instance *i, const char *what)
{
    struct ec_plugin *d = &i->d;
    void *use = table_copy(d->use, d->n_use, d->use_stride, sizeof *d->use);
    void *offer = table_copy(d->offer, d->n_offer, d->offer_stride, sizeof *d->offer);
    void *metric = table_copy(d->metric, d->n_metric, d->metric_stride, sizeof *d->metric);

    d->use = use;
    d->offer = offer;
    d->metric = metric;
    d->use_stride = sizeof *d->use;
    d->offer_stride = sizeof *d->offer;
    d->metric_stride = sizeof *d->metric;
    if (use && offer && metric)
        return EC_OK;
    loader_forget(i);
    refuse(i, "%s: refused: out of memory", what);
    return EC_ENOMEM;
}

int loader_agree(struct instance *i, const struct ec_plugin *p, const char *what)
{
    const char *stem = i->d.name;
    int rc;

    if (!p)
        return refuse(i, "%s: refused: its entry gave no descriptor; correct it, and " REBUILD,
                      what);
    if ((rc = versions_check(i, p, what)))
        return rc;
    memset(&i->d, 0, sizeof i->d);
    memcpy(&i->d, p, p->size < sizeof i->d ? p->size : sizeof i->d);
    i->d.size = p->size < sizeof i->d ? p->size : sizeof i->d;
    if (!(rc = names_check(i, what)) && !(rc = tables_check(i, what)) &&
        !(rc = tables_copy(i, what)) && (rc = elements_check(i, what)))
        loader_forget(i);
    if (rc)
        i->d = (struct ec_plugin){ .name = stem, .id = "", .version = "" };
    if (!i->d.version)
        i->d.version = "";
    return rc;
}

void loader_forget(struct instance *i)
{
    free((void *)(uintptr_t)i->d.use);
    free((void *)(uintptr_t)i->d.offer);
    free((void *)(uintptr_t)i->d.metric);
    i->d.use = NULL;
    i->d.offer = NULL;
    i->d.metric = NULL;
    i->d.n_use = i->d.n_offer = i->d.n_metric = 0;
}

/* It lacks our entry: has it one of another major? */
static int refuse_symbol(struct instance *i, void *object)
{
    char name[32];

    for (int major = MAJOR_MAX; major >= 0; major--) {
        snprintf(name, sizeof name, "ec_plugin_entry_%d", major);
        if (dlsym(object, name))
            return refuse(
                i, "%s: refused: built for ABI %d, this daemon speaks ABI %d level %d; " REBUILD,
                i->path, major, EC_ABI_MAJOR, EC_API_LEVEL);
    }
    return refuse(i,
                  "%s: refused: it has no symbol " EC_ENTRY_SYMBOL
                  ", so it is no plugin for ABI %d level %d; remove it, or " REBUILD,
                  i->path, EC_ABI_MAJOR, EC_API_LEVEL);
}

int loader_open(struct instance *i)
{
    const struct ec_plugin *(*entry)(void), *p;
    struct ec_mark old;
    char why[768];
    void *object;

    if (!loader_trusts(i->path, why, sizeof why))
        return refuse(i, "%s: refused: %s", i->path, why);
    old = mark_enter(i->d.name, "load");            /* its constructors run here */
    deadline_begin();
    object = dlopen(i->path, RTLD_NOW | RTLD_LOCAL);
    deadline_end();
    mark_leave(old);
    if (!object)
        return refuse(i, "%s: refused: it cannot be loaded: %.600s", i->path, dlerror());
    *(void **)&entry = dlsym(object, EC_ENTRY_SYMBOL);
    if (!entry)
        return refuse_symbol(i, object);
    old = mark_enter(i->d.name, "entry");
    deadline_begin();
    p = entry();
    deadline_end();
    mark_leave(old);
    return loader_agree(i, p, i->path);
}
