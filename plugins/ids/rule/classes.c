#include "plugins/ids/rule/classes.h"

#include "plugins/ids/rule/arena.h"
#include "plugins/ids/rule/problem.h"

#include <string.h>

static const char *class_line(struct token t, struct class *c, struct arena *a)
{
    static const char head[] = "config classification:";
    struct token name, text, priority;
    int64_t v;

    if (t.len < sizeof head - 1 || memcmp(t.s, head, sizeof head - 1))
        return "'config classification: NAME,DESCRIPTION,PRIORITY' expected";
    t = token_sub(t, sizeof head - 1, t.len - (uint32_t)sizeof head + 1);
    if (!token_cut(&t, ',', &name) || !name.len || !token_cut(&t, ',', &text))
        return "a name and a description expected, with a comma between them";
    if (!token_cut(&t, ',', &priority) || !token_number(priority, 1, 255, &v))
        return "a priority from 1 to 255 expected behind the second comma";
    c->name = arena_text(a, name.s, name.len);
    c->description = arena_text(a, text.s, text.len);
    c->priority = (uint32_t)v;
    return NULL;
}

static void classes_put(struct arena *a, struct classes *c, const struct class *k)
{
    struct class *p;

    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->list[i].name, k->name)) {
            c->list[i] = *k;
            return;
        }
    p = arena_grow(a, c->list, c->n, &c->cap, sizeof *p);
    if (p) {
        c->list = p;
        p[c->n++] = *k;
    }
}

void classes_read(struct arena *a, struct classes *c, const char *file, const char *text, size_t len,
                  struct problems *ps)
{
    struct lexer x;
    struct line l;

    lexer_open(&x, text, len);
    while (lexer_next(&x, &l) > 0) {
        struct problem at = { .file = file, .line = l.number, .column = 1 };
        struct class k = { 0 };
        const char *why;

        if (l.text[0] == '#')
            continue;
        why = class_line((struct token){ l.text, l.len, 0 }, &k, a);
        if (why)
            problem_add(ps, PROBLEM_ERROR, &at, NULL, why);
        else if (k.name && k.description)
            classes_put(a, c, &k);
    }
    lexer_close(&x);
}

const struct class *classes_get(const struct classes *c, struct token name)
{
    for (size_t i = 0; i < c->n; i++)
        if (token_is(name, c->list[i].name))
            return &c->list[i];
    return NULL;
}
