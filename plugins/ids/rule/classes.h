/* classes.h: classtypes: "config classification: NAME,DESCRIPTION,PRIORITY", one a line. */
#ifndef IDS_RULE_CLASSES_H
#define IDS_RULE_CLASSES_H
#include <stddef.h>
#include <stdint.h>
#include "plugins/ids/rule/lexer.h"

struct arena;
struct problems;
struct class { const char *name, *description; uint32_t priority; };
struct classes { struct class *list; size_t n, cap; };

/* Enter the lines of a file; what is wrong goes to ps. A later line for the same name wins. */
void classes_read(struct arena *a, struct classes *c, const char *file, const char *text, size_t len,
                  struct problems *ps);
const struct class *classes_get(const struct classes *c, struct token name);

#endif
