/* explain: prints the alerts of an eve.json for people. */
#ifndef ECYBER_CLI_EXPLAIN_H
#define ECYBER_CLI_EXPLAIN_H

#include <stdio.h>
struct json_object;

/* Reads one EVE event a line from in (called name in messages) and prints each alert to out: time, rule, endpoints,
 * and for each match its buffer, offset, length and bytes, with control characters as \xHH. Returns the number
 * of alerts, or -1 after a message on stderr: a line that is not a JSON object, or an input or output error. */
long explain_stream(FILE *in, FILE *out, const char *name);

/* One alert, an object as eve.json has it. */
void explain_alert(FILE *out, struct json_object *event);

/* `ecyberctl explain [FILE | -]`: the exit code. */
int explain_main(int argc, char **argv);

#endif
