/* Rules on the raw stream. Each chunk is searched together with the window of bytes before it; a match has to reach
 * into the chunk, so none is reported twice. Rules whose fast pattern was seen but whose other contents were not wait
 * in the window. */
#include "plugins/ids/match/inspect.h"
#include "plugins/ids/match/tally.h"

#include <string.h>

enum { STREAM_PIECE = 65536, STREAM_LONGEST = 255 /* of all fast patterns */ };

static bool stream_nothing(const struct raw_group *g)
{
    return !g->any && !g->n_dst && !g->n_src;
}

/* The window of this direction, emptied where bytes are missing before `offset`. NULL: there is none. */
static struct window *stream_window(struct scope *s, const struct ec_chunk *k, uint64_t offset)
{
    struct window *w = s->state->window[s->dir];

    if (!w)
        return NULL;
    if (w->end != offset || ((k->flags & EC_CH_GAP) && offset == k->offset)) {
        w->len = 0;
        w->n_pending = w->rescan = 0;
    }
    if (w->gen != s->gen) {
        w->rescan |= w->len > 0;
        w->n_pending = 0;
        w->gen = s->gen;
    }
    return w;
}

static void stream_pend(struct scope *s, struct window *w, const struct rule *r)
{
    if (w->rescan)
        return;
    if (w->n_pending == WINDOW_PENDING) {
        w->rescan = 1;
        scope_count(s, COUNT_PENDING_FULL);
        return;
    }
    w->pending[w->n_pending++] = r->index;
}

static void stream_wait(struct scope *s, struct window *w, const struct rule *r)
{
    if (w && r->fast.len && r->raw->n > 1)
        stream_pend(s, w, r);
}

/* Which protocol it is will be known when parsers have seen these bytes: then the rule is asked again. */
static void stream_defer(struct scope *s, struct window *w, const struct rule *r)
{
    if (!w || !r->app_proto || s->flow->proto)
        return;
    stream_pend(s, w, r);
    s->state->flags |= (uint32_t)FLOWSTATE_UNDECIDED << s->dir;
}

static void stream_rule(struct scope *s, const struct rule *r, struct verify *v, const struct hit_source *src,
                        struct window *w)
{
    uint64_t begin = tally_begin(s, r);
    struct hit h;

    if (!inspect_rule(s, r)) {
        stream_defer(s, w, r);
    } else {
        h.rule = r;
        h.n = 0;
        if (inspect_chain(s, r->raw, v, src, &h))
            inspect_fire(s, &h);
        else
            stream_wait(s, w, r);
    }
    tally_end(s, r, begin);
}

/* Candidates for data, whose first `old` bytes were searched before. */
static void stream_search(struct scope *s, struct window *w, const uint8_t *d, uint32_t n, uint32_t old)
{
    struct candidates *c = &s->hand->candidates;
    uint32_t from = w && w->rescan ? 0 : old > STREAM_LONGEST ? old - STREAM_LONGEST : 0;

    candidates_begin(c);
    if (!raw_group_scan(&s->engine->groups.stream[s->dir], scope_sport(s), scope_dport(s), s->hand->scratch,
                        d + from, n - from, c))
        scope_count(s, COUNT_SCAN_ERROR);
    s->w->count[COUNT_CANDIDATES] += c->n;
    for (uint32_t i = 0; w && i < w->n_pending; i++)
        candidates_add(c, w->pending[i]);
    if (w)
        w->n_pending = w->rescan = 0;
    candidates_sort(c);
}

static void stream_remember(struct scope *s, const uint8_t *d, uint32_t n, uint64_t base)
{
    s->w->seen_flow = s->flow;
    s->w->seen = d;
    s->w->seen_len = n;
    s->w->seen_base = base;
    s->w->seen_dir = s->dir;
}

