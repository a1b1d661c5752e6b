/* The list of runs, and their folders. */
#include "plugins/replay/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The job was cancelled, or leaves the list; the runner does what is to be done. */
static void mark(struct replay *k, uint64_t id, bool forgotten)
{
    pthread_mutex_lock(&k->lock);
    for (struct run *r = k->first; r; r = r->next)
        if (r->id == id) {
            r->cancelled = true;
            r->forgotten |= forgotten;
        }
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
}

static void on_cancel(void *arg, uint64_t id) { mark(arg, id, false); }
static void on_forget(void *arg, uint64_t id) { mark(arg, id, true); }

/* Locked. Bytes of captures and events that are kept. */
static uint64_t held(const struct replay *k)
{
    uint64_t n = 0;

    for (const struct run *r = k->first; r; r = r->next)
        n += (r->capture >= 0 ? r->length : 0) + r->kept;
    return n;
}

/* Locked. Of the oldest that is over: its capture goes, or else its events. false: there is none. */
static bool let_go(struct replay *k)
{
    char path[4200];
    size_t n;

    for (struct run *r = k->first; r; r = r->next)
        if (r->state == RUN_OVER && r->capture >= 0) {
            close(r->capture);
            r->capture = -1;
            return true;
        }
    for (struct run *r = k->first; r; r = r->next)
        if (r->state == RUN_OVER && r->kept) {
            run_folder(k, r->id, path, sizeof path);
            n = strlen(path);
            snprintf(path + n, sizeof path - n, "/events.json");
            unlink(path);
            r->kept = 0;
            return true;
        }
    return false;
}

void runs_trim(struct replay *k, uint64_t more)
{
    pthread_mutex_lock(&k->lock);
    while (held(k) + more > k->o.keep && let_go(k))
        continue;
    pthread_mutex_unlock(&k->lock);
}

static struct run *run_new(int capture, uint64_t length, char *rules)
{
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->capture = capture;
    r->length = length;
    r->rules = rules;
    return r;
}

/* Into the list, at its end. false: there is no room for its bytes. */
static bool append(struct replay *k, struct run *r)
{
    struct run **at = &k->first;
    bool fits;

    runs_trim(k, r->length);
    pthread_mutex_lock(&k->lock);
    fits = held(k) + r->length <= k->o.keep;
    while (*at)
        at = &(*at)->next;
    if (fits)
        *at = r;
    pthread_mutex_unlock(&k->lock);
    return fits;
}

static void run_free(struct run *r)
{
    if (r->capture >= 0)
        close(r->capture);
    free(r->rules);
    free(r);
}

/* Not in the list any more. */
static void withdraw(struct replay *k, struct run *r)
{
    pthread_mutex_lock(&k->lock);
    for (struct run **at = &k->first; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    pthread_mutex_unlock(&k->lock);
    run_free(r);
}

static int32_t add(struct replay *k, const struct ec_job *job, struct run *r, uint64_t *id, char *why, size_t n)
{
    int32_t err;

    if (!append(k, r)) {
        run_free(r);
        snprintf(why, n, "the captures that wait have, with this one, more than %" PRIu64 " bytes (replay.keep): try "
                         "again later", k->o.keep);
        return EC_ELIMIT;
    }
    if ((err = k->jobs->create(k->jobs_self, job, id))) {
        withdraw(k, r);
        snprintf(why, n, err == EC_ELIMIT ? "too many jobs wait or run (jobs.most): try again later" : "out of memory");
        return err;
    }
    pthread_mutex_lock(&k->lock);
    r->id = *id;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
    return EC_OK;
}

static int32_t begin(struct replay *k, const char *kind, const char *by, struct run *r, uint64_t *id, char *why,
                     size_t n)
{
    struct ec_job job = { .size = sizeof job, .kind = kind, .by = by, .cancel = on_cancel, .forget = on_forget,
                          .arg = k };

    return add(k, &job, r, id, why, n);
}

int32_t run_add(struct replay *k, const char *kind, const char *by, int capture, uint64_t length, char *rules,
                uint64_t *id, char *why, size_t n)
{
    struct run *r = run_new(capture, length, rules);

    if (r)
        return begin(k, kind, by, r, id, why, n);
    close(capture);
    free(rules);
    snprintf(why, n, "out of memory");
    return EC_ENOMEM;
}

int32_t run_keep(struct replay *k, const char *by, int capture, uint64_t length, uint64_t *id, char *why, size_t n)
{
    struct run *r = run_new(capture, length, NULL);
    int32_t err;

    if (!r) {
        close(capture);
        snprintf(why, n, "out of memory");
        return EC_ENOMEM;
    }
    r->state = RUN_OVER;
    err = begin(k, "packets.upload", by, r, id, why, n);
    if (!err)
        k->jobs->finish(k->jobs_self, *id, NULL);
    return err;
}

int run_capture(struct replay *k, uint64_t id, uint64_t *length)
{
    int fd = -1;

    pthread_mutex_lock(&k->lock);
    for (const struct run *r = k->first; r; r = r->next)
        if (r->id == id && r->capture >= 0) {
            fd = fcntl(r->capture, F_DUPFD_CLOEXEC, 10);
            *length = r->length;
        }
    pthread_mutex_unlock(&k->lock);
    return fd;
}

void runs_free(struct replay *k)
{
    for (struct run *r = k->first, *next; r; r = next) {
        next = r->next;
        run_free(r);
    }
    k->first = NULL;
}

/* --- folders ------------------------------------------------------------------------------------------------------ */

void run_folder(const struct replay *k, uint64_t id, char *to, size_t n)
{
    const char *state = k->host->state_dir(k->host);

    snprintf(to, n, "%s/%" PRIu64, state ? state : "", id);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path), 0;
}

void folder_clear(const char *folder, bool all)
{
    char from[4300], to[4300];

    snprintf(from, sizeof from, "%s/state/eve/events.json", folder);
    snprintf(to, sizeof to, "%s/events.json", folder);
    if (all || rename(from, to))
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (all)
        return;
    snprintf(from, sizeof from, "%s/state", folder);
    nftw(from, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    for (const char *const *name = (const char *const[]){ "replay.yaml", "rules", "log", NULL }; *name; name++) {
        snprintf(from, sizeof from, "%s/%s", folder, *name);
        unlink(from);
    }
}
