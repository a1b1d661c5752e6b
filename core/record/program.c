#include "core/record/program_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct step *step_add(struct program *p, uint8_t op, const char *name)
{
    struct step *s;

    if (p->n == p->cap) {
        struct step *grown = realloc(p->step, (p->cap * 2 + 16) * sizeof *grown);

        if (!grown)
            return NULL;
        p->step = grown;
        p->cap = p->cap * 2 + 16;
    }
    s = &p->step[p->n++];
    memset(s, 0, sizeof *s);
    s->op = op;
    if (name) {
        int len = asprintf(&s->key, "\"%s\":", name);

        if (len < 0) {
            s->key = NULL;
            return NULL;
        }
        s->key_len = (uint32_t)len;
    }
    return s;
}

static bool words_split(struct step *s, const char *words)
{
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, ",");
        char **grown = realloc(s->word, (s->n_word + 1) * sizeof *grown);

        if (!grown)
            return false;
        s->word = grown;
        if (asprintf(&s->word[s->n_word], "\"%.*s\"", (int)len, at) < 0)
            return false;
        s->n_word++;
        at += len + (at[len] == ',');
    }
    return true;
}

static bool compile_row(struct program *p, const struct node *n)
{
    const struct ec_row *row = n->row;
    bool list = row->flags & EC_R_LIST;
    uint8_t op = row->type == EC_T_MAP      ? (list ? OP_MAP_LIST : OP_MAP)
                 : row->type == EC_T_RECORD ? OP_RECORDS
                 : list                     ? OP_LIST
                                            : OP_VALUE;
    struct step *s = step_add(p, op, n->name);

    if (!s)
        return false;
    s->type = (uint8_t)row->type;
    s->off = n->base + row->off;
    s->has_off = n->has_off;
    s->has = n->has;
    s->always = n->has_off != 0;
    s->secret = (row->flags & EC_R_SECRET) != 0;
    s->width = op == OP_VALUE ? tree_width(row->type) : (uint32_t)sizeof(struct ec_list);
    s->space = row->allow;
    if (row->type == EC_T_ENUM && row->allow && !words_split(s, row->allow))
        return false;
    if (op == OP_RECORDS)
        return n->sub && (s->sub = program_compile(p->host, n->sub));
    return true;
}

static bool compile_node(struct program *p, const struct node *n)
{
    uint32_t open = p->n;

    if (n->row)
        return compile_row(p, n);
    if (!step_add(p, OP_OPEN, n->name))
        return false;
    p->step[open].has_off = n->has_off;
    p->step[open].has = n->has;
    for (const struct node *c = n->child; c; c = c->next)
        if (!compile_node(p, c))
            return false;
    if (!step_add(p, OP_CLOSE, NULL))
        return false;
    p->step[open].skip = p->n - 1 - open;
    return true;
}

struct program *program_compile(const struct ec_host *h, const struct tree *t)
{
    struct program *p = calloc(1, sizeof *p);
    bool ok = p != NULL;

    if (p) {
        p->host = h;
        p->bytes = t->bytes;
    }
    for (const struct node *n = t->root.child; ok && n; n = n->next)
        ok = compile_node(p, n);
    if (ok)
        return p;
    program_free(p);
    return NULL;
}

void program_free(struct program *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n; i++) {
        for (uint32_t w = 0; w < p->step[i].n_word; w++)
            free(p->step[i].word[w]);
        free(p->step[i].word);
        free(p->step[i].key);
        program_free(p->step[i].sub);
    }
    free(p->step);
    free(p);
}
