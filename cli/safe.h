/* safe.h: text from the network on a terminal. Control characters (C0, DEL, C1) and those that turn the direction of
 * writing come out as \xHH and \uHHHH, and what is no UTF-8 as \xHH: nothing that a capture held drives the terminal or
 * hides what stands there. */
#ifndef CLI_SAFE_H
#define CLI_SAFE_H
#include <stdio.h>

/* A copy, to be freed; NULL: out of memory. text NULL: "". */
char *safe_text(const char *text);
void safe_print(FILE *out, const char *text);
/* JSON text: DEL, C1 and the turning ones inside of its strings, which JSON leaves as they are, as \uHHHH. */
void safe_json(FILE *out, const char *json);

#endif
