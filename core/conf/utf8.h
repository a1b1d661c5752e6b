/* utf8.h: is it UTF-8? (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF.) All [any]. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H
#include <stddef.h>

/* Bytes of the character that starts at s, 1…4; 0: it is no valid character, or it is cut off at n.
 * n > 0. */
size_t utf8_char(const unsigned char *s, size_t n);
/* Bytes from the start of s that are valid; n when all are. */
size_t utf8_valid(const char *s, size_t n);

#endif
