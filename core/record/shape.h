/* shape.h: what the rows of a record compile to, kept for the run and shared by all who ask. */
#ifndef RECORD_SHAPE_H
#define RECORD_SHAPE_H
#include "core/record/program.h"
#include "core/record/tree.h"

struct ec_shape {
    const struct ec_record *record;
    struct tree *tree;
    struct program *program;
    struct ec_shape *next;
};
struct shapes;

struct shapes *shapes_new(const struct ec_host *h);         /* NULL: out of memory. h: [keep] */
void shapes_free(struct shapes *s);
/* [any] The same record gives the same shape. NULL: out of memory, or record_check() refuses it. r, a
 * part's: [keep]. */
const struct ec_shape *shapes_get(struct shapes *s, const struct ec_record *r);

#endif
