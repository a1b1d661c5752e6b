/* row.h: one value of an option, as text, checked against its ec_row. All [any]; nothing is kept.
 *
 * Bounds (min, max) hold for the value of a number, duration (ns) or size (bytes), and for the
 * bytes of a text, of each element where there are several. `allow` of a TEXT may name a format:
 * "cidr" (an address or a network), "octal" (a file mode); other formats are not checked here. */
#ifndef CORE_ROW_H
#define CORE_ROW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define EC_API_LEVEL 1
#include <ecyber/plugin.h>

#define ROW_LIST_MAX 65536 /* elements of a list or mapping */
#define ROW_MASK     "********"

struct row_value {
    int64_t num; /* numbers, BOOL, ENUM (index of the word), TIME and DURATION (ns), SIZE (bytes) */
    double f64;  /* F64 */
};

/* The i-th row of a table, whatever its stride. */
static inline const struct ec_row *row_at(const struct ec_record *r, uint32_t i)
{
    return (const struct ec_row *)(const void *)((const char *)r->row + (size_t)i * r->row_stride);
}
const struct ec_row *row_find(const struct ec_record *r, const char *name); /* NULL: none */

/* Reads one value (of a list: one element) into v. Otherwise false, and why says what is wrong and
 * what is accepted; it quotes the text, but never that of an EC_R_SECRET row. */
bool row_parse(const struct ec_row *r, const char *text, struct row_value *v, char *why, size_t n);
bool row_is_numeric(const struct ec_row *r); /* its value is in row_value.num */
const char *row_type_name(uint16_t type);    /* "number", "duration", …, for sentences */

/* Is this table fit for options? Types, names, bounds and no name within another; defaults are not
 * looked at. */
bool row_options_check(const struct ec_record *r, char *why, size_t n);

/* row_number.c. Each takes the whole text or returns false. */
bool row_number(const char *text, int64_t *v); /* decimal or 0x; false also where it does not fit */
bool row_decimal(const char *text, double *v); /* whatever the locale; not finite: false */
bool row_duration(const char *text, int64_t *ns); /* "90s" "1.5h" "250ms"; bare: seconds */
bool row_size(const char *text, int64_t *bytes);  /* "64MiB" "10k" (1024); bare: bytes */
bool row_time(const char *text, int64_t *ns);     /* RFC 3339 (EVE's zone, too), or a date alone; 1970…2262 */
void row_bound_text(uint16_t type, int64_t v, char *to,
                    size_t n); /* as it would be written: "5m", "64MiB" */

#endif
