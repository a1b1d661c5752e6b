/* program.h: a table of rows, compiled once into a flat list of write steps: rows with a common
 * prefix stand together, nested records that lie within the struct are unfolded, keys are ready to
 * be copied. */
#ifndef EVE_PROGRAM_H
#define EVE_PROGRAM_H
#include <stdbool.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#include "plugins/eve/json.h"

#define PROGRAM_DEPTH 16 /* of objects in objects */

struct program;
/* NULL: out of memory, or deeper than PROGRAM_DEPTH. h serves interned names; [keep] as r. */
struct program *program_compile(const struct ec_host *h, const struct ec_record *r);
void program_free(struct program *p);
/* Writes the members, each with a comma behind it, without the braces of the whole. Returns false
 * where the part is malformed (it is too short for its table, or something in it lies outside):
 * that member is left out. */
bool program_run(const struct program *p, struct json *j, const struct ec_part *part);

#endif
