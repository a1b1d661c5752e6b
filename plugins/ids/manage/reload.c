/* The daemon's reload says when it begins, not when it ends; so its status is asked for until none runs. What was
 * asked for while another one ran is served by the next, which begins before the daemon says that none runs; so where
 * others ask without a pause it has been served once two have ended. */
#include "plugins/ids/manage/reload.h"

#include "plugins/ids/match/engine.h"
#include "plugins/ids/state.h"

#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One request: with a record in the list, and somebody who waits. */
struct asked {
    struct asked *next;
    struct reloads *all;
    uint64_t id, ended;             /* ended: reloads at the asking, and two; 0: not known yet */
    reload_ended_fn *fn;
    void *arg;
    bool ok, looking;               /* looking: an answer is on its way */
    char why[1024];
};

struct reloads {
    const struct ec_host *host;
    const struct ec_daemon *daemon;
    void *daemon_self;
    pthread_mutex_t lock;           /* of all below */
    struct asked *first;            /* not ended */
    uint64_t last;                  /* number */
    struct reload kept[RELOADS_KEPT];
};

void reload_clear(struct reload *r)
{
    for (uint32_t i = 0; i < r->n_problem; i++)
        free(r->problem[i]);
    free(r->problem);
    r->problem = NULL;
    r->n_problem = 0;
}

/* The record of a number; locked. NULL: forgotten. */
static struct reload *record_of(struct reloads *rs, uint64_t id)
{
    struct reload *r = &rs->kept[id % RELOADS_KEPT];

    return id && r->id == id ? r : NULL;
}

void reload_problems(struct reload *r, const struct ruleset *set)
{
    const struct problems *ps = ruleset_problems(set);
    char text[1024];

    r->problem = calloc(RELOAD_PROBLEMS, sizeof *r->problem);
    for (size_t i = 0; r->problem && i < ps->n && r->n_problem < RELOAD_PROBLEMS; i++) {
        if (ps->list[i].kind != PROBLEM_ERROR)
            continue;
        problem_print(&ps->list[i], text, sizeof text);
        if ((r->problem[r->n_problem] = strdup(text)))
            r->n_problem++;
    }
}

/* [pool] The end of one. */
static void on_end(void *self, const void *state, void *arg)
{
    const struct ids_state *st = state;
    struct asked *q = arg;
    struct reloads *rs = q->all;
    struct reload *r;

    (void)self;
    pthread_mutex_lock(&rs->lock);
    if ((r = record_of(rs, q->id))) {
        r->step = q->ok ? RELOAD_DONE : RELOAD_FAILED;
        r->ended_ns = rs->host->now(rs->host);
        snprintf(r->why, sizeof r->why, "%s", q->why);
        if (st && st->engine) {
            ruleset_count(st->engine->set, &r->counts);
            reload_problems(r, st->engine->set);
        }
    }
    pthread_mutex_unlock(&rs->lock);
    if (q->fn)
        q->fn(q->arg, state, q->id, q->ok, q->why);
    free(q);
}

static void end(struct asked *q, bool ok, const char *why)
{
    struct reloads *rs = q->all;
    struct asked **at;

    pthread_mutex_lock(&rs->lock);
    for (at = &rs->first; *at && *at != q; at = &(*at)->next)
        ;
    if (*at)
        *at = q->next;
    pthread_mutex_unlock(&rs->lock);
    q->ok = ok;
    snprintf(q->why, sizeof q->why, "%s", why);
    if (rs->host->work(rs->host, on_end, q))
        on_end(NULL, NULL, q);
}

static const char *text_of(struct json_object *o, const char *key)
{
    struct json_object *v;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
        ? json_object_get_string(v) : "";
}

static uint64_t ended_now(struct json_object *reload)
{
    struct json_object *done, *failed;

    return json_object_object_get_ex(reload, "done", &done) && json_object_object_get_ex(reload, "failed", &failed)
        ? json_object_get_uint64(done) + json_object_get_uint64(failed) : 0;
}

