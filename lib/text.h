/* text.h: bytes that grow, and JSON written into them. Running out of memory is remembered (bad), not reported each
 * time. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H
#include <stdbool.h>
#include <stddef.h>

struct text { char *p; size_t n, cap; bool bad; };  /* p is not NUL-terminated; zeroed: empty */

void text_free(struct text *t);
char *text_room(struct text *t, size_t n);          /* n bytes behind the end, not counted yet; NULL: no memory */
void text_add(struct text *t, const void *p, size_t n);
void text_puts(struct text *t, const char *s);
/* at most 1,023 bytes */
__attribute__((format(printf, 2, 3))) void text_printf(struct text *t, const char *fmt, ...);
/* A JSON string with its quotes; what is not UTF-8 becomes U+FFFD. NULL: null. */
void text_json(struct text *t, const char *s, size_t n);
void text_jsons(struct text *t, const char *s);
/* A comma where the last byte is neither an opening bracket nor a colon nor a comma. */
void text_comma(struct text *t);
void text_key(struct text *t, const char *key);     /* comma, quoted key, colon */
bool text_utf8(const char *s, size_t n);            /* is it valid UTF-8? */
void text_pair(struct text *t, const char *key, const char *value);     /* value NULL: nothing is written */

#endif
