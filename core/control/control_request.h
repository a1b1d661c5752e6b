/* control_request.h: a request to words, and words to a reply. Pure but for the handlers that it
 * calls. */
#ifndef CORE_CONTROL_REQUEST_H
#define CORE_CONTROL_REQUEST_H
#include <stdbool.h>
#include <stdint.h>

#define CONTROL_WORDS 16

/* Splits line in place at blanks. A word may stand in double quotes, in which \" and \\ are
 * escapes. Returns the number of words (word[] is ended with NULL), or −1: too many words, an open
 * quote, a control character. */
int control_split(char *line, char *word[CONTROL_WORDS + 1]);

/* Who asks from here on: root or the daemon's own user? [ctl] */
void control_asker(bool is_owner);
/* The reply to one request as JSON text with its newline; free() it. NULL: out of memory. [ctl] */
char *control_reply(char *line);
char *control_reply_error(const char *code, const char *message);

#endif
