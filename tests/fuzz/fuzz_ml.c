/* The reader of model manifests; and trees made of the same bytes, which must be refused or walk to an end. */
/* covers: plugins/ml/forest.c plugins/ml/manifest.c */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/ml/forest.h"
#include "plugins/ml/manifest.h"

enum { NODES = 40, INPUTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void trees(const uint8_t *data, size_t n)
{
    int32_t left[NODES], right[NODES];
    uint32_t input[NODES], nodes = (uint32_t)(n / 4 < NODES ? n / 4 : NODES);
    float split[NODES], cover[NODES], row[INPUTS] = { 1, NAN, -3, 0 };
    uint8_t missing[NODES];
    double contribution[INPUTS];
    struct raw_tree t = { nodes, left, right, input, split, missing, cover };
    struct forest f;

    for (uint32_t i = 0; i < nodes; i++) {
        left[i] = (int8_t)data[4 * i];
        right[i] = (int8_t)data[4 * i + 1];
        input[i] = data[4 * i + 2] % (INPUTS + 1);
        split[i] = (float)(int8_t)data[4 * i + 3];
        cover[i] = data[4 * i + 3];
        missing[i] = data[4 * i + 2] & 1;
    }
    if (!nodes || !forest_open(&f, 1, nodes, INPUTS, 0))
        return;
    if (!forest_add(&f, &t)) {
        float margin = forest_margin(&f, row);
        if (!isfinite(margin))
            abort();
        forest_contributions(&f, row, contribution);
    }
    forest_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct manifest m;
    char why[256] = "";
    char *json = malloc(n + 1);

    if (!json)
        return 0;
    memcpy(json, data, n);
    json[n] = '\0';
    if (manifest_read(&m, json, (uint32_t)n, why, sizeof why)) {
        if (!*why)
            abort();
    } else if (!m.inputs || strchr(m.file, '/') || !(m.threshold > 0 && m.threshold < 1)) {
        abort();
    }
    free(json);
    trees(data, n);
    return 0;
}
