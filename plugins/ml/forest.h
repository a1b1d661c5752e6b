/* forest.h: gradient-boosted trees, flattened so that a row is scored without a branch that depends on it, eight trees
 * at once. Sums are made in XGBoost's own order and width, so a margin is bit for bit what its predictor gives. */
#ifndef ML_FOREST_H
#define ML_FOREST_H
#include <stdbool.h>
#include <stdint.h>

enum { FOREST_TREES = 2000, FOREST_NODES = 1 << 20, FOREST_DEPTH = 32, FOREST_INPUTS = 1024 };

struct node {
    float split;                    /* x < split: left */
    uint32_t left;                  /* the right child stands behind it; a leaf's is itself */
    uint16_t input;                 /* index into the row */
    uint8_t missing_left, inner;    /* NaN goes left; 0: a leaf */
    float value;                    /* of a leaf */
};

struct forest {
    struct node *node;
    double *mean;                   /* of each node: mean of the leaves below it, weighted by cover */
    uint32_t *root;                 /* of each tree */
    uint32_t trees, nodes, depth;   /* depth: steps to the deepest leaf */
    uint32_t inputs;                /* length of a row */
    float base;                     /* margin before the first tree */
    double bias;                    /* base and the means of all roots: what is known before looking at the row */
};

/* A tree as XGBoost writes it: nodes in its own order, the root first. */
struct raw_tree {
    uint32_t nodes;
    const int32_t *left, *right;    /* −1: a leaf */
    const uint32_t *input;
    const float *split;             /* of a leaf: its value */
    const uint8_t *missing_left;
    const float *cover;
};

/* [cfg] Reserve room for trees and nodes; false: too many or no memory. */
bool forest_open(struct forest *f, uint32_t trees, uint32_t nodes, uint32_t inputs, float base);
/* [cfg] Append t. NULL, or what is wrong with it: an index out of range, a cycle, too deep. */
const char *forest_add(struct forest *f, const struct raw_tree *t);
void forest_close(struct forest *f);

/* [wrk] The margin (log-odds) of a row of f->inputs values; NaN is a missing one. */
float forest_margin(const struct forest *f, const float *row);
/* [wrk] What each input added to the margin: at each split, the step from the node's mean to its child's goes to the
 * split's input (Saabas; XGBoost's approx_contribs). out[f->inputs] is filled; with f->bias they add up to the margin. */
void forest_contributions(const struct forest *f, const float *row, double *out);
/* The logistic function. */
double forest_probability(double margin);

#endif
