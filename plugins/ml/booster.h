/* booster.h: XGBoost's model file as a forest of ours. Its loader crashes on damaged files, so it only ever sees bytes
 * whose checksum was right; and one thread is all it gets. */
#ifndef ML_BOOSTER_H
#define ML_BOOSTER_H
#include "plugins/ml/forest.h"

/* [cfg] Load n verified bytes, of `inputs` inputs, and check f against XGBoost's own predictions on rows made up for it.
 * 0, or −1 with a sentence in why. */
int booster_forest(struct forest *f, const void *bytes, uint64_t n, uint32_t inputs, char *why, uint32_t why_n);

#endif
