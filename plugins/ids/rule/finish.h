/* finish.h: what can be settled only when a whole rule is known: where it is inspected, its protocols, the pattern for
 * the prefilter. */
#ifndef IDS_RULE_FINISH_H
#define IDS_RULE_FINISH_H
struct build;

int finish_rule(struct build *b);       /* 0, or −1 with the reason in b */

#endif
