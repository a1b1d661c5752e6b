/* What came, judged by the engine's own parser on the pool, with the variables and classes that are in force. */
#include "plugins/ids/sources/sources.h"

#include "plugins/ids/match/engine.h"
#include "plugins/ids/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Whoever is last frees it: the daemon may end before the pool has come to it. */
struct task {
    struct sources *s;
    const char *text, *old;
    size_t n, old_n;
    struct looked found;
    bool begun, ended, good, abandoned;     /* with the lock of s */
};

static void count(const struct ruleset *fresh, const struct ruleset *old, struct looked *to)
{
    uint32_t n;
    const struct listed *all = ruleset_listed(fresh, &n), *other;
    struct ruleset_counts c;

    ruleset_count(fresh, &c);
    to->rules = c.loaded;
    to->failed = c.errors;
    to->unsupported = c.unsupported;
    to->disabled = c.disabled;
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].state > LISTED_DISABLED)
            continue;
        other = old ? ruleset_find(old, all[i].gid, all[i].sid) : NULL;
        to->added += !other;
        to->changed += other && strcmp(other->text, all[i].text) != 0;
    }
    all = old ? ruleset_listed(old, &n) : NULL;
    for (uint32_t i = 0; all && i < n; i++)
        to->removed += all[i].state <= LISTED_DISABLED && !ruleset_find(fresh, all[i].gid, all[i].sid);
}

static void take_problems(const struct ruleset *fresh, struct looked *to)
{
    const struct problems *ps = ruleset_problems(fresh);
    char text[600];

    for (size_t i = 0; i < ps->n && to->n_problem < sizeof to->problem / sizeof to->problem[0]; i++) {
        if (ps->list[i].kind != PROBLEM_ERROR)
            continue;
        snprintf(text, sizeof text, "%u:%u: sid %u: %.500s", ps->list[i].line, ps->list[i].column, ps->list[i].sid,
                 ps->list[i].text);
        if ((to->problem[to->n_problem] = strdup(text)))
            to->n_problem++;
    }
}

/* False: nobody waits any more. */
static bool begin(struct task *t)
{
    bool wanted;

    pthread_mutex_lock(&t->s->lock);
    wanted = !t->abandoned;
    t->begun = wanted;
    pthread_mutex_unlock(&t->s->lock);
    return wanted;
}

static bool judge(struct task *t, const struct ids_state *st)
{
    const struct sources *s = t->s;
    const struct load l = { .host = s->host, .port = s->port, .external = s->external };
    struct ruleset *fresh = st ? load_try(&l, st->engine->set, t->text, t->n) : NULL;
    struct ruleset *old = fresh && t->old ? load_try(&l, st->engine->set, t->old, t->old_n) : NULL;
    bool good = fresh && ruleset_finish(fresh) && (!t->old || (old && ruleset_finish(old)));

    if (good) {
        count(fresh, old, &t->found);
        take_problems(fresh, &t->found);
    }
    if (fresh)
        load_drop(fresh);
    if (old)
        load_drop(old);
    return good;
}

/* [pool] */
static void on_look(void *self, const void *state, void *arg)
{
    struct task *t = arg;
    struct sources *s = t->s;
    bool good;

    (void)self;
    if (!begin(t)) {
        free(t);
        return;
    }
    good = judge(t, state);
    pthread_mutex_lock(&s->lock);
    t->good = good;
    t->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* The pool may be full for a moment. */
static bool hand_out(struct sources *s, struct task *t)
{
    for (int i = 0; i < 50; i++) {
        if (!s->host->work(s->host, on_look, t))
            return true;
        nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
    }
    return false;
}

/* Until the pool has done it. False: the daemon ends, and it belongs to the pool. */
static bool await(struct sources *s, struct task *t)
{
    bool ended;

    pthread_mutex_lock(&s->lock);
    while (!t->ended && (t->begun || !s->stopping))
        pthread_cond_wait(&s->changed, &s->lock);
    ended = t->ended;
    t->abandoned = !ended;
    pthread_mutex_unlock(&s->lock);
    return ended;
}

bool sources_look(struct sources *s, const char *text, size_t n, const char *old, size_t old_n, struct looked *to,
                  char *why, size_t m)
{
    struct task *t = calloc(1, sizeof *t);
    bool good = false;

    *to = (struct looked){ .rules = 0 };
    snprintf(why, m, "out of memory, or the daemon ends");
    if (!t)
        return false;
    *t = (struct task){ .s = s, .text = text, .n = n, .old = old, .old_n = old_n };
    if (!hand_out(s, t)) {
        snprintf(why, m, "the daemon is too busy to look at the rules");
    } else if (!await(s, t)) {
        return false;
    } else {
        good = t->good;
        *to = t->found;
    }
    free(t);
    return good;
}

void looked_free(struct looked *k)
{
    for (uint32_t i = 0; i < k->n_problem; i++)
        free(k->problem[i]);
    k->n_problem = 0;
}
