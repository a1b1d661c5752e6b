/* address.h: address and port expressions of rule headers: any, one, ranges, CIDR, [lists, with !negation and
 * nested [lists]], $VARIABLES. */
#ifndef IDS_RULE_ADDRESS_H
#define IDS_RULE_ADDRESS_H
#include "plugins/ids/rule/rangeset.h"
#include "plugins/ids/rule/lexer.h"

struct vars;
enum expr_kind { EXPR_ADDRESS, EXPR_PORT };

/* NULL in *set: everything ("any"). false: a sentence in why, and *off says where in t's line. A list of nothing but
 * negations means everything but those; an expression that leaves nothing over is an error. */
bool address_parse(struct arena *a, const struct vars *v, enum expr_kind kind, struct token t,
                   const struct rangeset **set, uint32_t *off, char *why, size_t n);
static inline bool address_in(const struct rangeset *s, const uint8_t a[16])
{
    return !s || rangeset_has(s, a);
}
bool port_in(const struct rangeset *s, uint16_t port);
/* The single ports of a set with at most max of them; 0: it has more, or ranges wider than that. */
size_t port_list(const struct rangeset *s, uint16_t *ports, size_t max);

#endif
