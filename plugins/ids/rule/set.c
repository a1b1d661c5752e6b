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
#define SET_MANAGED "managed"      /* in the place of a file's name */

struct ruleset {
    struct arena *arena;
    struct build_cache *cache;
    struct problems problems;
    struct classes classes;
    struct vars vars;
    struct ast ast;                     /* scratch */
    struct rule **rule;
    size_t n, cap;
    struct listed *listed;
    size_t n_listed, cap_listed;
    uint32_t disabled, files, depth;
    bool managed;                       /* what is read now is no file's */
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
    free(s->listed);
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

/* The value of an option as it is written, without its quotes. */
static const char *set_option(struct ruleset *s, const char *name)
{
    for (uint32_t i = 0; i < s->ast.n_option; i++) {
        struct token t = s->ast.option[i].value;

        if (!token_is(s->ast.option[i].name, name))
            continue;
        if (t.len >= 2 && t.s[0] == '"' && t.s[t.len - 1] == '"')
            t = token_sub(t, 1, t.len - 2);
        return arena_text(s->arena, t.s, t.len);
    }
    return NULL;
}

static uint32_t set_number(const struct ruleset *s, const char *name, uint32_t otherwise)
{
    int64_t v;

    for (uint32_t i = 0; i < s->ast.n_option; i++)
        if (token_is(s->ast.option[i].name, name))
            return token_number(s->ast.option[i].value, 0, UINT32_MAX, &v) ? (uint32_t)v : otherwise;
    return otherwise;
}

static uint32_t set_priority(const struct ruleset *s, const char *classtype)
{
    struct token t = { classtype, classtype ? (uint32_t)strlen(classtype) : 0, 0 };
    const struct class *k = classtype ? classes_get(&s->classes, t) : NULL;

    return set_number(s, "priority", k ? k->priority : 3);
}

/* A line that is a rule, into the list; s->ast is of it as far as it was understood. NULL: out of memory. */
static struct listed *set_list(struct ruleset *s, const char *file, const struct line *l, enum listed_state state)
{
    const char *text = l->text;
    uint32_t len = l->len;
    struct listed *p;

    if (s->n_listed == s->cap_listed) {
        size_t more = s->cap_listed ? s->cap_listed * 2 : 64;

        if (!(p = reallocarray(s->listed, more, sizeof *p)))
            return NULL;
        s->listed = p;
        s->cap_listed = more;
    }
    for (; len && (*text == ' ' || *text == '\t'); text++)
        len--;
    p = &s->listed[s->n_listed];
    *p = (struct listed){ .gid = set_number(s, "gid", 1), .sid = s->ast.sid, .rev = set_number(s, "rev", 0),
                          .line = l->number, .state = (uint8_t)state, .managed = s->managed,
                          .number = (uint32_t)s->n_listed, .file = file };
    p->action = arena_text(s->arena, s->ast.action.s, s->ast.action.len);
    p->proto = arena_text(s->arena, s->ast.proto.s, s->ast.proto.len);
    p->msg = set_option(s, "msg");
    p->classtype = set_option(s, "classtype");
    p->priority = set_priority(s, p->classtype);
    p->text = arena_text(s->arena, text, len);
    if (!p->action || !p->proto || !p->text)
        return NULL;
    s->n_listed++;
    return p;
}

static void set_keep(struct ruleset *s, struct rule *r, const char *file, const struct line *l)
{
    struct rule **p = arena_grow(s->arena, s->rule, s->n, &s->cap, sizeof *p);
    struct listed *k = p ? set_list(s, file, l, LISTED_ENABLED) : NULL;

    if (!k) {
        rule_release(r);
        return;
    }
    s->rule = p;
    r->file = file;
    r->line = l->number;
    r->text = k->text;
    r->listed = k->number;
    k->msg = r->msg;
    k->priority = r->priority;
    k->rule = r;
    p[s->n++] = r;
}

/* A rule that is not used: by an error, or what is not known. */
static void set_refuse(struct ruleset *s, const char *file, const struct line *l, uint32_t off, enum problem_kind kind,
                       const char *word, const char *why)
{
    struct listed *k = set_list(s, file, l, kind == PROBLEM_ERROR ? LISTED_FAILED : LISTED_SKIPPED);
    uint32_t line;

    set_problem(s, file, l, off, s->ast.sid, kind, word, why);
    if (!k)
        return;
    line_place(l, off, &line, &k->column);
    k->line = line;
    k->why = arena_text(s->arena, why, strlen(why));
}

/* A rule that somebody does not want; s->ast is of it. */
static void set_leave(struct ruleset *s, const char *file, const struct line *l, enum listed_state state,
                      const char *why)
{
    struct listed *k = set_list(s, file, l, state);

    if (k)
        k->why = why;
    s->disabled += state == LISTED_DISABLED;
}

/* s->ast is of l. */
static void set_build(struct ruleset *s, const struct env *env, const char *file, const struct line *l)
{
    struct build b = { .arena = s->arena, .env = env, .cache = s->cache, .ast = &s->ast };
    struct rule *r = build_rule(&b);

    if (r)
        set_keep(s, r, file, l);
    else
        set_refuse(s, file, l, b.off, b.kind, b.kind == PROBLEM_UNSUPPORTED ? b.word : NULL, b.why);
}

static enum decision set_decide(const struct ruleset *s, const struct env *env)
{
    return env->decide && !s->managed && s->ast.sid ? env->decide(env->arg, set_number(s, "gid", 1), s->ast.sid)
        : DECIDE_WRITTEN;
}

/* Into s->ast; what the line has not, is empty there. */
static bool set_parse(struct ruleset *s, const struct line *l, uint32_t *off, char *why, size_t n)
{
    const struct token none = { "", 0, 0 };
    struct ast *a = &s->ast;

    a->action = a->proto = a->src = a->sport = a->arrow = a->dst = a->dport = none;
    return parser_rule(l, a, off, why, n);
}

static void set_rule(struct ruleset *s, const struct env *env, const char *file, const struct line *l)
{
    char why[512];
    uint32_t off;
    bool sound = set_parse(s, l, &off, why, sizeof why);

    switch (set_decide(s, env)) {
    case DECIDE_OFF:
        set_leave(s, file, l, LISTED_DISABLED, "switched off");
        break;
    case DECIDE_REPLACED:
        set_leave(s, file, l, LISTED_REPLACED, "a managed rule stands in its place");
        break;
    case DECIDE_WRITTEN:
    case DECIDE_ON:
        if (sound)
            set_build(s, env, file, l);
        else
            set_refuse(s, file, l, off, PROBLEM_ERROR, NULL, why);
        break;
    }
}

/* A rule behind a '#'. One that is broken as well stays a comment. */
static void set_commented(struct ruleset *s, const struct env *env, const char *file, const struct line *l)
{
    struct line bare = *l;
    char *text = arena_text(s->arena, l->text, l->len), why[512];
    size_t before = s->n_listed;
    enum decision d;
    uint32_t off;

    for (uint32_t i = 0; text && i < l->len && (text[i] == '#' || text[i] == ' ' || text[i] == '\t'); i++)
        text[i] = ' ';
    bare.text = text;
    if (!text || !set_parse(s, &bare, &off, why, sizeof why)) {
        s->disabled++;
        return;
    }
    d = set_decide(s, env);
    if (d == DECIDE_ON)
        set_build(s, env, file, &bare);
    else if (d == DECIDE_REPLACED)
        set_leave(s, file, &bare, LISTED_REPLACED, "a managed rule stands in its place");
    else
        set_leave(s, file, &bare, LISTED_DISABLED, "stands behind a '#'");
    if (s->n_listed > before)
        s->listed[before].commented = 1;
}

/* One that is off is listed with what can be read of it. */
static void set_managed_off(struct ruleset *s, const char *text, size_t len)
{
    char why[512];
    struct lexer x;
    struct line l;
    uint32_t off;

    lexer_open(&x, text, len);
    if (lexer_next(&x, &l) > 0) {
        set_parse(s, &l, &off, why, sizeof why);
        set_leave(s, SET_MANAGED, &l, LISTED_DISABLED, "switched off");
    }
    lexer_close(&x);
}

void ruleset_managed(struct ruleset *s, const struct env *env, const char *text, size_t len, bool off)
{
    struct env own = *env;

    own.may_include = false;
    s->managed = true;
    if (off)
        set_managed_off(s, text, len);
    else
        ruleset_text(s, &own, SET_MANAGED, text, len);
    s->managed = false;
}

struct ruleset *ruleset_like(const struct ruleset *base)
{
    struct ruleset *s = ruleset_new();

