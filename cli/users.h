/* users.h: what the commands about users share. */
#ifndef CLI_USERS_H
#define CLI_USERS_H
#include "cli/cli.h"

#define PASSWORD_ROOM 1024

/* All users, a JSON array to be put; NULL: *code says it, and why was printed. */
struct json_object *users_all(const struct cli *c, int *code);
/* Twice from the terminal, without showing it; otherwise the first line of standard input. Not empty. 0; −1 after a
 * message. */
int password_ask(char to[PASSWORD_ROOM]);

#endif