/* [ctl] What "reload" and "status" answer holds {"reload": {"running", "done", "failed", "why"}}. */
static void on_answer(void *arg, int32_t err, const char *json, uint32_t len)
{
    struct json_tokener *t = err ? NULL : json_tokener_new();
    struct json_object *o = t ? json_tokener_parse_ex(t, json, (int)len) : NULL, *r, *running;
    struct asked *q = arg;

    if (err) {
        end(q, false, "the daemon does not reload: it ends, or too much is asked of it");
    } else if (!json_object_object_get_ex(o, "reload", &r) || !json_object_object_get_ex(r, "running", &running)) {
        end(q, false, "the daemon does not say how its reload ended");
    } else if (!json_object_get_boolean(running) || (q->ended && ended_now(r) >= q->ended)) {
        end(q, !*text_of(r, "why"), text_of(r, "why"));
    } else {
        if (!q->ended)
            q->ended = ended_now(r) + 2;
        __atomic_store_n(&q->looking, false, __ATOMIC_RELEASE);     /* reloads_look() asks again */
    }
    json_object_put(o);
    if (t)
        json_tokener_free(t);
}

/* A question about q; locked, or q is known to nobody else. */
static int32_t look(struct asked *q, const char *question)
{
    int32_t err;

    q->looking = true;
    err = q->all->daemon->ask(q->all->daemon_self, question, on_answer, q);
    if (err)
        q->looking = false;
    return err;
}

/* Only an answer ends one, and each has at most one answer to come. */
void reloads_look(struct reloads *rs)
{
    if (!rs)
        return;
    pthread_mutex_lock(&rs->lock);
    for (struct asked *q = rs->first; q; q = q->next)
        if (!__atomic_load_n(&q->looking, __ATOMIC_ACQUIRE))
            look(q, "status");
    pthread_mutex_unlock(&rs->lock);
}

struct reloads *reloads_new(const struct ec_host *h, const struct ec_daemon *d, void *daemon_self)
{
    struct reloads *rs = d ? calloc(1, sizeof *rs) : NULL;

    if (!rs)
        return NULL;
    rs->host = h;
    rs->daemon = d;
    rs->daemon_self = daemon_self;
    pthread_mutex_init(&rs->lock, NULL);
    return rs;
}

void reloads_free(struct reloads *rs)
{
    struct asked *q;

    if (!rs)
        return;
    while ((q = rs->first)) {
        rs->first = q->next;
        free(q);
    }
    for (uint32_t i = 0; i < RELOADS_KEPT; i++)
        reload_clear(&rs->kept[i]);
    pthread_mutex_destroy(&rs->lock);
    free(rs);
}

/* The newest takes the oldest one's place; locked. */
static void record_begin(struct reloads *rs, const struct asked *q, const char *by)
{
    struct reload *r = &rs->kept[q->id % RELOADS_KEPT];

    reload_clear(r);
    *r = (struct reload){ .id = q->id, .asked_ns = rs->host->now(rs->host), .step = RELOAD_RUNNING };
    snprintf(r->by, sizeof r->by, "%s", by);
}

int32_t reloads_ask(struct reloads *rs, const char *by, reload_ended_fn *fn, void *arg, uint64_t *id)
{
    struct asked *q = rs ? calloc(1, sizeof *q) : NULL;
    int32_t err;

    if (!q)
        return rs ? EC_ENOMEM : EC_EAGAIN;
    *q = (struct asked){ .all = rs, .fn = fn, .arg = arg };
    pthread_mutex_lock(&rs->lock);
    q->id = rs->last + 1;
    err = look(q, "reload");
    if (err) {
        free(q);
    } else {
        rs->last = q->id;
        q->next = rs->first;
        rs->first = q;
        record_begin(rs, q, by);
        if (id)
            *id = q->id;
    }
    pthread_mutex_unlock(&rs->lock);
    return err;
}

bool reloads_get(struct reloads *rs, uint64_t id, struct reload *to)
{
    const struct reload *r;

    pthread_mutex_lock(&rs->lock);
    r = record_of(rs, id);
    if (r) {
        *to = *r;
        to->problem = calloc(r->n_problem + 1u, sizeof *to->problem);
        to->n_problem = 0;
        for (uint32_t i = 0; to->problem && i < r->n_problem; i++)
            if ((to->problem[to->n_problem] = strdup(r->problem[i])))
                to->n_problem++;
    }
    pthread_mutex_unlock(&rs->lock);
    return r != NULL;
}
