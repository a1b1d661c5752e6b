#include "plugins/ids/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_DEFAULT ECYBER_CONFDIR "/rules/ecyber.rules"

bool files_exist(const char *path)
{
    /* access() forgets the capabilities of who is not root */
    return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

static int files_add(const struct ec_host *h, struct files *f, const char *path)
{
    char **p;

    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->path[i], path))
            return EC_OK;
    p = reallocarray(f->path, f->n + 1, sizeof *p);
    if (!p)
        return h->fail(h, EC_ENOMEM, "out of memory");
    f->path = p;
    p[f->n] = strdup(path);
    if (!p[f->n])
        return h->fail(h, EC_ENOMEM, "out of memory");
    f->n++;
    return EC_OK;
}

static const char *files_where(const struct ec_host *h, const struct ec_conf *c, const char *name, uint32_t i)
{
    const char *where = h->conf_where(c, name, i);

    return where ? where : "the configuration";
}

static int files_pattern(const struct ec_host *h, struct files *f, const char *pattern, const char *where)
{
    glob_t g;
    int rc = EC_OK, err = glob(pattern, GLOB_ERR, NULL, &g);

    if (err == GLOB_NOMATCH)
        return ec_failf(h, EC_EINVAL, "%s: no file matches %s", where, pattern);
    if (err)
        return ec_failf(h, EC_EINVAL, "%s: %s cannot be searched: %s", where, pattern,
                        err == GLOB_NOSPACE ? "out of memory" : strerror(errno));
    for (size_t i = 0; !rc && i < g.gl_pathc; i++)
        rc = files_add(h, f, g.gl_pathv[i]);
    globfree(&g);
    return rc;
}

static int files_folder(const struct ec_host *h, const struct ec_conf *c, struct files *f, const char *dir)
{
    const char *where = files_where(h, c, "rules_dir", 0);
    char pattern[4200];
    struct stat st;

    if (stat(dir, &st) || !S_ISDIR(st.st_mode))
        return ec_failf(h, EC_EINVAL, "%s: %s is no folder", where, dir);
    snprintf(pattern, sizeof pattern, "%s/*.rules", dir);
    return files_pattern(h, f, pattern, where);
}

int files_find(const struct ec_host *h, const struct ec_conf *c, struct files *f)
{
    const char *dir = h->conf_text(c, "rules_dir", 0);
    uint32_t n = h->conf_count(c, "rule_files");
    int rc = EC_OK;

    if (!n && !dir)
        return files_exist(FILES_DEFAULT) ? files_add(h, f, FILES_DEFAULT) : EC_OK;
    for (uint32_t i = 0; !rc && i < n; i++) {
        const char *path = h->conf_text(c, "rule_files", i), *where = files_where(h, c, "rule_files", i);

        if (strpbrk(path, "*?["))
            rc = files_pattern(h, f, path, where);
        else if (!files_exist(path))
            rc = ec_failf(h, EC_EINVAL, "%s: %s: %s", where, path, strerror(errno));
        else
            rc = files_add(h, f, path);
    }
    return !rc && dir ? files_folder(h, c, f, dir) : rc;
}

int files_find_own(const struct ec_host *h, struct files *f, const char *folder)
{
    const char *state = h->state_dir(h);
    char *pattern;
    glob_t g;
    int rc = EC_OK;

    if (!state)
        return EC_OK;                       /* a check, or a run that keeps nothing */
    if (asprintf(&pattern, "%s/%s/*.rules", state, folder) < 0)
        return h->fail(h, EC_ENOMEM, "out of memory");
    if (!glob(pattern, 0, NULL, &g)) {
        for (size_t i = 0; !rc && i < g.gl_pathc; i++)
            rc = files_add(h, f, g.gl_pathv[i]);
        globfree(&g);
    }
    free(pattern);
    return rc;
}

void files_free(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->path[i]);
    free(f->path);
    f->path = NULL;
    f->n = 0;
}
