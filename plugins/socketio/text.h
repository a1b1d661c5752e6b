/* text.h: bytes that grow. Running out of memory is remembered (bad), not reported each time. */
#ifndef SOCKETIO_TEXT_H
#define SOCKETIO_TEXT_H
#include <stdbool.h>
#include <stddef.h>

struct text { char *p; size_t n, cap; bool bad; };  /* p is not NUL-terminated; zeroed: empty */

void text_free(struct text *t);
char *text_room(struct text *t, size_t n);          /* n bytes behind the end, not counted yet; NULL: no memory */
void text_add(struct text *t, const void *p, size_t n);
void text_puts(struct text *t, const char *s);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *t, const char *fmt, ...);   /* at most 511 bytes */
void text_json(struct text *t, const char *s);      /* a JSON string with its quotes; s is valid UTF-8 */
bool text_utf8(const char *s, size_t n);            /* is it valid UTF-8? (RFC 3629 §4) */

#endif
