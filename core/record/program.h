/* program.h: a tree of rows, compiled once into a flat list of write steps: rows with a common
 * prefix stand together, keys are ready to be copied. */
#ifndef RECORD_PROGRAM_H
#define RECORD_PROGRAM_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "core/record/json.h"
#include "core/record/tree.h"

struct program;
/* NULL: out of memory. h serves interned names; [keep]. */
struct program *program_compile(const struct ec_host *h, const struct tree *t);
void program_free(struct program *p);
/* Writes the members, each with a comma behind it, without the braces of the whole. Returns false
 * where the part is malformed (it is too short for its table, or something in it lies outside):
 * that member is left out. */
bool program_run(const struct program *p, struct json *j, const struct ec_part *part);

#endif
