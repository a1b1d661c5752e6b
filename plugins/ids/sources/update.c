/* One update: fetched, unpacked, judged, put in its place, in force; or the rules of before stay. */
#include "plugins/ids/sources/sources.h"

#include "plugins/ids/files.h"
#include "plugins/ids/kept.h"
#include "plugins/ids/sources/checksum.h"
#include "plugins/ids/sources/unpack.h"

#include "lib/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum outcome { OUTCOME_FAILED, OUTCOME_UNCHANGED, OUTCOME_DRY, OUTCOME_UPDATED };

struct run {
    struct sources *s;
    const struct update *u;
    struct source e;                /* as it was when the update began; what came of it is added */
    char path[4200], old[4200];
    struct unpacked fresh;
    struct looked found;
    char why[SOURCE_WHY];
};

__attribute__((format(printf, 2, 3)))
static enum outcome failed(struct run *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    return OUTCOME_FAILED;
}

static bool stop(void *arg)
{
    struct sources *s = arg;
    bool over;

    pthread_mutex_lock(&s->lock);
    over = s->stopping || s->cancelled;
    pthread_mutex_unlock(&s->lock);
    return over;
}

static void progress(const struct run *r, uint32_t percent)
{
    if (r->u->job)
        r->s->jobs->progress(r->s->jobs_self, r->u->job, percent);
}

static enum fetch_result get(struct run *r, const char *url, size_t max, bool same, struct fetched *to, char *why,
                             size_t n)
{
    const struct sources_config *c = &r->s->c;
    char agent[64];
    struct fetch f = { .url = url, .agent = agent, .ca_file = c->ca_file, .tag = same ? r->e.tag : "",
                       .modified = same ? r->e.modified : "", .max = max, .timeout_ms = c->timeout_ms,
                       .plain = c->plain, .guard = &c->guard, .stop = stop, .arg = r->s };

    snprintf(agent, sizeof agent, "eCyber/%s", r->s->host->version);
    return fetch(&f, to, why, n);
}

/* Is what came what its checksum says? True, or r->why says why not. */
static bool is_whole(struct run *r, const struct fetched *came)
{
    struct fetched sum;
    char why[300];
    bool good;

    if (!*r->e.checksum_url)
        return true;
    if (get(r, r->e.checksum_url, 65536, false, &sum, why, sizeof why) != FETCH_DONE) {
        failed(r, "the checksum cannot be fetched: %.250s", why);
        return false;
    }
    good = checksum_holds(sum.data, sum.n, came->data, came->n, why, sizeof why);
    free(sum.data);
    if (!good)
        failed(r, "%s", why);
    return good;
}

/* OUTCOME_UPDATED: there is something new in r->fresh. */
static enum outcome fetch_rules(struct run *r)
{
    struct fetched came;
    char why[300];
    enum outcome o = OUTCOME_FAILED;

    switch (get(r, r->e.url, r->s->c.download, !access(r->path, R_OK), &came, why, sizeof why)) {
    case FETCH_SAME: return OUTCOME_UNCHANGED;
    case FETCH_FAILED: return failed(r, "%s", why);
    case FETCH_DONE: break;
    }
    progress(r, 40);
    if (is_whole(r, &came)) {
        if (unpack(came.data, came.n, r->s->c.rules, &r->fresh, why, sizeof why))
            failed(r, "%s", why);
        else
            o = OUTCOME_UPDATED;
        digest_text(came.data, came.n, r->e.digest);
        r->e.bytes = came.n;
        snprintf(r->e.tag, sizeof r->e.tag, "%s", came.tag);
        snprintf(r->e.modified, sizeof r->e.modified, "%s", came.modified);
    }
    free(came.data);
    progress(r, 50);
    return o;
}

/* Beside what is there; without a single rule it is none. */
static enum outcome judge(struct run *r)
{
    size_t n;
    char *now = kept_read(AT_FDCWD, r->path, SIZE_MAX >> 1, &n), why[300];
    bool same = now && n == r->fresh.n && !memcmp(now, r->fresh.text, n);
    bool good = sources_look(r->s, r->fresh.text, r->fresh.n, now, n, &r->found, why, sizeof why);

    free(now);
    if (!good)
        return failed(r, "%s", why);
    r->e.rules = r->found.rules;
    r->e.failed = r->found.failed;
    if (!r->found.rules && !r->found.disabled)
        return failed(r, "there is no rule in it%s%s", r->found.n_problem ? "; the first line that is none: " : "",
                      r->found.n_problem ? r->found.problem[0] : "");
    return same ? OUTCOME_UNCHANGED : r->u->dry ? OUTCOME_DRY : OUTCOME_UPDATED;
}

