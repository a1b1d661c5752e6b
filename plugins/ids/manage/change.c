/* Changes of rules. They are taken in turn, all that wait at once: the next version of the managed rules is made and
 * written, a reload puts it in force, and only then are they answered. Where the reload fails, the version before it
 * is written again. */
#include "plugins/ids/manage/edit.h"
#include "plugins/ids/manage/keep.h"
#include "plugins/ids/manage/view.h"

#include <stdlib.h>

#define WAITING_MAX 256u

static const char *const actions[] = { "rule.create", "rule.replace", "rule.change", "rule.delete", "rule.enable",
                                       "rule.disable" };

struct batch {
    struct manage *m;
    struct change *first;
    struct managed *before;
    uint64_t version;               /* of what is made of that */
};

void changes_free(struct manage *m)
{
    struct change *c;

    while ((c = m->first)) {
        m->first = c->next;
        change_free(c);
    }
}

static void audit(struct manage *m, const struct change *c)
{
    char object[40], *detail = NULL;

    snprintf(object, sizeof object, "rules/%u:%u", c->gid, c->sid);
    if (asprintf(&detail, "before: %s; after: %s", c->before ? c->before : "none", c->after ? c->after : "none") < 0)
        detail = NULL;
    m->http->audit(c->r, actions[c->op], "success", object, detail);
    free(detail);
}

/* Was the rule of c removed by one that came behind it? */
static bool was_removed(const struct change *c, const struct change *behind)
{
    for (; behind; behind = behind->next)
        if (behind->op == OP_REMOVE && behind->gid == c->gid && behind->sid == c->sid)
            return true;
    return false;
}

/* Answers all. */
static void finish(struct batch *b, const struct ids_state *st, uint32_t status, const char *why)
{
    struct manage *m = b->m;
    struct change *c;

    while ((c = b->first)) {
        const struct listed *k = status || c->op == OP_REMOVE ? NULL : ruleset_find(st->engine->set, c->gid, c->sid);

        b->first = c->next;
        if (status) {
            edit_refuse(m, c, status, "no rule was changed: %s", why);
        } else {
            audit(m, c);
            if (k)
                view_reply_one(m, st, c->r, c->op == OP_CREATE ? 201 : 200, k);
            else if (c->op == OP_REMOVE)
                m->http->reply(c->r, 204, NULL);
            else if (was_removed(c, b->first))
                edit_refuse(m, c, 409, "the rule was changed, and at once removed by another request");
            else
                edit_refuse(m, c, 503, "the rule was kept, but is not there: see the log of the daemon");
        }
        change_free(c);
    }
    managed_release(b->before);
    free(b);
}

static void set_now(struct manage *m, struct managed *now)
{
    struct managed *old;

    pthread_mutex_lock(&m->lock);
    old = m->now;
    m->now = now;
    pthread_mutex_unlock(&m->lock);
    managed_release(old);
}

static reload_ended_fn on_reloaded;

/* Written and asked for: then a reload will end it, and the answer is true. Else all were answered. */
static bool enforce(struct batch *b, const struct ids_state *st, struct managed *next)
{
    struct manage *m = b->m;
    const char *dir = m->host->state_dir(m->host);
    char why[700] = "there is no state folder to keep rules in: see core.state_dir", again[700];

    if (!dir || keep_write(dir, next, why, sizeof why)) {
        managed_release(next);
        finish(b, st, 503, why);
        return false;
    }
    b->version = next->version;
    set_now(m, next);
    if (!reloads_ask(m->reloads, b->first->by, on_reloaded, b, NULL))
        return true;
    set_now(m, managed_hold(b->before));
    if (keep_write(dir, b->before, again, sizeof again))
        EC_LOG(m->host, EC_LOG_ERROR, "managed rules: %s", again);
    finish(b, st, 503, "the daemon takes no reload at the moment");
    return false;
}

static struct change *take_all(struct manage *m)
{
    struct change *c;

    pthread_mutex_lock(&m->lock);
    c = m->first;
    m->first = NULL;
    m->last = &m->first;
    m->waiting = 0;
    m->busy = c != NULL;
    pthread_mutex_unlock(&m->lock);
    return c;
}

