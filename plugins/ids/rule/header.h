/* header.h: the header of a rule: action, protocol, addresses, ports, direction. */
#ifndef IDS_RULE_HEADER_H
#define IDS_RULE_HEADER_H
struct build;

int header_build(struct build *b);      /* 0, or −1 with the reason in b */

#endif
