#include "plugins/ids/limits/tuning.h"

#include <stdlib.h>
#include <string.h>

struct tuning *tuning_new(void)
{
    struct tuning *t = calloc(1, sizeof *t);

    if (t)
        *t = (struct tuning){ .refs = 1, .next_id = 1 };
    return t;
}

struct tuning *tuning_hold(struct tuning *t)
{
    __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

void tuning_release(struct tuning *t)
{
    if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL))
        return;
    for (uint32_t i = 0; i < t->n; i++)
        if (!__atomic_sub_fetch(&t->tune[i]->refs, 1, __ATOMIC_ACQ_REL))
            free(t->tune[i]);
    free(t);
}

const struct tune *tuning_by_id(const struct tuning *t, enum tune_kind kind, uint32_t id)
{
    for (uint32_t i = 0; id && i < t->n; i++)
        if (t->tune[i]->id == id && t->tune[i]->kind == kind)
            return t->tune[i];
    return NULL;
}

bool tuning_add(struct tuning **t, const struct tune *e)
{
    struct tuning *to = *t;
    struct tune *own = to->n < TUNING_MAX ? malloc(sizeof *own) : NULL;

    if (!own)
        return false;
    if (!(to->n & (to->n - 1))) {       /* doubles at each power of two */
        if (!(to = realloc(to, sizeof *to + ((size_t)to->n * 2 + 1) * sizeof *to->tune))) {
            free(own);
            return false;
        }
        *t = to;
    }
    *own = *e;
    own->refs = 1;
    to->tune[to->n++] = own;
    return true;
}

