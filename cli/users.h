/* users.h: what the commands about users share. */
#ifndef CLI_USERS_H
#define CLI_USERS_H
#include "cli/cli.h"

#include <stddef.h>

#define PASSWORD_ROOM 1024

/* All users, a JSON array to be put; NULL: *code says it, and why was printed. */
struct json_object *users_all(const struct cli *c, int *code);
/* The number of the user of that name, as text. 0, or an exit code after a message. */
int user_number(const struct cli *c, const char *name, char *to, size_t n);
/* POST /api/users/{id}/reset-password: as api_call(). */
struct json_object *user_reset(const struct cli *c, const char *id, struct json_object *body, int *code);
struct json_object *words(const char *text); /* "a,b" as an array */
/* Twice from the terminal, without showing it; otherwise the first line of standard input. Not empty. 0; −1 after a
 * message. */
int password_ask(char to[PASSWORD_ROOM]);

#endif
