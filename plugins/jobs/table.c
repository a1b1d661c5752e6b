#include "plugins/jobs/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept { struct job shown; struct ec_job asked; };
struct table {
    pthread_mutex_t lock;
    uint64_t next;
    uint32_t keep, most, n, open;   /* n in the list, oldest first; open: of them that are not over */
    struct kept **all;
    uint64_t (*now)(void *arg);
    void *arg;
};

static bool over(const struct kept *k) { return k->shown.state >= JOB_DONE; }

struct table *table_new(uint64_t first, uint32_t keep, uint32_t most, uint64_t (*now)(void *arg), void *arg)
{
    struct table *t = calloc(1, sizeof *t);

    if (!t || !(t->all = calloc(keep, sizeof(struct kept *)))) {
        free(t);
        return NULL;
    }
    pthread_mutex_init(&t->lock, NULL);
    t->next = first ? first : 1;
    t->keep = keep;
    t->most = most < keep ? most : keep;
    t->now = now;
    t->arg = arg;
    return t;
}

static void kept_free(struct kept *k)
{
    free(k->shown.result);
    free(k);
}

/* It has left the list; NULL: nothing. */
static void drop(struct kept *k)
{
    if (!k)
        return;
    if (k->asked.forget)
        k->asked.forget(k->asked.arg, k->shown.id);
    kept_free(k);
}

void table_free(struct table *t)
{
    for (uint32_t i = 0; t && i < t->n; i++)
        kept_free(t->all[i]);
    if (t) {
        pthread_mutex_destroy(&t->lock);
        free(t->all);
    }
    free(t);
}

/* Locked. */
static struct kept *take(struct table *t, uint32_t i)
{
    struct kept *k = t->all[i];

    memmove(&t->all[i], &t->all[i + 1], (t->n - i - 1) * sizeof(struct kept *));
    t->n--;
    return k;
}

/* Locked. Ids ascend. */
static struct kept *find(const struct table *t, uint64_t id, uint32_t *at)
{
    uint32_t low = 0, high = t->n;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (t->all[mid]->shown.id < id)
            low = mid + 1;
        else
            high = mid;
    }
    if (at)
        *at = low;
    return low < t->n && t->all[low]->shown.id == id ? t->all[low] : NULL;
}

/* Locked. Room for one more: the oldest that is over goes. */
static struct kept *make_room(struct table *t)
{
    if (t->n < t->keep)
        return NULL;
    for (uint32_t i = 0; i < t->n; i++)
        if (over(t->all[i]))
            return take(t, i);
    return NULL;
}

static bool kind_is_good(const char *kind)
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789._";

    return kind && kind[0] >= 'a' && kind[0] <= 'z' && strlen(kind) <= 32 && !kind[strspn(kind, may)];
}

int32_t table_create(struct table *t, const struct ec_job *j, uint64_t *id)
{
    struct kept *k, *old = NULL;
    int32_t err = EC_OK;

    if (!kind_is_good(j->kind))
        return EC_EINVAL;
    if (!(k = calloc(1, sizeof *k)))
        return EC_ENOMEM;
    k->asked = *j;
    snprintf(k->shown.kind, sizeof k->shown.kind, "%s", j->kind);
    snprintf(k->shown.by, sizeof k->shown.by, "%s", j->by ? j->by : "");
    pthread_mutex_lock(&t->lock);
    if (t->open >= t->most) {
        err = EC_ELIMIT;
    } else {
        old = make_room(t);
        *id = k->shown.id = t->next++;
        k->shown.created_ns = t->now(t->arg);
        t->all[t->n++] = k;
        t->open++;
    }
    pthread_mutex_unlock(&t->lock);
    if (err)
        free(k);
    drop(old);
    return err;
}

int32_t table_progress(struct table *t, uint64_t id, uint32_t percent)
{
    int32_t err = EC_OK;
    struct kept *k;

    pthread_mutex_lock(&t->lock);
    k = find(t, id, NULL);
    if (!k || over(k)) {
        err = k ? EC_EEND : EC_ENOENT;
    } else {
        if (k->shown.state == JOB_QUEUED) {
            k->shown.state = JOB_RUNNING;
            k->shown.started_ns = t->now(t->arg);
        }
        if (percent > k->shown.progress)
            k->shown.progress = percent < 100 ? percent : 100;
    }
    pthread_mutex_unlock(&t->lock);
    return err;
}

/* Locked. */
static void end(struct table *t, struct kept *k, enum job_state state)
{
    k->shown.state = state;
    k->shown.ended_ns = t->now(t->arg);
    t->open--;
}

int32_t table_end(struct table *t, uint64_t id, enum job_state state, const char *why, const char *result)
{
    char *copy = result && strlen(result) < TABLE_RESULT ? strdup(result) : NULL;
    int32_t err = EC_OK;
    struct kept *k;

    pthread_mutex_lock(&t->lock);
    k = find(t, id, NULL);
    if (!k || over(k)) {
        err = k ? EC_EEND : EC_ENOENT;
    } else {
        end(t, k, state);
        if (state == JOB_DONE)
            k->shown.progress = 100;
        snprintf(k->shown.error, sizeof k->shown.error, "%s", why ? why : "");
        k->shown.result = copy;
        copy = NULL;
    }
    pthread_mutex_unlock(&t->lock);
    free(copy);
    return err;
}

int32_t table_cancel(struct table *t, uint64_t id)
{
    void (*cancel)(void *arg, uint64_t id) = NULL;
    int32_t err = EC_OK;
    void *arg = NULL;
    struct kept *k;

    pthread_mutex_lock(&t->lock);
    k = find(t, id, NULL);
    if (!k || over(k)) {
        err = k ? EC_EEND : EC_ENOENT;
    } else {
        end(t, k, JOB_CANCELLED);
        cancel = k->asked.cancel;
        arg = k->asked.arg;
    }
    pthread_mutex_unlock(&t->lock);
    if (cancel)
        cancel(arg, id);
    return err;
}

int32_t table_remove(struct table *t, uint64_t id)
{
    struct kept *k, *gone = NULL;
    int32_t err = EC_OK;
    uint32_t at;

    pthread_mutex_lock(&t->lock);
    k = find(t, id, &at);
    if (!k || !over(k))
        err = k ? EC_EAGAIN : EC_ENOENT;
    else
        gone = take(t, at);
    pthread_mutex_unlock(&t->lock);
    drop(gone);
    return err;
}

/* Locked. */
static void copy(struct job *to, const struct kept *k)
{
    *to = k->shown;
    to->result = k->shown.result ? strdup(k->shown.result) : NULL;
}

bool table_get(struct table *t, uint64_t id, struct job *to)
{
    struct kept *k;

    pthread_mutex_lock(&t->lock);
    if ((k = find(t, id, NULL)))
        copy(to, k);
    pthread_mutex_unlock(&t->lock);
    return k;
}

uint32_t table_list(struct table *t, uint64_t before, uint32_t states, const char *kind, uint32_t limit, struct job *to,
                    bool *more)
{
    uint32_t n = 0, i;

    *more = false;
    pthread_mutex_lock(&t->lock);
    i = t->n;
    if (before)
        find(t, before, &i);
    while (i-- && !*more) {
        const struct job *j = &t->all[i]->shown;

        if ((states && !(states >> j->state & 1)) || (kind && strcmp(kind, j->kind) != 0))
            continue;
        if (n == limit)
            *more = true;
        else
            copy(&to[n++], t->all[i]);
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}
