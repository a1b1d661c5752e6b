/* vars.h: variables of rule headers, $NAME: address groups and port groups alike, as text. */
#ifndef IDS_RULE_VARS_H
#define IDS_RULE_VARS_H
#include <stdbool.h>
#include <stddef.h>
#include "plugins/ids/rule/lexer.h"

#define VARS_MAX 256

struct vars {
    struct { const char *name, *value; } v[VARS_MAX];
    size_t n;
};

/* The usual names, with the private networks at home and the rest outside. */
void vars_defaults(struct vars *v);
/* Texts are borrowed. false: more than VARS_MAX. */
bool vars_set(struct vars *v, const char *name, const char *value);
/* name: without '$'. NULL: unknown. */
const char *vars_get(const struct vars *v, struct token name);

#endif
