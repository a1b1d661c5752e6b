#include "plugins/ids/rule/build.h"

#include "plugins/ids/keyword/keyword.h"
#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/cache.h"
#include "plugins/ids/rule/finish.h"
#include "plugins/ids/rule/header.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int build_fail(struct build *b, uint32_t off, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(b->why, sizeof b->why, fmt, ap);
    va_end(ap);
    b->kind = PROBLEM_ERROR;
    b->off = off;
    return -1;
}

int build_unsupported(struct build *b, const char *word, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(b->why, sizeof b->why, fmt, ap);
    va_end(ap);
    b->kind = PROBLEM_UNSUPPORTED;
    b->word = arena_text(b->arena, word, strlen(word));
    b->off = b->option ? b->option->name.off : b->off;
    return -1;
}

const struct view *build_view(struct build *b, const char *name)
{
    const struct view *v = cache_view(b->cache, b->arena, b->env, name);

    if (!v)
        build_unsupported(b, name, "no parser offers the buffer '%s'", name);
    return v;
}

struct chain *build_chain(struct build *b, const struct view *view)
{
    struct rule *r = b->rule;
    struct chain *c;

    for (uint32_t i = 0; i < r->n_chain; i++)
        if (r->chain[i]->view == view)
            return r->chain[i];
    if (r->n_chain == RULE_CHAINS_MAX) {
        build_fail(b, b->option->name.off, "more than %d buffers in one rule", RULE_CHAINS_MAX);
        return NULL;
    }
    c = arena_alloc(b->arena, sizeof *c);
    if (!c) {
        build_fail(b, 0, "out of memory");
        return NULL;
    }
    c->view = view;
    r->chain[r->n_chain++] = c;
    if (!view)
        r->raw = c;
    return c;
}

int build_add(struct build *b, const struct view *view, struct element *e)
{
    struct chain *c = build_chain(b, view);

    if (!c)
        return -1;
    if (c->n == RULE_ELEMENTS_MAX)
        return build_fail(b, b->option->name.off, "more than %d contents in one buffer", RULE_ELEMENTS_MAX);
    e->order = b->elements++;
    c->element[c->n++] = e;
    return 0;
}

int build_cond(struct build *b, struct cond *c)
{
    struct cond **at = &b->rule->cond;

    while (*at)
        at = &(*at)->next;
    *at = c;
    return 0;
}

int build_effect(struct build *b, struct effect *e)
{
    struct effect **at = &b->rule->effect;

    while (*at)
        at = &(*at)->next;
    *at = e;
    return 0;
}

int build_quoted(struct build *b, struct token *t, bool *negated)
{
    if (negated)
        *negated = false;
    if (t->len && t->s[0] == '!') {
        if (!negated)
            return build_fail(b, t->off, "'%.*s' cannot be negated", (int)b->option->name.len, b->option->name.s);
        *negated = true;
        *t = token_trim(token_sub(*t, 1, t->len - 1));
    }
    if (t->len < 2 || t->s[0] != '"' || t->s[t->len - 1] != '"')
        return build_fail(b, t->off, "'%.*s' takes a value in double quotes", (int)b->option->name.len,
                          b->option->name.s);
    *t = token_sub(*t, 1, t->len - 2);
    return 0;
}

int build_number(struct build *b, struct token t, int64_t min, int64_t max, int64_t *v)
{
    if (token_number(t, min, max, v))
        return 0;
    return build_fail(b, t.off, "'%.*s' takes a number from %lld to %lld, not '%.*s'", (int)b->option->name.len,
                      b->option->name.s, (long long)min, (long long)max, (int)(t.len > 40 ? 40 : t.len), t.s);
}

/* Length of the UTF-8 character at s (RFC 3629), 0: none. */
static uint32_t text_utf8(const unsigned char *s, uint32_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    uint32_t c = len < 2 ? s[0] : s[0] & (0x7fu >> len);

    if (!len || len > n)
        return 0;
    for (uint32_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((len > 1 && c < least[len]) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        return 0;
    return len;
}

const char *build_text(struct build *b, struct token t)
{
    char *out = arena_alloc(b->arena, 4 * (size_t)t.len + 1);
    size_t n = 0;

    if (!out) {
        build_fail(b, 0, "out of memory");
        return NULL;
    }
    for (uint32_t i = 0; i < t.len;) {
        uint32_t len = text_utf8((const unsigned char *)t.s + i, t.len - i);

        if (t.s[i] == '\\' && i + 1 < t.len && strchr("\";:\\", t.s[i + 1])) {
            out[n++] = t.s[i + 1];
            i += 2;
        } else if (len && (len > 1 || ((unsigned char)t.s[i] >= 0x20 && t.s[i] != 0x7f))) {
            memcpy(out + n, t.s + i, len);
            n += len;
            i += len;
        } else {
            n += (size_t)sprintf(out + n, "\\x%02x", (unsigned char)t.s[i++]);
        }
    }
    return out;
}

static int build_option(struct build *b, const struct ast_option *o)
{
    const struct keyword *k = keyword_find(o->name);
    char name[80];

    b->option = o;
    if (!k) {
        snprintf(name, sizeof name, "%.*s", (int)(o->name.len > 79 ? 79 : o->name.len), o->name.s);
        return keyword_fallback(b, name);
    }
    if ((k->flags & KW_VALUE) && !o->value.len)
        return build_fail(b, o->name.off, "'%s' needs a value", k->name);
    if ((k->flags & KW_BARE) && o->has_value)
        return build_fail(b, o->value.off, "'%s' takes no value", k->name);
    return k->parse(b);
}

struct rule *build_rule(struct build *b)
{
    struct rule *r = arena_alloc(b->arena, sizeof *r);

    if (!r) {
        build_fail(b, 0, "out of memory");
        return NULL;
    }
    b->rule = r;
    r->gid = 1;
    r->priority = 3;
    r->dirs = RULE_BOTH;
    if (header_build(b))
        goto failed;
    for (uint32_t i = 0; i < b->ast->n_option; i++)
        if (build_option(b, &b->ast->option[i]))
            goto failed;
    b->option = NULL;
    if (finish_rule(b))
        goto failed;
    if (!arena_failed(b->arena))
        return r;
    build_fail(b, 0, "out of memory");
failed:
    rule_release(r);
    return NULL;
}

void rule_release(struct rule *r)
{
    for (uint32_t i = 0; i < r->n_chain; i++)
        for (uint32_t j = 0; j < r->chain[i]->n; j++)
            if (r->chain[i]->element[j]->release)
                r->chain[i]->element[j]->release(r->chain[i]->element[j]);
    for (struct cond *c = r->cond; c; c = c->next)
        if (c->release)
            c->release(c);
}
