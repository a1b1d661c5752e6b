/* build.h: from the tree of a rule to a compiled rule. Keywords get the rule under construction by this. */
#ifndef IDS_RULE_BUILD_H
#define IDS_RULE_BUILD_H
#include "plugins/ids/rule/parser.h"
#include "plugins/ids/rule/problem.h"
#include "plugins/ids/rule/rule.h"

struct arena;
struct vars;
struct classes;
struct content;
struct keyword;

/* What somebody decided about a rule of a file: as it is written; on, though it stands behind a '#'; off; a rule of
 * the API stands in its place. */
enum decision { DECIDE_WRITTEN, DECIDE_ON, DECIDE_OFF, DECIDE_REPLACED };

/* What compiling needs from outside; also given by tests. */
struct env {
    void *arg;
    int32_t (*slot)(void *arg, const char *name, uint32_t i, struct ec_slot *out);  /* as ec_traffic.slot() */
    uint32_t (*intern)(void *arg, const char *space, const char *name);
    uint32_t (*proto)(void *arg, const char *name);     /* a protocol that some parser detects; 0: none */
    int32_t (*anomaly)(void *arg, uint32_t i, struct ec_anomaly *out);  /* as ec_traffic.anomaly_at(); NULL: none */
    enum decision (*decide)(void *arg, uint32_t gid, uint32_t sid);     /* NULL: as they are written */
    const struct vars *vars;
    const struct classes *classes;
    const struct keyword_list *external;                /* keywords of other plugins; may be NULL */
    bool hosts, may_include;                            /* is there a service that keeps thresholds? files? */
};

struct build {
    struct arena *arena;
    const struct env *env;
    struct build_cache *cache;
    const struct ast *ast;
    struct rule *rule;
    const struct ast_option *option;        /* the one at hand */
    const struct view *view;                /* of the sticky buffer that is open; NULL: the raw payload */
    struct content *content;                /* the last content, for its modifiers */
    struct chain *content_chain;            /* where it stands */
    struct content *fast;                   /* the one that fast_pattern named */
    struct rule *seen;
    uint32_t elements, have;                /* have: BUILD_* */
    uint32_t off;                           /* of the error */
    enum problem_kind kind;
    const char *word;                       /* what is not supported */
    char why[512];
};
enum { BUILD_MSG = 1, BUILD_SID = 2, BUILD_REV = 4, BUILD_GID = 8, BUILD_CLASS = 16, BUILD_PRIORITY = 32,
       BUILD_FLOW = 64, BUILD_LIMIT = 128, BUILD_TARGET = 256 };

/* Shared by the rules of one set: compiled address lists and views, by their text. */
struct build_cache *build_cache_new(void);
void build_cache_free(struct build_cache *c);

/* Compile. NULL: b->kind, b->off, b->word and b->why say what is wrong. b: zeroed, with arena, env, cache and ast. */
struct rule *build_rule(struct build *b);

/* For keywords. Each returns −1, for `return build_fail(…)`. off: offset in the rule's line. */
int build_fail(struct build *b, uint32_t off, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int build_unsupported(struct build *b, const char *word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The view of a buffer; NULL: no parser offers it, and b says so. */
const struct view *build_view(struct build *b, const char *name);
struct chain *build_chain(struct build *b, const struct view *view);    /* NULL: too many, b says so */
int build_add(struct build *b, const struct view *view, struct element *e);
int build_cond(struct build *b, struct cond *c);
int build_effect(struct build *b, struct effect *e);

/* Values. quoted: strips the quotes (which must be there) and takes a '!' in front into *negated (NULL: refused). */
int build_quoted(struct build *b, struct token *t, bool *negated);
int build_number(struct build *b, struct token t, int64_t min, int64_t max, int64_t *v);
/* Text of meta keywords: \" \; \: \\ become the character; bytes that are no UTF-8, and control characters, \xHH. */
const char *build_text(struct build *b, struct token t);

#endif
