/* Changes: kept on disk, put in force by a reload, answered when that has ended, one after the other. */
#include "plugins/ids/limits/keep.h"
#include "plugins/ids/limits/limits.h"
#include "plugins/ids/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WAITING_MAX 64u

enum op { OP_CREATE, OP_REPLACE, OP_REMOVE };
struct limits_change {
    struct limits_change *next;
    struct limits *l;
    struct ec_req *r;
    enum op op;
    enum tune_kind kind;
    bool dry;
    uint32_t id;
    struct tune entry;              /* CREATE, REPLACE */
    struct tuning *before;          /* held while the reload runs */
    uint64_t version;               /* of what is made of that */
    char by[TUNE_BY], old[TUNE_LINE];
};

static const struct ec_row param_rows[] = {
    { EC_T_U32, 0, 0, 0, (uint32_t)offsetof(struct limits_param, id), "id", NULL, NULL, NULL, NULL, "its number", 1,
      UINT32_MAX },
};
const struct ec_record limits_param = EC_RECORD_PART(struct limits_param, param_rows);

static const char *const names[] = { "suppression", "threshold" };
static const char *const actions[] = { "create", "replace", "delete" };

static void change_free(struct limits_change *c)
{
    tuning_release(c->before);
    free(c);
}

__attribute__((format(printf, 3, 4)))
static void refuse(struct limits_change *c, uint32_t status, const char *fmt, ...)
{
    char action[48], text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(action, sizeof action, "rules.%s.%s", names[c->kind], actions[c->op]);
    c->l->http->audit(c->r, action, status == 503 ? "failure" : "denied", NULL, text);
    c->l->http->error(c->r, status, text);
}

static void reply_one(struct limits_change *c, uint32_t status, const struct tune *e)
{
    union { uint64_t align; uint8_t bytes[512 * 8]; } room = { 0 };
    struct ec_build b = { .base = room.bytes, .cap = sizeof room };
    struct limits_view *v;

    ec_grow(&b, sizeof(struct ec_event));
    v = ec_add(&b, 0, sizeof *v);
    limits_fill(&b, v, e, NULL);
    c->l->http->etag(c->r, e->version);
    c->l->http->reply(c->r, status, &v->part);
}

static void audit(struct limits_change *c)
{
    char action[48], object[48], after[TUNE_LINE] = "none", detail[2 * TUNE_LINE + 40];

    snprintf(action, sizeof action, "rules.%s.%s", names[c->kind], actions[c->op]);
    snprintf(object, sizeof object, "rules/%ss/%u", names[c->kind], c->id);
    if (c->op != OP_REMOVE)
        tune_write(&c->entry, after);
    snprintf(detail, sizeof detail, "before: %s; after: %s", *c->old ? c->old : "none", after);
    c->l->http->audit(c->r, action, "success", object, detail);
}

static int keep(struct limits *l, const struct tuning *t)
{
    return limits_keep_write(l->host->state_dir(l->host), t);
}

static void set_now(struct limits *l, struct tuning *now)
{
    struct tuning *old;

    pthread_mutex_lock(&l->lock);
    old = l->now;
    l->now = now;
    pthread_mutex_unlock(&l->lock);
    tuning_release(old);
}

/* The next version, or NULL: it was answered. */
static struct tuning *apply(struct limits_change *c, const struct tuning *base)
{
    const struct tune *old = c->op == OP_CREATE ? NULL : tuning_by_id(base, c->kind, c->id);
    struct tuning *next;

    if (c->l->shut && !c->dry) {
        refuse(c, 409, "%s", c->l->shut);
        return NULL;
    }
    if (c->op != OP_CREATE && !old) {
        refuse(c, 404, "there is none of this number; those of ids.threshold_file are changed there");
        return NULL;
    }
    if (old && c->l->http->match(c->r, old->version))
        return NULL;
    if (old)
        tune_write(old, c->old);
    c->entry.id = c->id;
    if (c->dry) {
        if (c->op == OP_REMOVE)
            c->l->http->reply(c->r, 204, NULL);
        else
            reply_one(c, 200, &c->entry);
        return NULL;
    }
    next = c->op == OP_REMOVE ? tuning_without(base, c->id) : tuning_with(base, &c->entry, &c->id);
    if (!next)
        refuse(c, base->n >= TUNING_MAX ? 409 : 503,
               base->n >= TUNING_MAX ? "there are %u entries already" : "out of memory", TUNING_MAX);
    return next;
}

static struct limits_change *take_first(struct limits *l)
{
    struct limits_change *c;

    pthread_mutex_lock(&l->lock);
    if ((c = l->first)) {
        l->first = c->next;
        l->waiting--;
    }
    if (!l->first)
        l->last = &l->first;
    l->busy = c != NULL;
    pthread_mutex_unlock(&l->lock);
    return c;
}

