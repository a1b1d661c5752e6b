#include "plugins/ids/rule/set.h"

#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/classes.h"
#include "plugins/ids/rule/file.h"
#include "plugins/ids/rule/order.h"
#include "plugins/ids/rule/vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SET_INCLUDES = 8 };

struct ruleset {
    struct arena *arena;
    struct build_cache *cache;
    struct problems problems;
    struct classes classes;
    struct vars vars;
    struct ast ast;                     /* scratch */
    struct rule **rule;
    size_t n, cap;
    uint32_t disabled, files, depth;
    const char *including[SET_INCLUDES];
};

struct ruleset *ruleset_new(void)
{
    struct ruleset *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->arena = arena_new();
    s->cache = build_cache_new();
    if (!s->arena || !s->cache) {
        ruleset_free(s);
        return NULL;
    }
    s->problems.arena = s->arena;
    vars_defaults(&s->vars);
    return s;
}

void ruleset_free(struct ruleset *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        rule_release(s->rule[i]);
    build_cache_free(s->cache);
    arena_free(s->arena);
    free(s);
}

struct vars *ruleset_vars(struct ruleset *s)
{
    return &s->vars;
}

struct arena *ruleset_arena(struct ruleset *s)
{
    return s->arena;
}

bool ruleset_classes(struct ruleset *s, const char *path, char *why, size_t n)
{
    size_t len;
    char *text = file_read(path, &len, why, n);

    if (!text)
        return false;
    classes_read(s->arena, &s->classes, path, text, len, &s->problems);
    free(text);
    return true;
}

static void set_problem(struct ruleset *s, const char *file, const struct line *l, uint32_t off, uint32_t sid,
                        enum problem_kind kind, const char *word, const char *why)
{
    struct problem at = { .file = file, .sid = sid };

    line_place(l, off, &at.line, &at.column);
    problem_add(&s->problems, kind, &at, word, why);
}

static void set_keep(struct ruleset *s, struct rule *r, const char *file, const struct line *l)
{
    struct rule **p = arena_grow(s->arena, s->rule, s->n, &s->cap, sizeof *p);

    if (!p) {
        rule_release(r);
        return;
    }
    s->rule = p;
    r->file = file;
    r->line = l->number;
    r->text = arena_text(s->arena, l->text, l->len);
    p[s->n++] = r;
}

static void set_rule(struct ruleset *s, const struct env *env, const char *file, const struct line *l)
{
    struct build b = { .arena = s->arena, .env = env, .cache = s->cache, .ast = &s->ast };
    char why[512];
    uint32_t off;
    struct rule *r;

    if (!parser_rule(l, &s->ast, &off, why, sizeof why)) {
        set_problem(s, file, l, off, s->ast.sid, PROBLEM_ERROR, NULL, why);
        return;
    }
    r = build_rule(&b);
    if (r)
        set_keep(s, r, file, l);
    else
        set_problem(s, file, l, b.off, s->ast.sid, b.kind, b.kind == PROBLEM_UNSUPPORTED ? b.word : NULL, b.why);
}

static void set_include(struct ruleset *s, const struct env *env, const char *file, const struct line *l,
                        struct token name)
{
    const char *slash = strrchr(file, '/');
    char path[4096], why[4200];

    if (name.len && name.s[0] != '/' && slash)
        snprintf(path, sizeof path, "%.*s/%.*s", (int)(slash - file), file, (int)name.len, name.s);
    else
        snprintf(path, sizeof path, "%.*s", (int)name.len, name.s);
    if (!name.len)
        snprintf(why, sizeof why, "the name of a file expected behind 'include'");
    else if (!env->may_include)
        snprintf(why, sizeof why, "include is not possible here");
    else if (ruleset_file(s, env, path, why, sizeof why))
        return;
    set_problem(s, file, l, name.off, 0, PROBLEM_ERROR, NULL, why);
}

void ruleset_text(struct ruleset *s, const struct env *env, const char *name, const char *text, size_t len)
{
    const char *file = arena_text(s->arena, name, strlen(name));
    struct env own = *env;
    struct lexer x;
    struct line l;
    struct token t;

    own.vars = &s->vars;
    own.classes = &s->classes;
    lexer_open(&x, text, len);
    while (file && lexer_next(&x, &l) > 0) {
        switch (parser_kind(&l, &t)) {
        case LINE_RULE:
            set_rule(s, &own, file, &l);
            break;
        case LINE_DISABLED:
            s->disabled++;
            break;
        case LINE_INCLUDE:
            set_include(s, env, file, &l, t);
            break;
        case LINE_COMMENT:
            break;
        }
    }
    lexer_close(&x);
}

bool ruleset_file(struct ruleset *s, const struct env *env, const char *path, char *why, size_t n)
{
    size_t len;
    char *text;

    for (uint32_t i = 0; i < s->depth; i++)
        if (!strcmp(s->including[i], path)) {
            snprintf(why, n, "%s includes itself", path);
            return false;
        }
    if (s->depth == SET_INCLUDES) {
        snprintf(why, n, "%s: more than %d files include each other", path, SET_INCLUDES);
        return false;
    }
    text = file_read(path, &len, why, n);
    if (!text)
        return false;
    s->including[s->depth++] = path;
    s->files++;
    ruleset_text(s, env, path, text, len);
    s->depth--;
    free(text);
    return true;
}

/* The one that stays of two rules with the same gid and sid: the higher revision, else the first. */
static void set_double(struct ruleset *s, const struct rule *kept, const struct rule *other)
{
    struct problem at = { .file = other->file, .line = other->line, .column = 1, .sid = other->sid };
    char why[4400];

    if (kept->rev == other->rev) {
        snprintf(why, sizeof why, "gid %u, sid %u, rev %u stands at %s:%u already; give one of them another sid or "
                 "rev", kept->gid, kept->sid, kept->rev, kept->file, kept->line);
        problem_add(&s->problems, PROBLEM_ERROR, &at, NULL, why);
    } else {
        snprintf(why, sizeof why, "rev %u is replaced by rev %u at %s:%u", other->rev, kept->rev, kept->file,
                 kept->line);
        problem_add(&s->problems, PROBLEM_NOTE, &at, NULL, why);
    }
}

bool ruleset_finish(struct ruleset *s)
{
    size_t n = 0;

    order_by_sid(s->rule, s->n);
    for (size_t i = 0; i < s->n; i++) {
        struct rule *r = s->rule[i];

        if (n && s->rule[n - 1]->gid == r->gid && s->rule[n - 1]->sid == r->sid) {
            set_double(s, s->rule[n - 1], r);
            rule_release(r);
        } else {
            s->rule[n++] = r;
        }
    }
    s->n = n;
    return order_for_inspection(s->rule, s->n) && !arena_failed(s->arena);
}

struct rule *const *ruleset_rules(const struct ruleset *s, uint32_t *n)
{
    *n = (uint32_t)s->n;
    return s->rule;
}

const struct problems *ruleset_problems(const struct ruleset *s)
{
    return &s->problems;
}

void ruleset_count(const struct ruleset *s, struct ruleset_counts *c)
{
    *c = (struct ruleset_counts){
        .loaded = (uint32_t)s->n, .errors = s->problems.count[PROBLEM_ERROR],
        .unsupported = s->problems.count[PROBLEM_UNSUPPORTED], .replaced = s->problems.count[PROBLEM_NOTE],
        .disabled = s->disabled, .files = s->files,
    };
}