/* The protocol is known: ask the rules that waited for it, about the bytes that are still there. */
static void stream_decide(struct scope *s)
{
    struct window *w = s->state->window[s->dir];
    struct verify v = { 0 };
    struct hit_source src = { .buffer = "payload", .wire = WIRE_STREAM, .dir = s->dir };
    struct candidates *c = &s->hand->candidates;

    s->state->flags &= ~((uint32_t)FLOWSTATE_UNDECIDED << s->dir);
    if (!w || w->gen != s->gen || inspect_passed(s))
        return;
    v = (struct verify){ .data = w->data, .len = w->len, .base = w->end - w->len };
    src.wire_base = v.base;
    stream_search(s, w, v.data, v.len, 0);
    for (uint32_t i = 0; i < c->n && !scope_packet(s)->passed; i++) {
        const struct rule *r = s->engine->rule[c->list[i]];

        if (r->app_proto && !inspect_fired(s, r))
            stream_rule(s, r, &v, &src, w);
        else if (!r->app_proto)
            stream_wait(s, w, r);
    }
}

void stream_decided(struct scope *s)
{
    uint32_t dir = s->dir;

    if (!s->state || !s->flow->proto)
        return;
    for (s->dir = 0; s->dir < 2; s->dir++)
        if (s->state->flags & (uint32_t)FLOWSTATE_UNDECIDED << s->dir)
            stream_decide(s);
    s->dir = dir;
}

static void stream_piece(struct scope *s, const struct ec_chunk *k, const uint8_t *d, uint32_t n, uint64_t offset)
{
    struct window *w = stream_window(s, k, offset);
    struct verify v = { .data = d, .len = n, .base = offset };
    struct hit_source src = { .buffer = "payload", .wire = WIRE_STREAM, .dir = s->dir };
    struct candidates *c = &s->hand->candidates;
    bool taken = false;

    if ((w && w->len) || s->engine->mixed) {
        uint32_t old = w ? w->len : 0;

        if (old)
            memcpy(s->hand->join, w->data, old);
        memcpy(s->hand->join + old, d, n);
        v = (struct verify){ .data = s->hand->join, .len = old + n, .base = offset - old, .fresh = old };
    }
    src.wire_base = v.base;
    if (!w)
        w = window_get(&s->w->pool, &s->state->window[s->dir], &taken);
    if (taken)
        scope_count(s, COUNT_WINDOWS_TAKEN);
    if (w)
        w->gen = s->gen;
    stream_remember(s, v.data, v.len, v.base);
    stream_search(s, w, v.data, v.len, v.fresh);
    for (uint32_t i = 0; i < c->n && !scope_packet(s)->passed; i++)
        stream_rule(s, s->engine->rule[c->list[i]], &v, &src, w);
    if (w)
        window_keep(w, d, n, offset);
}

/* A chunk that lies in its packet says where in the stream the packet stands. */
static void stream_place(struct scope *s, const struct ec_chunk *k)
{
    const struct ec_packet *p = k->packet;
    struct packet_memory *m = scope_packet(s);
    uintptr_t d = (uintptr_t)k->data, from;

    if (!p || !k->len || p->payload == EC_NOOFF)
        return;
    from = (uintptr_t)(p->data + p->payload);
    if (d < from || d >= from + p->payload_len)
        return;
    m->has_stream = true;
    m->stream_at = k->offset - (d - from);
}

void stream_inspect(struct scope *s, const struct ec_chunk *k)
{
    bool nothing = stream_nothing(&s->engine->groups.stream[s->dir]) && !s->engine->mixed;

    stream_place(s, k);
    s->w->seen_flow = NULL;
    if ((k->flags & EC_CH_DATAGRAM) || !s->state)
        return;
    stream_decided(s);
    if (!nothing && k->len && !inspect_passed(s))
        for (uint32_t at = 0; at < k->len; at += STREAM_PIECE) {
            uint32_t n = k->len - at < STREAM_PIECE ? k->len - at : STREAM_PIECE;

            stream_piece(s, k, k->data + at, n, k->offset + at);
        }
    /* What waits for the protocol goes with the flow. */
    if ((k->flags & EC_CH_END) && !(s->state->flags & (uint32_t)FLOWSTATE_UNDECIDED << s->dir))
        window_put(&s->w->pool, &s->state->window[s->dir]);
}
