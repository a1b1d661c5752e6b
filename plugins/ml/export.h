/* export.h: the features of every flow as CSV, to train from: so training and scoring share one implementation. The
 * first columns say which flow it is, for labels; they are no features. */
#ifndef ML_EXPORT_H
#define ML_EXPORT_H
#include "plugins/ml/sdk.h"

#include "plugins/ml/feature.h"

enum { EXPORT_BUFFER = 65536, EXPORT_ROW = 4096 };

struct export { int fd; };          /* -1: none */
struct export_buffer { uint32_t used; uint64_t lost; char text[EXPORT_BUFFER]; };   /* of one worker */

/* [ctl] Start the file anew with its line of names. EC_OK or a negative errno. */
int export_open(struct export *x, const char *path);
void export_close(struct export *x);
/* [wrk] One row; written when the buffer is full, whole rows at once. This may block: it is for training only. */
void export_row(const struct export *x, struct export_buffer *b, const struct ec_flow *f, const float *features);
void export_flush(const struct export *x, struct export_buffer *b);

#endif
