#include "plugins/ids/match/scope.h"

#include <netinet/in.h>
#include <string.h>

/* A packet of the other direction may complete what this one sent, so the flow says who is who. */
/* The packet, where it is looked at for itself: it has no flow, or is an ICMP error about one. NULL: the flow counts. */
static const struct ec_packet *apart(const struct scope *s)
{
    return !s->flow || scope_about(s) ? s->packet : NULL;
}

const uint8_t *scope_src(const struct scope *s)
{
    if (!apart(s))
        return s->dir == EC_TO_SERVER ? s->flow->src : s->flow->dst;
    return s->packet->src;
}

const uint8_t *scope_dst(const struct scope *s)
{
    if (!apart(s))
        return s->dir == EC_TO_SERVER ? s->flow->dst : s->flow->src;
    return s->packet->dst;
}

uint16_t scope_sport(const struct scope *s)
{
    if (!apart(s))
        return s->dir == EC_TO_SERVER ? s->flow->sport : s->flow->dport;
    return s->packet->sport;
}

uint16_t scope_dport(const struct scope *s)
{
    if (!apart(s))
        return s->dir == EC_TO_SERVER ? s->flow->dport : s->flow->sport;
    return s->packet->dport;
}

uint32_t scope_l4(const struct scope *s)
{
    switch (apart(s) ? s->packet->ip_proto : s->flow->ip_proto) {
    case IPPROTO_TCP:
        return RULE_L4_TCP;
    case IPPROTO_UDP:
        return RULE_L4_UDP;
    case IPPROTO_SCTP:
        return RULE_L4_SCTP;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return RULE_L4_ICMP;
    default:
        return RULE_L4_OTHER;
    }
}

struct packet_memory *scope_packet(const struct scope *s)
{
    struct packet_memory *m = &s->w->packet;
    uint64_t count = s->packet ? s->packet->frame->count : 0;
    uint32_t depth = s->packet ? s->packet->depth : 0;

    if (!count || m->count != count || m->depth != depth) {
        memset(m, 0, sizeof *m);
        m->count = count;
        m->depth = depth;
    }
    return m;
}
