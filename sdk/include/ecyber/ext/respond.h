/* respond.h: ec.respond/1, the service of actuators: ban an address, with reason, cause and end. STATUS: draft 2.
 * One plugin implements it (a firewall); policies, APIs and command lines call it. The allow-list always wins. */
#ifndef EC_EXT_RESPOND_H
#define EC_EXT_RESPOND_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_RESPOND_ID "ec.respond/1-draft.2"

enum {
    EC_BAN_DRY_RUN = 1,             /* say what would happen, do nothing */
    EC_BAN_REPLAY = 2,              /* the cause is an event of a replay: refused, unless a person asks */
    EC_BAN_PERSON = 4               /* a person asks, not a program of his */
};

struct ec_ban {
    uint32_t size, flags;           /* EC_BAN_* */
    uint8_t addr[16];               /* IPv4 mapped; no bit set behind the prefix */
    uint32_t prefix, reserved;      /* 1…128 bits of addr; of a mapped IPv4 address 97…128 */
    uint64_t until_ns;              /* ns since 1970 UTC; a ban without end is refused */
    uint64_t cause;                 /* id of the event that caused it, 0: none */
    const char *who, *why;          /* "policy:scan", "user:anna"; a sentence. Copied */
};

/* The event that causes it: its id, and whether it is of a replay. */
static inline void ec_ban_because(struct ec_ban *b, const struct ec_event *ev)
{
    b->cause = ev->id;
    if (ev->flags & EC_EV_REPLAY)
        b->flags |= EC_BAN_REPLAY;
}

struct ec_respond {
    uint32_t size, reserved;
    /* [any] Does not wait for the kernel; an event (ec.ban/1) says what became of it. A ban of what is banned already
     * moves its end, without EC_BAN_PERSON only to a later one and by at least a second. EC_OK: accepted; EC_EPERM:
     * forbidden (the allow-list, an address of our own, a replay) or nobody can enforce it; EC_EINVAL: no end, no
     * reason, or a malformed prefix; EC_EAGAIN: there are too many, counted. why (n bytes, n may be 0): a sentence for
     * people where it is not EC_OK, or with EC_BAN_DRY_RUN. */
    int32_t (*ban)(void *self, const struct ec_ban *b, char *why, uint32_t n);
    /* [any] Take back the ban of exactly this address and prefix. EC_ENOENT: there is none. */
    int32_t (*unban)(void *self, const uint8_t *addr16, uint32_t prefix, const char *who);
    /* [any] 1: banned now, itself or by a prefix that holds it, and until when. */
    int32_t (*banned)(void *self, const uint8_t *addr16, uint64_t *until_ns);
};

#ifdef __cplusplus
}
#endif
#endif
