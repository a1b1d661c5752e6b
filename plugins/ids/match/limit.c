#include "plugins/ids/match/limit.h"


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

enum limit_answer limit_step(const struct limit *m, struct limit_entry *e, uint64_t now)
{
    uint64_t span = (uint64_t)m->seconds * UINT64_C(1000000000);

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

enum limit_answer limit_ask(const struct scope *s, const struct rule *r)
{
    const struct engine_port *port = s->w->port;
    struct { uint32_t gid, sid, track, reserved; uint8_t a[16], b[16]; } key = { r->gid, r->sid, r->limit.track, 0,
                                                                                { 0 }, { 0 } };
    struct limit_entry *e;
    enum limit_answer answer;

    if (!r->limit.type || !port->hosts)
        return LIMIT_ALERT;
    if (r->limit.track == TRACK_SRC || r->limit.track == TRACK_BOTH)
        memcpy(key.a, scope_src(s), 16);
    if (r->limit.track == TRACK_DST || r->limit.track == TRACK_BOTH)
        memcpy(key.b, scope_dst(s), 16);
    e = port->hosts->lock(port->hosts_self, port->hosts_space, &key, sizeof key, s->now);
    if (!e)
        return LIMIT_ALERT;
    answer = limit_step(&r->limit, e, s->now);
    port->hosts->unlock(port->hosts_self, e);
    return answer;
}
