/* order.h: the order of rules: pass before drop before reject before alert; what sets flowbits before what reads them;
 * then by priority and sid. */
#ifndef IDS_RULE_ORDER_H
#define IDS_RULE_ORDER_H
#include "plugins/ids/rule/rule.h"

void order_by_sid(struct rule **rule, size_t n);        /* gid, sid, highest rev first, then as they were read */
bool order_for_inspection(struct rule **rule, size_t n);        /* and number them. false: out of memory */

#endif
