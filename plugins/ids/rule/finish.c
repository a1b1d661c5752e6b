#include "plugins/ids/rule/finish.h"

#include "plugins/ids/keyword/content.h"
#include "plugins/ids/rule/build.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool finish_has_proto(const struct chain *c, uint32_t proto)
{
    for (uint32_t i = 0; i < c->view->n_slot; i++)
        if (c->view->slot[i].proto == proto)
            return true;
    return false;
}

/* The protocols that have every buffer of the rule. */
static int finish_protos(struct build *b, const struct chain *first)
{
    struct rule *r = b->rule;

    for (uint32_t i = 0; i < first->view->n_slot && r->n_proto < 16; i++) {
        uint32_t proto = first->view->slot[i].proto, j;
        bool all = !r->app_proto || r->app_proto == proto;

        for (j = 0; all && j < r->n_chain; j++)
            all = !r->chain[j]->view || finish_has_proto(r->chain[j], proto);
        for (j = 0; all && j < r->n_proto; j++)
            all = r->proto[j] != proto;
        if (all)
            r->proto[r->n_proto++] = proto;
    }
    if (r->n_proto)
        return 0;
    if (r->app_proto)
        return build_fail(b, b->ast->proto.off, "the protocol '%.*s' does not have all the buffers of this rule",
                          (int)b->ast->proto.len, b->ast->proto.s);
    return build_fail(b, 0, "no protocol has all the buffers of this rule");
}

/* flow: names a direction, so at least one of the buffers has to be offered in that direction. */
static int finish_direction(struct build *b)
{
    const struct rule *r = b->rule;
    const struct view *view = NULL;
    char word[96];

    if (r->dirs == RULE_BOTH)
        return 0;
    for (uint32_t i = 0; i < r->n_chain; i++) {
        view = view ? view : r->chain[i]->view;
        for (uint32_t j = 0; r->chain[i]->view && j < r->chain[i]->view->n_slot; j++)
            if (r->dirs & 1u << r->chain[i]->view->slot[j].dir)
                return 0;
    }
    snprintf(word, sizeof word, "%s %s", view->name, r->dirs == RULE_TO_SERVER ? "to_server" : "to_client");
    return build_unsupported(b, word, "flow says %s, and no parser offers the buffer '%s' in that direction",
                             r->dirs == RULE_TO_SERVER ? "to_server" : "to_client", view->name);
}

static int finish_where(struct build *b)
{
    struct rule *r = b->rule;

    for (uint32_t i = 0; i < r->n_chain; i++)
        if (r->chain[i]->view) {
            if (r->flags & RULE_STREAM_ONLY && r->raw)
                return build_fail(b, 0, "a rule for the raw stream alone cannot have other buffers");
            r->where = RULE_TX;
            return finish_protos(b, r->chain[i]) || finish_direction(b) ? -1 : 0;
        }
    if (r->event_proto) {           /* payload: what came with the step that raised it */
        r->where = r->n_chain ? RULE_TX : RULE_TX | RULE_RAISED;
        r->proto[r->n_proto++] = r->event_proto;
        return 0;
    }
    if (!r->raw && (r->flags & RULE_EVENT)) {
        r->where = RULE_RAISED;
        return 0;
    }
    if (!r->raw) {
        bool plain = !r->cond && r->dirs == RULE_BOTH && !r->sport && !r->dport && !r->app_proto &&
                     !(r->flags & RULE_PACKET) && !(r->flags & RULE_READS_BITS);

        r->where = RULE_HEADER;
        if (plain)
            r->flags |= RULE_IPONLY;
        return 0;
    }
    if ((r->l4 & RULE_L4_TCP) && !(r->flags & RULE_PACKET)) {
        r->where = RULE_STREAM;
        /* A distance from the start may also be meant from the start of a packet. */
        if (!(r->flags & RULE_STREAM_ONLY) && (r->raw->flags & ELEMENT_START))
            r->where |= RULE_PAYLOAD;
    }
    if (!(r->flags & RULE_STREAM_ONLY) && ((r->l4 & ~(uint32_t)RULE_L4_TCP) || (r->flags & RULE_PACKET)))
        r->where |= RULE_PAYLOAD;
    return 0;
}

static void finish_chains(struct rule *r)
{
    for (uint32_t i = 0; i < r->n_chain; i++) {
        struct chain *c = r->chain[i];

        for (uint32_t j = 0; j < c->n; j++) {
            c->flags |= c->element[j]->flags;
            c->positive += !(c->element[j]->flags & ELEMENT_NEGATED);
            if (c->element[j]->flags & ELEMENT_NEGATED)
                c->flags |= ELEMENT_WHOLE;
        }
    }
}

/* A sticky buffer that nothing looks into, and a modifier that moved the last content away, leave empty chains. */
static int finish_empty(struct build *b)
{
    struct rule *r = b->rule;
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_chain; i++) {
        if (r->chain[i]->n)
            r->chain[n++] = r->chain[i];
        else if (r->chain[i] == r->raw)
            r->raw = NULL;
        else if (r->chain[i]->view == b->view) {
            /* The array is half moved together: what has moved must not stand in it twice. */
            struct chain *empty = r->chain[i];
            for (; i < r->n_chain; i++)
                r->chain[n++] = r->chain[i];
            r->n_chain = n;
            return build_fail(b, 0, "nothing follows the buffer '%s'", empty->view->name);
        }
    }
    r->n_chain = n;
    return 0;
}

/* How rare it is: long patterns of different, unusual bytes are rare. */
static uint32_t pattern_strength(const uint8_t *p, uint32_t n)
{
    bool seen[256] = { false };
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t c = p[i];

        sum += seen[c] ? 1 : isalpha(c) ? 3 : isprint(c) || c == 0 || c == 1 || c == 0xff ? 4 : 6;
        seen[c] = true;
    }
    return sum;
}

static void finish_fast(struct build *b)
{
    struct rule *r = b->rule;
    uint32_t best = 0;

    for (uint32_t i = 0; i < r->n_chain; i++) {
        const struct chain *c = r->chain[i];

        if ((r->where & RULE_TX) && !c->view)
            continue;
        for (uint32_t j = 0; j < c->n; j++) {
            const struct content *k = content_of(c->element[j]);
            uint32_t strength;

            if (!k || (k->e.flags & ELEMENT_NEGATED))
                continue;
            strength = k == b->fast ? UINT32_MAX : pattern_strength(k->data, k->len);
            if (strength <= best)
                continue;
            best = strength;
            r->fast = (struct pattern){ k->data, k->len, k->nocase };
            if (k == b->fast && k->fast_len)
                r->fast = (struct pattern){ k->data + k->fast_off, k->fast_len, k->nocase };
            r->fast_view = c->view;
        }
    }
}

static int finish_meta(struct build *b)
{
    struct rule *r = b->rule;

    if (!(b->have & BUILD_SID))
        return build_fail(b, 0, "the rule has no sid; add 'sid:N;'");
    if (!r->msg)
        r->msg = "";
    if (!r->category)
        r->category = "";
    if (r->limit.type && !b->env->hosts)
        return build_unsupported(b, "threshold", "no service keeps the counters that thresholds need");
    return 0;
}

int finish_rule(struct build *b)
{
    if (finish_meta(b) || finish_empty(b))
        return -1;
    finish_chains(b->rule);
    if (finish_where(b))
        return -1;
    finish_fast(b);
    return 0;
}
