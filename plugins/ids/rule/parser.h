/* parser.h: one logical line to the tree of a rule: header and options with their places, nothing interpreted.
 * ACTION PROTO SRC SPORT -> DST DPORT (NAME[:VALUE]; …) */
#ifndef IDS_RULE_PARSER_H
#define IDS_RULE_PARSER_H
#include "plugins/ids/rule/lexer.h"

#define PARSER_OPTIONS_MAX 1024

struct ast_option { struct token name, value; bool has_value; };
struct ast {
    struct token action, proto, src, sport, arrow, dst, dport;
    uint32_t n_option;
    struct ast_option option[PARSER_OPTIONS_MAX];
    uint32_t sid;                   /* as far as it can be read, for messages; 0: none */
};

enum line_kind { LINE_RULE, LINE_COMMENT, LINE_DISABLED, LINE_INCLUDE };
/* What a line is; for an include, *name is the rest of the line. */
enum line_kind parser_kind(const struct line *l, struct token *name);

/* false: a sentence stands in why (n bytes) and the offset in the line in *off. a->sid is set where it can be. */
bool parser_rule(const struct line *l, struct ast *a, uint32_t *off, char *why, size_t n);

#endif