/* [pool] One after the other over the version before it. Those that are not answered yet wait for one reload. */
static void step(struct manage *m, const struct ids_state *st)
{
    struct change *c, **keep;
    struct managed *next;
    struct batch *b;

    while ((c = take_all(m))) {
        b = calloc(1, sizeof *b);
        next = st && b ? manage_current(m) : NULL;
        if (b)
            *b = (struct batch){ .m = m, .before = next ? managed_hold(next) : NULL };
        keep = b ? &b->first : NULL;
        while (c) {
            struct change *after = c->next;
            struct managed *made = next ? edit_apply(m, st, c, next)
                : edit_refuse(m, c, 503, "the daemon ends, or is out of memory");

            c->next = NULL;
            if (made) {
                managed_release(next);
                next = made;
                *keep = c;
                keep = &c->next;
            } else {
                change_free(c);
            }
            c = after;
        }
        if (b && b->first) {
            if (enforce(b, st, next))
                return;
            continue;
        }
        managed_release(next);
        if (b)
            managed_release(b->before);
        free(b);
    }
}

/* [pool] The reload has ended: those that waited for it are answered, then come those that arrived meanwhile. Where
 * another one followed at once, what was in force with the first stays so, even if the second failed. */
static void on_reloaded(void *arg, const void *state, uint64_t id, bool ok, const char *why)
{
    struct batch *b = arg;
    struct manage *m = b->m;
    const struct ids_state *st = state;
    char text[700];

    (void)id;
    if (st && (ok || (st->managed && st->managed->version == b->version))) {
        finish(b, state, 0, NULL);
        step(m, state);
        return;
    }
    set_now(m, managed_hold(b->before));
    if (keep_write(m->host->state_dir(m->host), b->before, text, sizeof text))
        EC_LOG(m->host, EC_LOG_ERROR,
               "managed rules: %s; at the next start those are in force that the reload refused", text);
    finish(b, state, state ? 409 : 503, why);
    step(m, state);
}

static void on_step(void *self, const void *state, void *arg)
{
    (void)self;
    step(arg, state);
}

static int32_t begin(struct manage *m, struct ec_req *r, enum edit_op op)
{
    const struct ec_who *who = m->http->who(r);
    struct change *c = calloc(1, sizeof *c);
    bool full, idle;

    if (!c)
        return m->http->error(r, 503, "out of memory");
    c->r = r;
    c->op = op;
    c->dry = m->http->dry_run(r);
    snprintf(c->by, sizeof c->by, "%s", who ? who->name : "");
    if (op != OP_CREATE && !rule_named(m, r, &c->gid, &c->sid)) {
        free(c);
        return EC_OK;
    }
    pthread_mutex_lock(&m->lock);
    full = m->waiting == WAITING_MAX;
    idle = !m->busy;
    if (!full) {
        *m->last = c;
        m->last = &c->next;
        m->waiting++;
        m->busy = true;
    }
    pthread_mutex_unlock(&m->lock);
    if (full) {
        free(c);
        return m->http->error(r, 503, "too many changes of rules wait: ask again in a moment");
    }
    if (idle && m->host->work(m->host, on_step, m))
        step(m, NULL);                  /* answers all of them with 503 */
    return EC_EAGAIN;
}

int32_t rules_create(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return begin(self, r, OP_CREATE);
}

int32_t rules_replace(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return begin(self, r, OP_REPLACE);
}

int32_t rules_patch(void *self, const void *state, struct ec_req *r)
{
    struct manage *m = self;

    (void)state;
    if (!edit_asks(m, r))
        return m->http->invalid(r, "body", "missing", "enabled or action is required");
    return begin(m, r, OP_PATCH);
}

int32_t rules_remove(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return begin(self, r, OP_REMOVE);
}

int32_t rules_enable(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return begin(self, r, OP_ENABLE);
}

int32_t rules_disable(void *self, const void *state, struct ec_req *r)
{
    (void)state;
    return begin(self, r, OP_DISABLE);
}
