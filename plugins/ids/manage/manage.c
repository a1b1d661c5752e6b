#include "plugins/ids/manage/manage.h"

#include "plugins/ids/manage/keep.h"

#include <stdlib.h>

static const struct ec_row rule_rows[] = {
    { EC_T_TEXT, 0, 0, 0, (uint32_t)offsetof(struct rule_param, rule), "rule", NULL, NULL, NULL, NULL,
      "GID:SID, such as 1:1000003", 3, 21 },
};
const struct ec_record rule_param = EC_RECORD_PART(struct rule_param, rule_rows);

struct manage *manage_new(const struct ec_host *h, const struct engine_port *port, const struct keyword_list *external)
{
    struct manage *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->host = h;
    m->port = port;
    m->external = external;
    m->last = &m->first;
    m->tallies = tallies_new();
    if (!m->tallies) {
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void manage_free(struct manage *m)
{
    if (!m)
        return;
    managed_release(m->now);
    tallies_free(m->tallies);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* Once; locked. */
static void read_file(struct manage *m)
{
    const char *dir = m->host->state_dir(m->host);
    enum keep_found found = KEEP_FINE;
    char why[700] = "";

    m->now = dir ? keep_read(dir, &found, why, sizeof why) : managed_new();
    if (found == KEEP_NEWER)
        m->shut = "a newer eCyber wrote " KEEP_NAME ": this one does not change it";
    else if (found == KEEP_UNREAD)
        m->shut = KEEP_NAME " could not be read at the start, see the log: mend that and start the daemon again";
    if (found != KEEP_FINE)
        ec_logf(m->host, EC_LOG_ERROR, NULL, "managed rules: %s%s", why,
                m->shut ? "; none are in force, and none can be changed" : "");
}

struct managed *manage_current(struct manage *m)
{
    struct managed *now;

    pthread_mutex_lock(&m->lock);
    if (!m->now)
        read_file(m);
    now = m->now ? managed_hold(m->now) : NULL;
    pthread_mutex_unlock(&m->lock);
    return now;
}

void manage_leave(struct manage *m, const struct ids_state *st)
{
    if (st->engine)
        tallies_take(m->tallies, st->engine);
    managed_release(st->managed);
}

struct load manage_load(struct manage *m)
{
    return (struct load){ .host = m->host, .port = m->port, .external = m->external };
}

static bool take_number(const char **s, const char *end, uint32_t *to)
{
    uint64_t v = 0;
    const char *p = *s;

    for (; p < end && *p >= '0' && *p <= '9' && p - *s < 11; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    if (p == *s || v > UINT32_MAX)
        return false;
    *to = (uint32_t)v;
    *s = p;
    return true;
}

bool rule_named(struct manage *m, struct ec_req *r, uint32_t *gid, uint32_t *sid)
{
    const struct rule_param *p = m->http->param(r);
    const char *s = (const char *)ec_bytes(&p->part, p->rule), *end = s + p->rule.len;

    if (take_number(&s, end, gid) && s < end && *s++ == ':' && take_number(&s, end, sid) && s == end && *sid)
        return true;
    m->http->invalid(r, "path.rule", "value_error", "Value error, it has to be GID:SID, such as 1:1000003");
    return false;
}

struct task { struct manage *m; struct ec_req *r; manage_fn *fn; };

static void on_task(void *self, const void *state, void *arg)
{
    struct task *t = arg;

    (void)self;
    if (state)
        t->fn(t->m, state, t->r);
    else
        t->m->http->error(t->r, 503, "the rules are not read yet");
    free(t);
}

int32_t manage_work(struct manage *m, struct ec_req *r, manage_fn *fn)
{
    struct task *t = malloc(sizeof *t);

    if (t) {
        *t = (struct task){ m, r, fn };
        if (!m->host->work(m->host, on_task, t))
            return EC_EAGAIN;
    }
    free(t);
    return m->http->error(r, 503, "too much is asked at once: ask again in a moment");
}
