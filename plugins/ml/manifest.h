/* manifest.h: what stands beside a model: which file, its checksum, which features in which order, the threshold, and
 * what was normal in training. JSON; anything that is missing, unknown or out of range is an error with a sentence. */
#ifndef ML_MANIFEST_H
#define ML_MANIFEST_H
#include <stdint.h>

enum { MANIFEST_MAX = 1 << 20, MANIFEST_INPUTS = 256, MANIFEST_TEXT = 256 };

struct manifest_input {
    uint32_t feature;               /* index in feature_table */
    double low, high;               /* 5th and 95th percentile of normal flows in training */
};

struct manifest {
    char id[64];                    /* "flow-1": letters, digits, '-', '.', '_' */
    char file[128];                 /* of the model, beside the manifest */
    char trained[32];               /* a date */
    char about[MANIFEST_TEXT];
    uint8_t sha256[32];
    double threshold;               /* of the probability */
    uint32_t inputs, rows;          /* rows: in training */
    struct manifest_input input[MANIFEST_INPUTS];
};

/* [cfg] Read n bytes of JSON. 0, or −1 with a sentence in why. */
int manifest_read(struct manifest *m, const char *json, uint32_t n, char *why, uint32_t why_n);

#endif