static int by_rule(const void *a, const void *b)
{
    const struct tune *x = *(struct tune *const *)a, *y = *(struct tune *const *)b;
    const uint32_t p[] = { x->gid, x->sid, x->id, x->line }, q[] = { y->gid, y->sid, y->id, y->line };

    for (unsigned i = 0; i < sizeof p / sizeof p[0]; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

void tuning_sort(struct tuning *t)
{
    if (t->n)
        qsort(t->tune, t->n, sizeof t->tune[0], by_rule);
}

/* A copy with room for `more`, without the entry of this id. */
static struct tuning *copy(const struct tuning *t, uint32_t more, uint32_t id)
{
    struct tuning *to = calloc(1, sizeof *to + ((size_t)t->n + more) * sizeof *to->tune);

    if (!to)
        return NULL;
    to->refs = 1;
    to->version = t->version + 1;
    to->next_id = t->next_id;
    for (uint32_t i = 0; i < t->n; i++)
        if (!id || t->tune[i]->id != id) {
            to->tune[to->n++] = t->tune[i];
            __atomic_add_fetch(&t->tune[i]->refs, 1, __ATOMIC_RELAXED);
        }
    return to;
}

struct tuning *tuning_with(const struct tuning *t, const struct tune *e, uint32_t *id)
{
    struct tune *own = malloc(sizeof *own);
    struct tuning *to = own && (t->n < TUNING_MAX || e->id) ? copy(t, 1, e->id) : NULL;

    if (!to) {
        free(own);
        return NULL;
    }
    *own = *e;
    own->refs = 1;
    if (!own->id)
        own->id = to->next_id++;
    own->version = to->version;
    *id = own->id;
    to->tune[to->n++] = own;
    tuning_sort(to);
    return to;
}

struct tuning *tuning_without(const struct tuning *t, uint32_t id)
{
    return copy(t, 0, id);
}

struct tuning *tuning_join(const struct tuning *a, const struct tuning *b)
{
    struct tuning *to = copy(a, b->n, 0);

    if (!to)
        return NULL;
    for (uint32_t i = 0; i < b->n; i++) {
        to->tune[to->n++] = b->tune[i];
        __atomic_add_fetch(&b->tune[i]->refs, 1, __ATOMIC_RELAXED);
    }
    tuning_sort(to);
    return to;
}

static uint32_t first_of(const struct tuning *t, uint32_t gid, uint32_t sid)
{
    uint32_t from = 0, to = t->n;

    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        const struct tune *e = t->tune[mid];

        if (e->gid < gid || (e->gid == gid && e->sid < sid))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* --- over a reload ----------------------------------------------------------------------------------------------- */

static bool is_same(const struct tune *a, const struct tune *b)
{
    return a->kind == b->kind && a->bits == b->bits && !memcmp(a->net, b->net, sizeof a->net) &&
           a->limit.type == b->limit.type && a->limit.track == b->limit.track && a->limit.count == b->limit.count &&
           a->limit.seconds == b->limit.seconds;
}

/* Those of one rule: [from, to) of a set. */
struct group { uint32_t from, to; };

static struct group group_of(const struct tuning *t, uint32_t gid, uint32_t sid)
{
    struct group g = { first_of(t, gid, sid), 0 };

    for (g.to = g.from; g.to < t->n && t->tune[g.to]->gid == gid && t->tune[g.to]->sid == sid; g.to++)
        ;
    return g;
}

/* That which is the same; the search begins with the nth, which most likely is. */
static struct tune *same_in(const struct tuning *t, struct group g, uint32_t nth, const struct tune *e)
{
    uint32_t n = g.to - g.from;

    for (uint32_t i = 0; i < n; i++) {
        struct tune *k = t->tune[g.from + (nth + i) % n];

        if (is_same(k, e))
            return k;
    }
    return NULL;
}

/* One that moved to another line is another entry, and begins with the count of the old one. */
void tuning_carry(struct tuning *t, const struct tuning *before)
{
    struct group g = { 0, 0 };
    uint32_t nth = 0;

    for (uint32_t i = 0; i < t->n; i++, nth++) {
        struct tune *e = t->tune[i], *old;

        if (!i || t->tune[i - 1]->gid != e->gid || t->tune[i - 1]->sid != e->sid) {
            g = group_of(before, e->gid, e->sid);
            nth = 0;
        }
        if (!(old = same_in(before, g, nth, e)))
            continue;
        if (old->line == e->line) {
            __atomic_add_fetch(&old->refs, 1, __ATOMIC_RELAXED);
            t->tune[i] = old;
            free(e);
        } else {
            e->held_back = __atomic_load_n(&old->held_back, __ATOMIC_RELAXED);
        }
    }
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static bool lies_in(const struct tune *e, const uint8_t a[16])
{
    uint32_t whole = e->bits / 8, rest = e->bits % 8;

    return !memcmp(a, e->net, whole) && (!rest || !((a[whole] ^ e->net[whole]) >> (8 - rest)));
}

bool tune_covers(const struct tune *e, const uint8_t src[16], const uint8_t dst[16])
{
    return !e->limit.track || (e->limit.track & TRACK_SRC && lies_in(e, src)) ||
           (e->limit.track & TRACK_DST && lies_in(e, dst));
}

/* Of one key: a suppression of these addresses, or without src the threshold. */
static struct tune *look(const struct tuning *t, uint32_t gid, uint32_t sid, const uint8_t *src, const uint8_t *dst)
{
    for (uint32_t i = first_of(t, gid, sid); i < t->n && t->tune[i]->gid == gid && t->tune[i]->sid == sid; i++) {
        struct tune *e = t->tune[i];

        if (src ? e->kind == TUNE_SUPPRESS && tune_covers(e, src, dst) : e->kind == TUNE_THRESHOLD)
            return e;
    }
    return NULL;
}

/* The rule's own entries before those of its group, and those before everybody's. */
static struct tune *look_all(const struct tuning *t, uint32_t gid, uint32_t sid, const uint8_t *src, const uint8_t *dst)
{
    struct tune *e;

    if (!t->n)
        return NULL;
    if ((e = look(t, gid, sid, src, dst)) || (sid && (e = look(t, gid, 0, src, dst))))
        return e;
    return gid ? look(t, 0, 0, src, dst) : NULL;
}

struct tune *tuning_suppresses(const struct tuning *t, uint32_t gid, uint32_t sid, const uint8_t src[16],
                               const uint8_t dst[16])
{
    return look_all(t, gid, sid, src, dst);
}

struct tune *tuning_limits(const struct tuning *t, uint32_t gid, uint32_t sid)
{
    return look_all(t, gid, sid, NULL, NULL);
}
