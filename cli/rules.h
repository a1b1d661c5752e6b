/* rules.h: what the commands for rules share. */
#ifndef CLI_RULES_H
#define CLI_RULES_H
#include "cli/api.h"

/* The path of a rule, by "GID:SID" or the sid alone. */
void rule_path(struct api_path *p, const char *word);

/* A whole file of rules, at most 256 KiB, to be freed; "-": standard input. NULL: why was printed. */
char *rules_take(const char *name);

#endif