    if (s) {
        s->vars = base->vars;
        s->classes = base->classes;
    }
    return s;
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
            set_commented(s, &own, file, &l);
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
    struct listed *k = &s->listed[other->listed];
    struct problem at = { .file = other->file, .line = other->line, .column = 1, .sid = other->sid };
    char why[4400];

    if (kept->rev == other->rev) {
        snprintf(why, sizeof why, "gid %u, sid %u, rev %u stands at %s:%u already; give one of them another sid or "
                 "rev", kept->gid, kept->sid, kept->rev, kept->file, kept->line);
        problem_add(&s->problems, PROBLEM_ERROR, &at, NULL, why);
        k->state = LISTED_FAILED;
    } else {
        snprintf(why, sizeof why, "rev %u is replaced by rev %u at %s:%u", other->rev, kept->rev, kept->file,
                 kept->line);
        problem_add(&s->problems, PROBLEM_NOTE, &at, NULL, why);
        k->state = LISTED_REPLACED;
    }
    k->rule = NULL;
    k->column = 1;
    k->why = arena_text(s->arena, why, strlen(why));
}

static int by_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    if (x->gid != y->gid)
        return x->gid < y->gid ? -1 : 1;
    if (x->sid != y->sid)
        return x->sid < y->sid ? -1 : 1;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
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
    if (s->n_listed)
        qsort(s->listed, s->n_listed, sizeof *s->listed, by_listed);
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

const struct listed *ruleset_listed(const struct ruleset *s, uint32_t *n)
{
    *n = (uint32_t)s->n_listed;
    return s->listed;
}

const struct listed *ruleset_find(const struct ruleset *s, uint32_t gid, uint32_t sid)
{
    size_t from = 0, to = s->n_listed;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const struct listed *k = &s->listed[mid];

        if (k->gid < gid || (k->gid == gid && k->sid < sid))
            from = mid + 1;
        else
            to = mid;
    }
    return from < s->n_listed && s->listed[from].gid == gid && s->listed[from].sid == sid ? &s->listed[from] : NULL;
}

void ruleset_count(const struct ruleset *s, struct ruleset_counts *c)
{
    *c = (struct ruleset_counts){
        .loaded = (uint32_t)s->n, .errors = s->problems.count[PROBLEM_ERROR],
        .unsupported = s->problems.count[PROBLEM_UNSUPPORTED], .replaced = s->problems.count[PROBLEM_NOTE],
        .disabled = s->disabled, .files = s->files,
    };
}
