#include "plugins/ml/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 };

bool forest_open(struct forest *f, uint32_t trees, uint32_t nodes, uint32_t inputs, float base)
{
    memset(f, 0, sizeof *f);
    if (!trees || trees > FOREST_TREES || !nodes || nodes > FOREST_NODES || !inputs || inputs > FOREST_INPUTS)
        return false;
    f->node = calloc(nodes, sizeof *f->node);
    f->mean = calloc(nodes, sizeof *f->mean);
    /* The last group of lanes is filled up with the last tree. */
    f->root = calloc(trees + LANES, sizeof *f->root);
    f->inputs = inputs;
    f->base = base;
    f->bias = base;
    if (f->node && f->mean && f->root)
        return true;
    forest_close(f);
    return false;
}

void forest_close(struct forest *f)
{
    free(f->node);
    free(f->mean);
    free(f->root);
    memset(f, 0, sizeof *f);
}

/* Copy node `raw` of t to place `at`, then its children side by side behind all that is there. */
static const char *place(struct forest *f, const struct raw_tree *t, uint32_t raw, uint32_t at, uint32_t end,
                         uint32_t depth)
{
    struct node *n = &f->node[at];
    int32_t l = t->left[raw], r = t->right[raw];
    const char *why;

    if (depth > f->depth)
        f->depth = depth;
    n->left = at;
    if (l < 0 && r < 0) {
        n->value = t->split[raw];
        f->mean[at] = n->value;
        return isfinite(n->value) ? NULL : "a leaf that is no number";
    }
    if (l <= 0 || r <= 0 || (uint32_t)l >= t->nodes || (uint32_t)r >= t->nodes)
        return "a child that does not exist";
    if (depth == FOREST_DEPTH)
        return "a tree that is too deep or a circle";
    if (f->nodes + 2 > end)
        return "a node with two parents";
    if (t->input[raw] >= f->inputs || isnan(t->split[raw]))
        return "a split of an input that does not exist";
    n->split = t->split[raw];
    n->input = (uint16_t)t->input[raw];
    n->missing_left = t->missing_left[raw] != 0;
    n->inner = 1;
    n->left = f->nodes;
    f->nodes += 2;
    why = place(f, t, (uint32_t)l, n->left, end, depth + 1);
    if (!why)
        why = place(f, t, (uint32_t)r, n->left + 1, end, depth + 1);
    if (!why && t->cover[raw] > 0)
        f->mean[at] = (f->mean[n->left] * t->cover[l] + f->mean[n->left + 1] * t->cover[r]) / t->cover[raw];
    return why ? why : isfinite(f->mean[at]) ? NULL : "a cover that is no number";
}

const char *forest_add(struct forest *f, const struct raw_tree *t)
{
    uint32_t root = f->nodes, end = root + t->nodes;
    const char *why;

    f->nodes++;
    why = place(f, t, 0, root, end, 0);
    if (why)
        return why;
    for (uint32_t i = f->trees; i < f->trees + LANES; i++)
        f->root[i] = root;
    f->trees++;
    f->bias += f->mean[root];
    return NULL;
}

/* Where n sends x: 0 left, 1 right; a leaf stays where it is. All arithmetic, no jump. */
static inline uint32_t step(const struct node *n, const float *row)
{
    float x = row[n->input];
    uint32_t left = (uint32_t)(x < n->split) | ((uint32_t)(x != x) & n->missing_left);

    return n->left + ((left ^ 1u) & n->inner);
}

float forest_margin(const struct forest *f, const float *row)
{
    const struct node *node = f->node;
    float sum = f->base;

    for (uint32_t t = 0; t < f->trees; t += LANES) {
        uint32_t at[LANES], lanes = f->trees - t < LANES ? f->trees - t : LANES;
        memcpy(at, f->root + t, sizeof at);
        for (uint32_t d = 0; d < f->depth; d++)
            for (uint32_t i = 0; i < LANES; i++)
                at[i] = step(&node[at[i]], row);
        for (uint32_t i = 0; i < lanes; i++)
            sum += node[at[i]].value;
    }
    return sum;
}

void forest_contributions(const struct forest *f, const float *row, double *out)
{
    memset(out, 0, f->inputs * sizeof *out);
    for (uint32_t t = 0; t < f->trees; t++)
        for (uint32_t at = f->root[t]; f->node[at].inner;) {
            uint32_t next = step(&f->node[at], row);
            out[f->node[at].input] += f->mean[next] - f->mean[at];
            at = next;
        }
}

double forest_probability(double margin) { return 1.0 / (1.0 + exp(-margin)); }