static void step(struct limits *l, const struct ids_state *st);

/* [pool] */
static void on_reloaded(void *arg, const void *state, uint64_t id, bool ok, const char *why)
{
    struct limits_change *c = arg;
    struct limits *l = c->l;
    const struct ids_state *st = state;
    const struct tune *e = st ? tuning_by_id(st->tuning, c->kind, c->id) : NULL;

    (void)id, (void)ok;             /* another one may have followed at once, and failed */
    if (st && (c->op == OP_REMOVE ? !e : e && e->version == c->version)) {
        if (e)
            c->entry = *e;
        audit(c);
        if (c->op == OP_REMOVE)
            l->http->reply(c->r, 204, NULL);
        else
            reply_one(c, c->op == OP_CREATE ? 201 : 200, &c->entry);
    } else {
        set_now(l, tuning_hold(c->before));
        if (keep(l, c->before))
            EC_LOG(l->host, EC_LOG_ERROR,
                   LIMITS_NAME " cannot be written: %s; at the next start that holds which the reload refused",
                   strerror(errno));
        refuse(c, st ? 409 : 503, "nothing was changed: %s", why && *why ? why : "the reload did not take it");
    }
    change_free(c);
    step(l, st);
}

/* True: a reload will end it. Else it was answered. */
static bool enforce(struct limits_change *c, struct tuning *next)
{
    struct limits *l = c->l;

    if (keep(l, next)) {
        refuse(c, 503, LIMITS_NAME " cannot be written in the state folder: %s", strerror(errno));
        tuning_release(next);
        return false;
    }
    c->before = tuning_hold(l->now);    /* nobody else changes it while l->busy */
    c->version = next->version;
    set_now(l, next);
    if (!reloads_ask(l->reloads, c->by, on_reloaded, c, NULL))
        return true;
    set_now(l, tuning_hold(c->before));
    if (keep(l, c->before))
        EC_LOG(l->host, EC_LOG_ERROR, LIMITS_NAME " cannot be written: %s", strerror(errno));
    refuse(c, 503, "the daemon takes no reload at the moment");
    return false;
}

/* [pool] Until one waits for its reload, or none is left. st NULL: the daemon ends. */
static void step(struct limits *l, const struct ids_state *st)
{
    struct limits_change *c;

    while ((c = take_first(l))) {
        struct tuning *next = NULL;

        if (!st || !l->now)
            refuse(c, 503, "the daemon ends, or is out of memory");
        else
            next = apply(c, l->now);
        if (next && enforce(c, next))
            return;
        change_free(c);
    }
}

static void on_step(void *self, const void *state, void *arg)
{
    (void)self;
    step(arg, state);
}

void limits_drop_changes(struct limits *l)
{
    struct limits_change *c;

    while ((c = take_first(l)))
        change_free(c);
}

static int32_t begin(struct limits *l, struct limits_change *c)
{
    bool full, idle;

    pthread_mutex_lock(&l->lock);
    full = l->waiting == WAITING_MAX;
    idle = !l->busy;
    if (!full) {
        *l->last = c;
        l->last = &c->next;
        l->waiting++;
        l->busy = true;
    }
    pthread_mutex_unlock(&l->lock);
    if (full) {
        l->http->error(c->r, 503, "too many changes wait: ask again in a moment");
        change_free(c);
        return EC_OK;
    }
    if (idle && l->host->work(l->host, on_step, l))
        step(l, NULL);                  /* answers with 503 */
    return EC_EAGAIN;
}

static int32_t run(const struct limits_side *side, struct ec_req *r, enum op op)
{
    struct limits *l = side->l;
    const struct ec_who *who = l->http->who(r);
    const struct limits_param *p = op == OP_CREATE ? NULL : l->http->param(r);
    struct limits_change *c = calloc(1, sizeof *c);

    if (!c)
        return l->http->error(r, 503, "out of memory");
    *c = (struct limits_change){ .l = l, .r = r, .op = op, .kind = side->kind, .dry = l->http->dry_run(r),
                                 .id = p ? p->id : 0 };
    if (op != OP_REMOVE && !limits_take(l, r, side->kind, &c->entry)) {
        free(c);
        return EC_OK;
    }
    snprintf(c->by, sizeof c->by, "%s", who ? who->name : "");
    memcpy(c->entry.by, c->by, sizeof c->by);
    c->entry.at_ns = l->host->now(l->host);
    return begin(l, c);
}

int32_t limits_create(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return run(self, r, OP_CREATE);
}

int32_t limits_replace(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return run(self, r, OP_REPLACE);
}

int32_t limits_remove(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return run(self, r, OP_REMOVE);
}
