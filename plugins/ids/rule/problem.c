#include "plugins/ids/rule/problem.h"

#include "plugins/ids/rule/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *problem_copy(struct arena *a, const char *s)
{
    return s ? arena_text(a, s, strlen(s)) : NULL;
}

void problem_add(struct problems *ps, enum problem_kind kind, const struct problem *where, const char *word,
                 const char *text)
{
    struct problem *list = arena_grow(ps->arena, ps->list, ps->n, &ps->cap, sizeof *list);

    ps->count[kind]++;
    if (!list)
        return;
    ps->list = list;
    list[ps->n] = *where;
    list[ps->n].kind = kind;
    /* Problems of one file share its name: rule sets have ten thousands of them. */
    if (ps->n && list[ps->n - 1].file && where->file && !strcmp(list[ps->n - 1].file, where->file))
        list[ps->n].file = list[ps->n - 1].file;
    else
        list[ps->n].file = problem_copy(ps->arena, where->file);
    list[ps->n].word = problem_copy(ps->arena, word);
    list[ps->n].text = problem_copy(ps->arena, text);
    ps->n++;
}

int problem_print(const struct problem *p, char *out, size_t n)
{
    char sid[32] = "";

    if (p->sid)
        snprintf(sid, sizeof sid, "sid %u: ", p->sid);
    if (!p->line)
        return snprintf(out, n, "%s: %s%s", p->file ? p->file : "-", sid, p->text ? p->text : "");
    return snprintf(out, n, "%s:%u:%u: %s%s", p->file ? p->file : "-", p->line, p->column, sid,
                    p->text ? p->text : "");
}

struct problem_word { const char *word; uint32_t n; const struct problem *first; };

static int problem_by_word(const void *a, const void *b)
{
    const struct problem *x = *(const struct problem *const *)a, *y = *(const struct problem *const *)b;
    int d = strcmp(x->word, y->word);

    return d ? d : (x > y) - (x < y);
}

static int problem_by_count(const void *a, const void *b)
{
    const struct problem_word *x = a, *y = b;

    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->word, y->word);
}

void problem_words(const struct problems *ps, void (*fn)(void *arg, const char *word, uint32_t n,
                   const struct problem *first), void *arg)
{
    const struct problem **by = calloc(ps->n + 1, sizeof *by);
    struct problem_word *words = calloc(ps->n + 1, sizeof *words);
    size_t n = 0, w = 0;

    for (size_t i = 0; by && words && i < ps->n; i++)
        if (ps->list[i].word)
            by[n++] = &ps->list[i];
    if (n)
        qsort(by, n, sizeof *by, problem_by_word);
    for (size_t i = 0; i < n; i++) {
        if (!i || strcmp(by[i]->word, by[i - 1]->word))
            words[w++] = (struct problem_word){ by[i]->word, 0, by[i] };
        words[w - 1].n++;
    }
    if (w)
        qsort(words, w, sizeof *words, problem_by_count);
    for (size_t i = 0; i < w; i++)
        fn(arg, words[i].word, words[i].n, words[i].first);
    free(by);
    free(words);
}
