/* set.h: a set of rules: read from files, compiled, doubles settled, put in the order of inspection. */
#ifndef IDS_RULE_SET_H
#define IDS_RULE_SET_H
#include "plugins/ids/rule/build.h"
#include "plugins/ids/rule/problem.h"

struct ruleset;
struct ruleset_counts { uint32_t loaded, errors, unsupported, replaced, disabled, files; };

struct ruleset *ruleset_new(void);                              /* NULL: out of memory */
void ruleset_free(struct ruleset *s);
struct vars *ruleset_vars(struct ruleset *s);                   /* with the defaults; set before reading rules */
struct arena *ruleset_arena(struct ruleset *s);

/* false: the file cannot be read, a sentence that names it stands in why. Broken lines are problems of the set. */
bool ruleset_classes(struct ruleset *s, const char *path, char *why, size_t n);
bool ruleset_file(struct ruleset *s, const struct env *env, const char *path, char *why, size_t n);
/* Rules from memory, as if they stood in the file `name`. */
void ruleset_text(struct ruleset *s, const struct env *env, const char *name, const char *text, size_t len);

/* Settle doubles, number the rules. Nothing is read afterwards. false: out of memory. */
bool ruleset_finish(struct ruleset *s);
struct rule *const *ruleset_rules(const struct ruleset *s, uint32_t *n);
const struct problems *ruleset_problems(const struct ruleset *s);
void ruleset_count(const struct ruleset *s, struct ruleset_counts *c);

#endif
