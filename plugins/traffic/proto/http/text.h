/* text.h: a byte string that grows up to a bound. */
#ifndef TRAFFIC_HTTP_TEXT_H
#define TRAFFIC_HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_MAX 65536              /* what would go beyond is cut */

struct text { uint8_t *p; uint32_t n, room; };

/* False: cut, or out of memory. */
bool text_add(struct text *t, const void *p, uint32_t n);
/* Forget the first n bytes. */
void text_shift(struct text *t, uint32_t n);
void text_free(struct text *t);

#endif
