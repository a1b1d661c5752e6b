/* What is wrong with the options of IPv4 (RFC 791 §3.1, RFC 2113) and of IPv6's option headers (RFC 8200 §4.2). The
 * engine has no use for them otherwise. */
#include "plugins/traffic/decode/decode.h"

enum { IP4_EOL = 0, IP4_NOP = 1, IP4_RR = 0x07, IP4_TS = 0x44, IP4_SEC = 0x82, IP4_LSRR = 0x83, IP4_ESEC = 0x85,
       IP4_CIPSO = 0x86, IP4_SID = 0x88, IP4_SSRR = 0x89, IP4_RTRALT = 0x94, IP4_SDB = 0x95 };
enum { IP6_PAD1 = 0, IP6_PADN = 1, IP6_ROUTER_ALERT = 0x05, IP6_JUMBO = 0xc2, IP6_HOME = 0xc9 };

/* A list of addresses, and the place of the next one, from 4. */
static uint32_t route_fault(const uint8_t *o)
{
    if (o[1] < 3 || (o[1] - 3) % 4)
        return EV_IPV4_OPT_INVALID_LEN;
    return o[2] < 4 || o[2] % 4 || o[2] > o[1] + 1 ? EV_IPV4_OPT_MALFORMED : EV_COUNT;
}

static uint32_t timestamp_fault(const uint8_t *o)
{
    uint8_t flag;

    if (o[1] < 4)
        return EV_IPV4_OPT_INVALID_LEN;
    flag = o[3] & 15;
    if (flag != 0 && flag != 1 && flag != 3)
        return EV_IPV4_OPT_MALFORMED;
    return o[2] < 5 || (o[2] - 5) % (flag ? 8 : 4) || o[2] > o[1] + 1 ? EV_IPV4_OPT_MALFORMED : EV_COUNT;
}

static uint32_t option4_fault(const uint8_t *o)
{
    switch (o[0]) {
    case IP4_RR: case IP4_LSRR: case IP4_SSRR:
        return route_fault(o);
    case IP4_TS:
        return timestamp_fault(o);
    case IP4_SID: case IP4_RTRALT:
        return o[1] == 4 ? EV_COUNT : EV_IPV4_OPT_INVALID_LEN;
    case IP4_CIPSO:                 /* a domain of interpretation, which is never 0, and tags */
        return o[1] < 6 ? EV_IPV4_OPT_INVALID_LEN : be32(o + 2) ? EV_COUNT : EV_IPV4_OPT_MALFORMED;
    case IP4_SEC: case IP4_ESEC: case IP4_SDB:
        return o[1] < 3 ? EV_IPV4_OPT_INVALID_LEN : EV_COUNT;
    default:
        return EV_IPV4_OPT_UNKNOWN;
    }
}

void decode_ipv4_options(struct packet *p, const uint8_t *d, uint32_t n)
{
    uint64_t seen[4] = { 0 };

    for (uint32_t i = 0; i < n && d[i] != IP4_EOL;) {
        uint32_t type = d[i], fault;
        if (type == IP4_NOP) {
            i++;
            continue;
        }
        if (i + 1 == n) {
            decode_event(p, EV_IPV4_OPT_EOL_REQUIRED);
            return;
        }
        if (d[i + 1] < 2 || d[i + 1] > n - i) {
            decode_event(p, EV_IPV4_OPT_INVALID_LEN);
            return;
        }
        fault = seen[type >> 6] >> (type & 63) & 1 ? EV_IPV4_OPT_DUPLICATE : option4_fault(d + i);
        if (fault != EV_COUNT)
            decode_event(p, fault);
        seen[type >> 6] |= UINT64_C(1) << (type & 63);
        i += d[i + 1];
    }
}

/* https://www.iana.org/assignments/ipv6-parameters (destination options and hop-by-hop options) */
static bool option6_known(uint8_t type)
{
    switch (type) {
    case IP6_ROUTER_ALERT: case IP6_JUMBO: case IP6_HOME: case 0x04: case 0x07: case 0x08: case 0x0f: case 0x11:
    case 0x23: case 0x26: case 0x30: case 0x31: case 0x63: case 0x6d: case 0x8b: case 0x8c: case 0xee:
        return true;
    default:
        return false;
    }
}

static bool option6_length_ok(uint8_t type, uint8_t n)
{
    return type == IP6_ROUTER_ALERT ? n == 2 : type == IP6_JUMBO ? n == 4 : type == IP6_HOME ? n == 16 : true;
}

static bool event_has(const struct packet *p, uint32_t event)
{
    for (uint32_t i = 0; i < p->events; i++)
        if (p->event[i] == event)
            return true;
    return false;
}

/* Once for a packet, however often it is in it. */
static void event_once(struct packet *p, uint32_t event)
{
    if (!event_has(p, event))
        decode_event(p, event);
}

void decode_ipv6_options(struct packet *p, const uint8_t *d, uint32_t n, bool hop)
{
    bool only_padding = true;

    for (uint32_t i = 0; i < n;) {
        uint32_t len;
        if (d[i] == IP6_PAD1) {
            i++;
            continue;
        }
        if (i + 1 == n || (len = d[i + 1]) > n - i - 2) {
            event_once(p, EV_IPV6_EXTHDR_INVALID_OPTLEN);
            return;
        }
        if (d[i] == IP6_PADN) {
            if (!len)
                event_once(p, EV_IPV6_ZERO_LEN_PADN);
        } else {
            only_padding = false;
            if (!option6_known(d[i]))
                event_once(p, hop ? EV_IPV6_HOPOPTS_UNKNOWN_OPT : EV_IPV6_DSTOPTS_UNKNOWN_OPT);
            else if (!option6_length_ok(d[i], (uint8_t)len))
                event_once(p, EV_IPV6_EXTHDR_INVALID_OPTLEN);
        }
        i += 2 + len;
    }
    if (only_padding)
        event_once(p, hop ? EV_IPV6_HOPOPTS_ONLY_PADDING : EV_IPV6_DSTOPTS_ONLY_PADDING);
}
