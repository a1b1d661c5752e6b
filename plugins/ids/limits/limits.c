#include "plugins/ids/limits/limits.h"

#include "plugins/ids/limits/keep.h"
#include "plugins/ids/state.h"

#include <stdlib.h>

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
    tuning_release(l->now);
    tuning_release(l->file);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Locked, once. */
static void read_kept(struct limits *l)
{
    const char *dir = l->host->state_dir(l->host);
    enum limits_found found = LIMITS_FINE;
    char why[700] = "";

    l->now = dir ? limits_keep_read(dir, &found, why, sizeof why) : tuning_new();
    if (found == LIMITS_NEWER)
        l->shut = "a newer eCyber wrote " LIMITS_NAME ": this one does not change it";
    else if (found == LIMITS_UNREAD)
        l->shut = LIMITS_NAME " could not be read at the start, see the log: mend that and start the daemon again";
    if (found != LIMITS_FINE)
        ec_logf(l->host, EC_LOG_ERROR, NULL, "suppressions and thresholds of the API: %s; none are in force%s", why,
                l->shut ? ", and none can be changed" : "");
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
    if (l->file)
        tuning_carry(file, l->file);
    tuning_release(l->file);
    l->file = file;
    if (l->now)
        all = tuning_join(l->now, file);
    pthread_mutex_unlock(&l->lock);
    if (!all)
        l->host->fail(l->host, EC_ENOMEM, "out of memory");
    return all;
}

const char *limits_file(const struct limits *l, const void *state)
{
    const struct ids_state *st = state;

    return l->host->conf_text(st->conf, "threshold_file", 0);
}
