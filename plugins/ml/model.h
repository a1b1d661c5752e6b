/* model.h: a model as it is used: its manifest and its forest, whole and checked, or nothing. */
#ifndef ML_MODEL_H
#define ML_MODEL_H
#include "plugins/ml/feature.h"
#include "plugins/ml/forest.h"
#include "plugins/ml/manifest.h"

struct model { struct manifest manifest; struct forest forest; };

enum { MODEL_TOP = 8 };             /* features that an explanation names */
struct reason { uint32_t input; float value; double contribution; };    /* value: NaN where there is none */
struct verdict {
    double score, margin, bias, rest;       /* bias + contributions of top[] + rest = margin */
    uint32_t n;
    struct reason top[MODEL_TOP];   /* by size of the contribution, the largest first */
};

/* [cfg] Read the manifest at `path` and the file that it names, which must have its checksum. NULL with a sentence in
 * why. */
struct model *model_load(const char *path, char *why, uint32_t why_n);
void model_free(struct model *m);
/* [wrk] The row of m's inputs, out of all features. */
void model_row(const struct model *m, const float *features, float *row);
/* [wrk] Log-odds of a row. */
static inline double model_margin(const struct model *m, const float *row) { return forest_margin(&m->forest, row); }
/* [wrk] Why `margin` came out. */
void model_explain(const struct model *m, const float *row, double margin, struct verdict *v);

#endif
