/* message.h: what the daemon and its helper say to each other over a SOCK_SEQPACKET socket: one message, one packet.
 * Requests are of fixed-size parts only; the helper parses nothing else. Both ends are built from one tree and run on
 * one machine, so numbers are in its own byte order. */
#ifndef CORE_HELPER_MESSAGE_H
#define CORE_HELPER_MESSAGE_H
#include <stddef.h>
#include <stdint.h>

#define HELPER_FD 3                 /* the helper's end */
#define HELPER_VERSION 2            /* of these messages: raised with every change of them */
#define HELPER_ENTRIES 64           /* in one request, at most */
#define HELPER_TABLE 131072         /* entries in one state, at most */
#define HELPER_TEXT 8192            /* bytes of text in one reply, at most */

enum {
    HELPER_PING = 1,                /* the reply's text is the helper's version */
    HELPER_BEGIN = 2,               /* a new state begins: forget what was staged */
    HELPER_STAGE = 3,               /* entries of it */
    HELPER_COMMIT = 4,              /* put it in place of the table as it stands, in one step */
    HELPER_BAN = 5,                 /* add entries to the block-list, or give those that are there a new end */
    HELPER_UNBAN = 6,               /* remove entries; those that are not there are no error */
    HELPER_CLEAR = 7,               /* remove the table and all that is in it */
    HELPER_LIST = 8,                /* the reply's text is the table as JSON, in as many parts as it takes */
    HELPER_TAKE = 9                 /* go on with the table that an earlier helper left, as it stands */
};
enum { HELPER_ALLOW = 1, HELPER_BLOCK = 2 };            /* helper_entry.list */
#define HELPER_SECONDS_MAX UINT64_C(4000000000)         /* 126 years; nftables takes less than 2^64 ms */

struct helper_entry {
    uint8_t addr[16];               /* IPv4 mapped; no bit is set behind the prefix */
    uint32_t prefix, list; /* 1…128 bits of addr, of a mapped IPv4 address 97…128; HELPER_ALLOW, HELPER_BLOCK */
    uint64_t seconds;               /* of a BLOCK: until it ends, 1…HELPER_SECONDS_MAX; of an ALLOW: 0 */
};
struct helper_request {
    uint16_t version, op;
    uint32_t n;                     /* entries that follow: 1…HELPER_ENTRIES with STAGE, BAN and UNBAN, else 0 */
    uint64_t seq;                   /* comes back with the reply */
    struct helper_entry entry[HELPER_ENTRIES];
};
enum { HELPER_MORE = 1 /* this request's reply goes on in the next message */ };
struct helper_reply {
    uint16_t version, op;
    int32_t err;                    /* EC_OK or EC_E*; then text is a sentence */
    uint64_t seq;
    uint32_t flags, len;            /* HELPER_MORE; bytes of text that follow, without a NUL */
    char text[HELPER_TEXT];
};
#define HELPER_REQUEST_BYTES(n) (offsetof(struct helper_request, entry) + (size_t)(n) * sizeof(struct helper_entry))
#define HELPER_REPLY_BYTES(len) (offsetof(struct helper_reply, text) + (size_t)(len))

/* Are these `bytes` bytes, 8-aligned, a whole and valid request, or reply? NULL: yes, else a static sentence. [any] */
const char *helper_request_check(const void *p, size_t bytes);
const char *helper_reply_check(const void *p, size_t bytes);
/* NULL: a valid entry, else a static sentence. [any] */
const char *helper_entry_check(const struct helper_entry *e);
/* Is it IPv4 (mapped), with a prefix within those 32 bits? [any] */
int helper_entry_v4(const struct helper_entry *e);

#endif
