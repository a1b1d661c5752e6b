#include "plugins/ids/match/limit.h"

#include "plugins/ids/limits/tuning.h"
#include "plugins/ids/match/engine.h"

#include <string.h>

static enum limit_answer limit_judge(const struct limit *m, struct limit_entry *e)
{
    switch (m->type) {
    case LIMIT_LIMIT:
        return e->count <= m->count ? LIMIT_ALERT : LIMIT_QUIET;
    case LIMIT_THRESHOLD:
        if (e->count < m->count)
            return LIMIT_NOT_YET;
        e->count = 0;
        return LIMIT_ALERT;
    case LIMIT_BOTH:
        return e->count == m->count ? LIMIT_ALERT : e->count > m->count ? LIMIT_QUIET : LIMIT_NOT_YET;
    case LIMIT_FILTER:
        return e->count > m->count ? LIMIT_ALERT : LIMIT_NOT_YET;
    default:
        return LIMIT_ALERT;
    }
}

/* At the count-th match, then at multiplier times as many, and so on. since_ns holds how many the next one takes. */
static enum limit_answer limit_backoff(const struct limit *m, struct limit_entry *e)
{
    if (!e->used) {
        e->used = 1;
        e->since_ns = m->count;
        e->count = 0;
    }
    if (e->count < UINT32_MAX)
        e->count++;
    if (e->count < e->since_ns)
        return e->since_ns == m->count ? LIMIT_NOT_YET : LIMIT_QUIET;
    e->since_ns = e->since_ns > UINT32_MAX ? e->since_ns : e->since_ns * m->multiplier;
    return LIMIT_ALERT;
}

enum limit_answer limit_step(const struct limit *m, struct limit_entry *e, uint64_t now)
{
    uint64_t span = (uint64_t)m->seconds * UINT64_C(1000000000);

    if (m->type == LIMIT_BACKOFF)
        return limit_backoff(m, e);
    /* A packet that is older than the window's first one counts in it. */
    if (!e->used || (now > e->since_ns && now - e->since_ns > span)) {
        e->used = 1;
        e->since_ns = now;
        e->count = 0;
    }
    if (e->count < UINT32_MAX)
        e->count++;
    return limit_judge(m, e);
}

/* extra: of those given beside the rules, so that both of one rule count on their own. */
static enum limit_answer count_in(const struct scope *s, const struct rule *r, const struct limit *m, bool extra)
{
    const struct engine_port *port = s->w->port;
    struct { uint32_t gid, sid, track, extra; uint8_t a[16], b[16]; } key = {
        r->gid, r->sid, m->track, extra, { 0 }, { 0 } };
    struct limit_entry *e;
    enum limit_answer answer;

    if (!m->type || !port->hosts)
        return LIMIT_ALERT;
    if (m->track == TRACK_SRC || m->track == TRACK_BOTH)
        memcpy(key.a, scope_src(s), 16);
    if (m->track == TRACK_DST || m->track == TRACK_BOTH)
        memcpy(key.b, scope_dst(s), 16);
    if (m->track == TRACK_FLOW && s->flow)
        memcpy(key.a, &s->flow->id, sizeof s->flow->id);
    e = port->hosts->lock(port->hosts_self, port->hosts_space, &key, sizeof key, s->now);
    if (!e)
        return LIMIT_ALERT;
    answer = limit_step(m, e, s->now);
    port->hosts->unlock(port->hosts_self, e);
    return answer;
}

/* A threshold beside the rules takes the place of the rule's own; a detection_filter says when a rule matches at
 * all. */
enum limit_answer limit_ask(const struct scope *s, const struct rule *r)
{
    const struct tuning *t = s->engine->tuning;
    struct tune *by = t ? tuning_suppresses(t, r->gid, r->sid, scope_src(s), scope_dst(s)) : NULL;
    enum limit_answer answer;

    if (by) {
        tune_count(by);
        return LIMIT_QUIET;
    }
    by = t ? tuning_limits(t, r->gid, r->sid) : NULL;
    if (!by || r->limit.type == LIMIT_FILTER) {
        answer = count_in(s, r, &r->limit, false);
        if (!by || answer != LIMIT_ALERT)
            return answer;
    }
    answer = count_in(s, r, &by->limit, true);
    if (answer != LIMIT_ALERT)
        tune_count(by);
    return answer;
}
