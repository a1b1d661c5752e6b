#include "plugins/eve/program_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tree of names, in the order in which they first appear. */
struct node {
    char *name;
    const struct ec_row *row; /* NULL: an object */
    uint32_t base, has_off;   /* of the struct that the row belongs to */
    uint32_t has;             /* the bit, where has_off is not 0; of an object too: an optional member */
    struct node *child, *last, *next;
};

uint32_t program_width(uint16_t type)
{
    static const uint8_t width[] = {
        [EC_T_U8] = 1,
        [EC_T_U16] = 2,
        [EC_T_U32] = 4,
        [EC_T_U64] = 8,
        [EC_T_I64] = 8,
        [EC_T_F64] = 8,
        [EC_T_BOOL] = 1,
        [EC_T_IP] = 16,
        [EC_T_MAC] = 6,
        [EC_T_TIME] = 8,
        [EC_T_DURATION] = 8,
        [EC_T_SIZE] = 8,
        [EC_T_TEXT] = sizeof(struct ec_span),
        [EC_T_WIRE] = sizeof(struct ec_span),
        [EC_T_BYTES] = sizeof(struct ec_span),
        [EC_T_HEX] = sizeof(struct ec_span),
        [EC_T_ENUM] = 4,
        [EC_T_NAME] = 4,
        [EC_T_RECORD] = sizeof(struct ec_list),
        [EC_T_MAP] = sizeof(struct ec_list),
    };

    return type < sizeof width ? width[type] : 0;
}

static void node_free(struct node *n)
{
    while (n) {
        struct node *next = n->next;

        node_free(n->child);
        free(n->name);
        free(n);
        n = next;
    }
}

/* The child of this name, made where there is none yet. */
static struct node *node_child(struct node *parent, const char *name, size_t len)
{
    struct node *n;

    for (n = parent->child; n; n = n->next)
        if (strlen(n->name) == len && !memcmp(n->name, name, len) && !n->row)
            return n;
    n = calloc(1, sizeof *n);
    if (!n || !(n->name = strndup(name, len))) {
        free(n);
        return NULL;
    }
    if (parent->last)
        parent->last->next = n;
    else
        parent->child = n;
    parent->last = n;
    return n;
}

static bool tree_add(struct node *root, const struct ec_record *r, uint32_t base, int depth);

static bool tree_add_row(struct node *at, const struct ec_row *row, const struct ec_record *r,
                         uint32_t base, int depth)
{
    const char *name = row->name, *dot;

    for (; (dot = strchr(name, '.')); name = dot + 1, depth++)
        if (depth >= PROGRAM_DEPTH || !(at = node_child(at, name, (size_t)(dot - name))))
            return false;
    if (depth >= PROGRAM_DEPTH || !(at = node_child(at, name, strlen(name))))
        return false;
    at->has_off = (row->flags & EC_R_OPT) && r->has_off ? base + r->has_off : 0;
    at->has = row->has & 63;
    if (row->type == EC_T_RECORD && (row->flags & EC_R_INLINE))
        return row->sub && tree_add(at, row->sub, base + row->off, depth + 1);
    at->row = row;
    at->base = base;
    return true;
}

static bool tree_add(struct node *root, const struct ec_record *r, uint32_t base, int depth)
{
    for (uint32_t i = 0; i < r->n_row; i++) {
        const struct ec_row *row = (const void *)((const char *)r->row + (size_t)i * r->row_stride);

        if (!tree_add_row(root, row, r, base, depth))
            return false;
    }
    return true;
}

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
    s->width = op == OP_VALUE ? program_width(row->type) : (uint32_t)sizeof(struct ec_list);
    s->space = row->allow;
    if (row->type == EC_T_ENUM && row->allow && !words_split(s, row->allow))
        return false;
    if (op == OP_RECORDS)
        return row->sub && (s->sub = program_compile(p->host, row->sub));
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

struct program *program_compile(const struct ec_host *h, const struct ec_record *r)
{
    struct program *p = calloc(1, sizeof *p);
    struct node root = {0};
    bool ok = p && tree_add(&root, r, 0, 0);

    if (p) {
        p->host = h;
        p->bytes = r->bytes;
    }
    for (const struct node *n = root.child; ok && n; n = n->next)
        ok = compile_node(p, n);
    node_free(root.child);
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
