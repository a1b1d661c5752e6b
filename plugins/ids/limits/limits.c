#include "plugins/ids/limits/limits.h"

#include "plugins/ids/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT "limits.conf"
#define KEPT_MAX (16u << 20)

struct limits *limits_new(const struct ec_host *h)
{
    struct limits *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->host = h;
    l->last = &l->first;
    for (unsigned i = 0; i < TUNE_KINDS; i++)
        l->side[i] = (struct limits_side){ l, (enum tune_kind)i };
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    limits_drop_changes(l);
    tuning_release(l->now);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static char *take(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    char *text = NULL;
    ssize_t n = 0;

    *len = 0;
    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= KEPT_MAX)
        text = malloc((size_t)st.st_size + 1);
    while (text && *len < (size_t)st.st_size && (n = read(fd, text + *len, (size_t)st.st_size - *len)) > 0)
        *len += (size_t)n;
    close(fd);
    return text;
}

/* Locked, once. What is damaged is kept for whoever wants to look, and nothing of it holds. */
static void read_kept(struct limits *l)
{
    const char *dir = l->host->state_dir(l->host);
    char path[4096], aside[4096 + 8], why[300];
    size_t len;
    char *text;

    l->now = NULL;
    if (dir && snprintf(path, sizeof path, "%s/" KEPT, dir) < (int)sizeof path && !access(path, F_OK)) {
        text = take(path, &len);
        if (text)
            l->now = tuning_read(text, len, why, sizeof why);
        else
            snprintf(why, sizeof why, "it cannot be read: %s", strerror(errno));
        free(text);
        snprintf(aside, sizeof aside, "%s.bad", path);
        if (!l->now)
            ec_logf(l->host, EC_LOG_ERROR, NULL, "%s: %s; it is kept as " KEPT ".bad, and none of its suppressions and "
                    "thresholds are in force", path, why);
        if (!l->now && rename(path, aside))
            ec_logf(l->host, EC_LOG_ERROR, NULL, "%s cannot be renamed: %s", path, strerror(errno));
    }
    if (!l->now)
        l->now = tuning_new();
}

struct telling { struct limits *l; uint32_t n; };

static void tell_wrong(void *arg, const char *sentence)
{
    struct telling *t = arg;

    t->n++;
    EC_LOG(t->l->host, EC_LOG_ERROR, "%s", sentence);
}

struct tuning *limits_current(struct limits *l, const struct ec_conf *c, uint32_t *errors)
{
    const char *path = l->host->conf_text(c, "threshold_file", 0), *where;
    struct telling told = { l, 0 };
    struct tuning *file, *all = NULL;
    char why[4400];

    where = path ? l->host->conf_where(c, "threshold_file", 0) : NULL;
    file = path ? tuning_file(path, tell_wrong, &told, why, sizeof why) : tuning_new();
    *errors = told.n;
    if (!file) {
        ec_failf(l->host, EC_EINVAL, "%s%s%s", where ? where : "", where ? ": " : "", path ? why : "out of memory");
        return NULL;
    }
    pthread_mutex_lock(&l->lock);
    if (!l->now)
        read_kept(l);
    if (l->now)
        all = tuning_join(l->now, file);
    pthread_mutex_unlock(&l->lock);
    tuning_release(file);
    if (!all)
        l->host->fail(l->host, EC_ENOMEM, "out of memory");
    return all;
}

const char *limits_file(const struct limits *l, const void *state)
{
    const struct ids_state *st = state;

    return l->host->conf_text(st->conf, "threshold_file", 0);
}
