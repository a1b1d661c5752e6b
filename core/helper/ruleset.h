/* ruleset.h: the table `inet ecyber` as text for libnftables' JSON interface. Nothing here touches the kernel.
 *
 * Every prefix length in use has a hash set of its own (block4 for whole addresses, block4_24, block6_64 …), matched by
 * the masked address. Unlike one interval set, that takes prefixes that overlap, each with its own end, and adding one
 * does not get slower with their number. In every chain the rules of the allow-list stand first. */
#ifndef CORE_HELPER_RULESET_H
#define CORE_HELPER_RULESET_H
#include "core/helper/message.h"
#include "core/helper/text.h"

struct ruleset { uint8_t used[2][2][129]; };    /* the table's sets: [block][IPv6][prefix length] */

/* The whole state in place of what there was, atomically; *r becomes what the table then has. */
void ruleset_state(struct text *t, const struct helper_entry *e, uint32_t n, struct ruleset *r);
/* Of a table that another helper made: the sets that every one has. Others are made again where they are needed: the
 * kernel keeps a set that is there, and its rules then stand twice, which changes nothing. */
void ruleset_left(struct ruleset *r);
/* Add n ≤ HELPER_ENTRIES bans, the later of two for one address wins; *r gains the sets that are new. */
void ruleset_ban(struct text *t, const struct helper_entry *e, uint32_t n, struct ruleset *r);
void ruleset_unban(struct text *t, const struct helper_entry *e, uint32_t n, const struct ruleset *r);
void ruleset_clear(struct text *t);
void ruleset_list(struct text *t);

#endif
