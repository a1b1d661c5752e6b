#include "core/record/tree.h"

#include <stdlib.h>
#include <string.h>

uint32_t tree_width(uint16_t type)
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
        tree_free(n->sub);
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

static bool tree_add(struct tree *t, struct node *root, const struct ec_record *r, uint32_t base,
                     int depth);

static bool tree_add_row(struct tree *t, struct node *at, const struct ec_row *row,
                         const struct ec_record *r, uint32_t base, int depth)
{
    const char *name = row->name, *dot;

    for (; (dot = strchr(name, '.')); name = dot + 1, depth++)
        if (depth >= TREE_DEPTH || !(at = node_child(at, name, (size_t)(dot - name))))
            return false;
    if (depth >= TREE_DEPTH || !(at = node_child(at, name, strlen(name))))
        return false;
    at->has_off = (row->flags & EC_R_OPT) && r->has_off ? base + r->has_off : 0;
    at->has = row->has & 63;
    if (row->type == EC_T_RECORD && (row->flags & EC_R_INLINE))
        return row->sub && tree_add(t, at, row->sub, base + row->off, depth + 1);
    at->row = row;
    at->base = base;
    t->secret |= (row->flags & EC_R_SECRET) != 0;
    if (row->type == EC_T_RECORD) {
        at->sub = row->sub ? tree_build(row->sub) : NULL;
        t->secret |= at->sub && at->sub->secret;
        return at->sub != NULL;
    }
    return true;
}

static bool tree_add(struct tree *t, struct node *root, const struct ec_record *r, uint32_t base,
                     int depth)
{
    for (uint32_t i = 0; i < r->n_row; i++) {
        const struct ec_row *row = (const void *)((const char *)r->row + (size_t)i * r->row_stride);

        if (!tree_add_row(t, root, row, r, base, depth))
            return false;
    }
    return true;
}

struct tree *tree_build(const struct ec_record *r)
{
    struct tree *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->bytes = r->bytes;
    if (tree_add(t, &t->root, r, 0, 0))
        return t;
    tree_free(t);
    return NULL;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    node_free(t->root.child);
    free(t);
}

const struct node *tree_find(const struct node *parent, const char *name)
{
    for (const struct node *n = parent->child; n; n = n->next)
        if (!strcmp(n->name, name))
            return n;
    return NULL;
}
