/* set.h: a set of rules: read from files, compiled, doubles settled, put in the order of inspection, and listed with
 * those that are not in use. */
#ifndef IDS_RULE_SET_H
#define IDS_RULE_SET_H
#include "plugins/ids/rule/build.h"
#include "plugins/ids/rule/problem.h"

struct ruleset;
/* What became of a rule that was read. */
enum listed_state {
    LISTED_ENABLED,
    LISTED_DISABLED,                /* behind a '#', or switched off */
    LISTED_FAILED,                  /* an error */
    LISTED_SKIPPED,                 /* asks for what this build does not know */
    LISTED_REPLACED,                /* by a newer revision, or by a managed rule */
    LISTED_STATES
};
#define LISTED_WORDS "enabled,disabled,failed,unsupported,replaced"
/* A rule as people see it, by gid, sid and state; lives as long as the set. */
struct listed {
    uint32_t gid, sid, rev, priority, line, column;     /* line: where it stands; column: of what is wrong */
    uint8_t state, managed, commented, pad;     /* LISTED_*; not from a file; behind a '#' */
    uint32_t number;                /* in the order of reading */
    const char *action, *proto, *msg, *classtype, *text, *file, *why;      /* why: NULL where it is enabled */
    const struct rule *rule;        /* in use; NULL: it is not */
};
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

/* A rule of the API: as ruleset_text(), with whether it is switched off. */
void ruleset_managed(struct ruleset *s, const struct env *env, const char *text, size_t len, bool off);

/* An empty set with the variables and classes of another one, which outlives it: to try rules in. NULL: out of
 * memory. */
struct ruleset *ruleset_like(const struct ruleset *base);

/* Settle doubles, number the rules. Nothing is read afterwards. false: out of memory. */
bool ruleset_finish(struct ruleset *s);
struct rule *const *ruleset_rules(const struct ruleset *s, uint32_t *n);
const struct problems *ruleset_problems(const struct ruleset *s);
const struct listed *ruleset_listed(const struct ruleset *s, uint32_t *n);
/* The first of those with this gid and sid, which is the one in use where one is. NULL: none was read. */
const struct listed *ruleset_find(const struct ruleset *s, uint32_t gid, uint32_t sid);
void ruleset_count(const struct ruleset *s, struct ruleset_counts *c);

#endif
