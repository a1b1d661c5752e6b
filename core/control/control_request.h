/* control_request.h: a request to words, and words to a reply (control_ask() in control.h). Pure but
 * for the handlers that it calls. */
#ifndef CORE_CONTROL_REQUEST_H
#define CORE_CONTROL_REQUEST_H
#include <stdbool.h>
#include <stdint.h>

#define CONTROL_WORDS 16

/* Splits line in place at blanks. A word may stand in double quotes, in which \" and \\ are
 * escapes. Returns the number of words (word[] is ended with NULL), or −1: too many words, an open
 * quote, a control character. */
int control_split(char *line, char *word[CONTROL_WORDS + 1]);

char *control_reply_error(const char *code, const char *message);

#endif
