/* feature.h: the table of what is known of a finished flow, as numbers. The one list of features: names, units, help and
 * how each is computed stand in feature_list.h; models, exports, scores and the API take them from here.
 *
 * No feature tells who somebody is: no address, no port beyond its class, no time of day, no hop limit. A model that
 * knew them would learn the laboratory that it was trained in. */
#ifndef ML_FEATURE_H
#define ML_FEATURE_H
#include "plugins/ml/feature_list.h"
#include "plugins/ml/seen.h"

enum {
#define FEATURE_ID(name, unit, help, value) FEATURE_##name,
    ML_FEATURES(FEATURE_ID)
#undef FEATURE_ID
    FEATURES
};

struct feature { const char *name, *unit, *help; };
extern const struct feature feature_table[FEATURES];

/* Index of the feature of that name, −1: there is none. */
int feature_find(const char *name);
/* [wrk] Fill out[FEATURES]; NaN: there is no such value in this flow. */
void feature_values(const struct ec_flow *f, const struct seen *s, float *out);

#endif
