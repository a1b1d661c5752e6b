/* record.h: checks of the tables that plugins hand over: records of topics and options. A table
 * that passes can be walked without further checks: names are there, offsets lie inside the
 * author's struct, sub-records end. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H
#include <stdbool.h>
#include <stdint.h>
struct ec_record;
struct ec_row;

#define RECORD_DEPTH 8              /* of sub-records */
#define RECORD_OBJECTS 16           /* of JSON, one within the other, that a name or a record in the struct opens */
#define RECORD_ROWS 1024

enum record_kind { RECORD_PART, RECORD_ELEMENT, RECORD_OPTIONS };
/* 0, or EC_EINVAL and a sentence that names the row. [any] */
int record_check(const struct ec_record *r, enum record_kind kind, char *why, uint32_t n);
/* Row i at the author's stride, copied over zeroes into *row where his is shorter. */
const struct ec_row *record_row(const struct ec_record *r, uint32_t i, struct ec_row *row);
bool record_name_ok(const char *name);          /* a plugin's: [a-z][a-z0-9_]{0,31} */

#endif
