#include "plugins/traffic/shed.h"

/* Has what is true now been so for `time`? *since: from when on; begins now where it was not. */
static bool lasts(uint64_t *since, bool is, uint64_t time, uint64_t now_ns)
{
    if (!is) {
        *since = 0;
        return false;
    }
    if (!*since)
        *since = now_ns;
    return now_ns - *since >= time;
}

uint32_t shed_look(struct shed *s, const struct shed_conf *c, uint32_t fill, uint64_t now_ns)
{
    bool more = lasts(&s->high_ns, c->on && fill >= c->high, c->step, now_ns);
    bool less = lasts(&s->low_ns, !c->on || fill < c->low, c->on ? c->calm : 0, now_ns);

    if (more && s->level + 1 < SHED_LEVELS) {
        s->level++;
        s->high_ns = now_ns;
    } else if (less && s->level) {
        s->level--;
        s->low_ns = now_ns;
    }
    return s->level;
}