/* [pool] */
static void on_reloaded(void *arg, const void *state, uint64_t id, bool ok, const char *why)
{
    struct sources *s = arg;

    (void)state;
    pthread_mutex_lock(&s->lock);
    if (s->reload.id == id) {
        s->reload.ended = true;
        s->reload.ok = ok;
        snprintf(s->reload.why, sizeof s->reload.why, "%s", why ? why : "");
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

/* False: it was refused. The daemon that ends meanwhile has the rules at its next start. */
static bool reload(struct run *r)
{
    struct sources *s = r->s;
    bool ok = false;

    pthread_mutex_lock(&s->lock);
    s->reload.ended = false;
    if (reloads_ask(s->reloads, *r->u->by ? r->u->by : "ids.sources", on_reloaded, s, &s->reload.id)) {
        failed(r, "the daemon takes no reload at the moment");
    } else {
        while (!s->reload.ended && !s->stopping)
            pthread_cond_wait(&s->changed, &s->lock);
        ok = !s->reload.ended || s->reload.ok;
        if (!ok)
            failed(r, "%s", s->reload.why);
    }
    s->reload.id = 0;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* In its place and in force. */
static enum outcome install(struct run *r)
{
    bool first = access(r->path, F_OK) != 0;

    if (sources_replace(r->path, r->old, r->fresh.text, r->fresh.n))
        return failed(r, "%s cannot be written: %s", r->path, strerror(errno));
    progress(r, 70);
    if (!r->e.enabled || reload(r)) {
        unlink(r->old);
        return OUTCOME_UPDATED;
    }
    if (first ? unlink(r->path) : rename(r->old, r->path))
        EC_LOG(r->s->host, EC_LOG_ERROR,
               "%s cannot be put back: %s; at the next start it holds rules that a reload refused", r->path,
               strerror(errno));
    return OUTCOME_FAILED;
}

/* What people see of it afterwards. */
static void keep(struct run *r, enum outcome o)
{
    struct sources *s = r->s;
    struct source *e;

    pthread_mutex_lock(&s->lock);
    if ((e = list_find(s->list, r->u->id))) {
        e->looked_ns = s->host->now(s->host);
        snprintf(e->why, sizeof e->why, "%s", o == OUTCOME_FAILED ? r->why : "");
        if (o == OUTCOME_UPDATED)
            e->updated_ns = e->looked_ns;
        if (o != OUTCOME_FAILED) {
            e->bytes = r->e.bytes;
            e->rules = r->e.rules;
            e->failed = r->e.failed;
            memcpy(e->tag, r->e.tag, sizeof e->tag);
            memcpy(e->modified, r->e.modified, sizeof e->modified);
            memcpy(e->digest, r->e.digest, sizeof e->digest);
        }
        if (sources_save(s))
            EC_LOG(s->host, EC_LOG_ERROR, "sources.json cannot be written: %s", strerror(errno));
    }
    pthread_mutex_unlock(&s->lock);
}

static char *result(const struct run *r, enum outcome o)
{
    static const char *const words[] = { "failed", "unchanged", "dry_run", "updated" };
    struct json_object *j = json_object_new_object(), *list = json_object_new_array();
    char *text;

    json_object_object_add(j, "source", json_object_new_int64(r->u->id));
    json_object_object_add(j, "name", json_object_new_string(r->e.name));
    json_object_object_add(j, "outcome", json_object_new_string(words[o]));
    if (r->found.rules || r->found.disabled || r->found.failed) {
        const struct { const char *name; uint32_t n; } counts[] = {
            { "rules", r->found.rules }, { "disabled", r->found.disabled }, { "failed", r->found.failed },
            { "unsupported", r->found.unsupported }, { "added", r->found.added }, { "changed", r->found.changed },
            { "removed", r->found.removed } };

        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
            json_object_object_add(j, counts[i].name, json_object_new_int64(counts[i].n));
    }
    for (uint32_t i = 0; i < r->found.n_problem; i++)
        json_object_array_add(list, json_object_new_string(r->found.problem[i]));
    json_object_object_add(j, "problems", list);
    text = strdup(json_object_to_json_string_ext(j, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(j);
    return text;
}

static void tell(const struct run *r, enum outcome o)
{
    const struct sources *s = r->s;
    char *text = r->u->job ? result(r, o) : NULL;

    if (r->u->job && o == OUTCOME_FAILED)
        s->jobs->fail(s->jobs_self, r->u->job, r->why, text);
    else if (r->u->job)
        s->jobs->finish(s->jobs_self, r->u->job, text);
    free(text);
    if (o == OUTCOME_FAILED)
        EC_LOG(s->host, EC_LOG_WARNING, "rule source %s: %s; its rules of before stay in force", r->e.name, r->why);
    else if (o == OUTCOME_UPDATED)
        EC_LOG(s->host, EC_LOG_INFO, "rule source %s: %u rules, %u lines with an error (%u new, %u changed, %u gone)",
               r->e.name, r->found.rules, r->found.failed, r->found.added, r->found.changed, r->found.removed);
}

static enum outcome run(struct run *r)
{
    enum outcome o;

    if (!sources_path(r->s, r->e.name, r->e.enabled ? ".rules" : ".off", r->path) ||
        !sources_path(r->s, r->e.name, ".old", r->old))
        return failed(r, "there is no state folder, or its name is too long");
    progress(r, 1);
    o = fetch_rules(r);
    if (o == OUTCOME_UPDATED)
        o = judge(r);
    progress(r, 60);
    if (o != OUTCOME_UPDATED)
        return o;
    return stop(r->s) ? failed(r, "it was stopped") : install(r);
}

void sources_update(struct sources *s, const struct update *u)
{
    struct run r = { .s = s, .u = u };
    const struct source *e;
    enum outcome o;

    pthread_mutex_lock(&s->lock);
    if ((e = list_find(s->list, u->id)))
        r.e = *e;
    pthread_mutex_unlock(&s->lock);
    o = e ? run(&r) : failed(&r, "the source was taken away meanwhile");
    if (e && !u->dry)
        keep(&r, o);
    tell(&r, o);
    free(r.fresh.text);
    looked_free(&r.found);
}
