/* respond.h: ec.respond/1, the service of actuators: ban an address, with reason, cause and end. STATUS: draft 1.
 * One plugin implements it (a firewall); policies, APIs and command lines call it. The allow-list always wins. */
#ifndef EC_EXT_RESPOND_H
#define EC_EXT_RESPOND_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_RESPOND_ID "ec.respond/1-draft.1"

enum { EC_BAN_DRY_RUN = 1 /* say what would happen, do nothing */ };

struct ec_ban {
    uint32_t size, flags;           /* EC_BAN_* */
    uint8_t addr[16];               /* IPv4 mapped */
    uint32_t prefix, reserved;      /* 1…128 bits of addr */
    uint64_t until_ns;              /* ns since 1970 UTC; a ban without end is refused */
    uint64_t cause;                 /* id of the event that caused it, 0: none */
    const char *who, *why;          /* "policy:scan", "user:anna"; a sentence. Copied */
};

struct ec_respond {
    uint32_t size, reserved;
    /* [any] Does not wait for the kernel. EC_OK: accepted; EC_EPERM: the allow-list forbids it; EC_EINVAL: no end, no
     * reason, or a malformed prefix; EC_EAGAIN: the queue is full, counted. */
    int32_t (*ban)(void *self, const struct ec_ban *b);
    /* [any] Take back every ban of exactly this address and prefix. EC_ENOENT: there is none. */
    int32_t (*unban)(void *self, const uint8_t *addr16, uint32_t prefix, const char *who);
    /* [any] 1: banned now, and until when. */
    int32_t (*banned)(void *self, const uint8_t *addr16, uint64_t *until_ns);
};

#ifdef __cplusplus
}
#endif
#endif
