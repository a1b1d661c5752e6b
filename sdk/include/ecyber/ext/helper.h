/* helper.h: ec.helper/1, the only way to change the machine's firewall. STATUS: draft 2.
 * The daemon itself offers it. What needs CAP_NET_ADMIN runs in a process of its own, the helper (ecyber-helper); it
 * may be restarted at any time, so whoever uses it holds the state that is desired and sends it again. */
#ifndef EC_EXT_HELPER_H
#define EC_EXT_HELPER_H
#include "../plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define EC_HELPER_ID "ec.helper/1-draft.2"

/* What can be asked for. All entries of one request take effect together, or none does. */
enum {
    EC_HELPER_SYNC = 1,  /* this is the whole state (at most 131,072 entries): put it in place of what there is */
    EC_HELPER_BAN = 2,   /* add these to the block-list, or give them a new end; at most 64 */
    EC_HELPER_UNBAN = 3, /* take these off the block-list, whether they are on it or not; at most 64 */
    EC_HELPER_CLEAR = 4, /* remove everything of ours from the kernel */
    EC_HELPER_LIST = 5,  /* the kernel's truth: text is our table as libnftables' JSON */
    EC_HELPER_CHECK = 6, /* is our table still there? EC_ENOENT: no. text: the helper's version */
    EC_HELPER_TAKE = 7   /* go on with the table that an earlier run left, as it stands; EC_ENOENT: there is none */
};
enum { EC_HELPER_ALLOW = 1, EC_HELPER_BLOCK = 2 };      /* lists; an address on the first is never blocked */

struct ec_helper_entry {
    uint8_t addr[16];               /* IPv4 mapped; no bit set behind the prefix */
    uint32_t prefix, list; /* 1…128 bits of addr, 97…128 of a mapped address; EC_HELPER_ALLOW, EC_HELPER_BLOCK */
    uint64_t seconds;               /* of a BLOCK: until it ends by itself, at least 1; of an ALLOW: 0 */
};

/* Called exactly once for each request that was taken, on the helper's thread, where it must not block; it may ask for
 * more. text: len bytes and a NUL, valid until it returns: a sentence where err is not EC_OK. EC_EAGAIN: the helper
 * ended before it answered, so nobody knows; ready() will follow. EC_ENOENT: the table is gone, send the state again.
 * EC_EIO: the kernel refused it. */
typedef void ec_helper_done_fn(void *arg, int32_t err, const char *text, uint64_t len);

enum { EC_HELPER_REPLAY = 1 /* this daemon replays a capture and stays: only a person's word changes the firewall */ };
struct ec_helper_status {
    uint32_t size, pid;             /* of the helper, 0: it is not there */
    uint64_t starts, requests, failed, refused;     /* refused: the queue was full, or there was no helper */
    uint32_t queued, flags;         /* entries that wait for an answer; EC_HELPER_* of what runs, valid at once */
};

struct ec_helper {
    uint32_t size, reserved;
    /* [ctl] in start(), by one plugin. From now on ready() is called, on the helper's thread, each time that a helper
     * is there, new and with no state: answer with EC_HELPER_SYNC. EC_EPERM: there is no helper, and why (n bytes) says
     * it; EC_EEXIST: another plugin uses it. */
    int32_t (*open)(void *self, void (*ready)(void *arg), void *arg, char *why, uint32_t n);
    /* [ctl] in stop(): waits up to 2 s for what was asked, then answers the rest with EC_EAGAIN. Nothing is called
     * after. */
    void (*close)(void *self);
    /* [any] between open() and close(). Does not wait. e: n entries, each `stride` bytes after the one before; copied.
     * done may be NULL. EC_OK: taken, and done() is called, after those of earlier requests. EC_EAGAIN: no helper just
     * now, or too much waits (262,144 entries or 4,096 requests); EC_EINVAL: a malformed entry, or too many. */
    int32_t (*request)(void *self, uint32_t what, const struct ec_helper_entry *e, uint32_t n, uint32_t stride,
                       ec_helper_done_fn *done, void *arg);
    void (*status)(void *self, struct ec_helper_status *s);     /* [any] */
};

#ifdef __cplusplus
}
#endif
#endif
