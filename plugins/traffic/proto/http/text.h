/* text.h: a byte string that grows up to a bound. */
#ifndef TRAFFIC_HTTP_TEXT_H
#define TRAFFIC_HTTP_TEXT_H

#include <htp/htp.h>
#include <stdbool.h>
#include <stdint.h>

#define TEXT_MAX 65536              /* what would go beyond is cut */

struct text { uint8_t *p; uint32_t n, room; };

/* False: cut, or out of memory. */
bool text_add(struct text *t, const void *p, uint32_t n);
/* Forget the first n bytes. */
void text_shift(struct text *t, uint32_t n);
void text_free(struct text *t);
/* The header of that name, as htp_table_get_c() finds it, which looks at each byte of each name. NULL: none, or no table.
 * name: n bytes. */
const htp_header_t *text_header(const htp_table_t *table, const char *name, size_t n);
#define TEXT_HEADER(table, name) text_header(table, name, sizeof name - 1)

#endif
