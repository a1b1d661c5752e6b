/* group.h: the rules of a set, sorted to where they are inspected: by protocol, direction, port and buffer.
 * Immutable. */
#ifndef IDS_MATCH_GROUP_H
#define IDS_MATCH_GROUP_H
#include "plugins/ids/match/addrindex.h"
#include "plugins/ids/match/prefilter.h"

struct port_group { uint16_t port; struct prefilter *filter; };
/* The raw payload of one protocol and direction. */
struct raw_group {
    struct prefilter *any;                      /* rules for any port; NULL: none */
    struct port_group *dst, *src;               /* sorted by port */
    size_t n_dst, n_src;
};
/* Rules without contents: those that name few addresses are found by them. */
struct header_group { uint32_t *rules; size_t n; struct addr_index by[2]; };   /* by: enum addr_side */
/* Rules by the anomaly that they ask for, in the order of inspection. */
struct event_group { struct { uint32_t bit, proto, rule; } *rules; size_t n; };
struct tx_group { struct prefilter *slot[EC_SLOTS_MAX]; uint64_t slots; struct event_group event; };

enum { GROUP_L4 = 5 };
struct groups {
    struct raw_group stream[2];                 /* TCP, by direction */
    struct raw_group payload[GROUP_L4][2];      /* by bit of RULE_L4_*, direction */
    struct header_group header[GROUP_L4][2], iponly[GROUP_L4][2], pass[GROUP_L4][2];
    struct event_group event;                   /* inspected with packets */
    struct tx_group **tx;                       /* by protocol; NULL: no rules */
    size_t n_tx, n_filter, n_pattern, bytes;
};

/* false: a sentence in why. *scratch is made large enough for all. */
bool groups_build(struct groups *g, struct rule *const *rule, size_t n, hs_scratch_t **scratch, char *why,
                  size_t room);
void groups_free(struct groups *g);

uint32_t group_l4(uint32_t l4);                 /* index of the one bit RULE_L4_* */
/* Search the groups for these ports. false: a search failed. */
bool raw_group_scan(const struct raw_group *g, uint16_t sport, uint16_t dport, hs_scratch_t *scratch,
                    const uint8_t *d, uint32_t n, struct candidates *c);
static inline const struct tx_group *groups_tx(const struct groups *g, uint32_t proto)
{
    return proto < g->n_tx ? g->tx[proto] : NULL;
}

#endif
