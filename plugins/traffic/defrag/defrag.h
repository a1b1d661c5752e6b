/* defrag.h: IP fragments become datagrams again (RFC 791 §3.2, RFC 8200 §4.5). One worker, one thread.
 *
 * Nothing that can be seen depends on the table's key: what has to go is the oldest, by arrival. */
#ifndef TRAFFIC_DEFRAG_H
#define TRAFFIC_DEFRAG_H
#include <stdbool.h>
#include <stdint.h>

#include "plugins/traffic/decode/decode.h"
#include "plugins/traffic/pool.h"

struct worker;

#define DEFRAG_BUCKETS 4096u
#define DEFRAG_BYTES_MAX 65535u                 /* of a datagram with its header */
#define DEFRAG_UNITS 8192u                      /* of eight bytes */
#define DEFRAG_FRAGS_MAX DEFRAG_UNITS           /* of one datagram; with overlaps, more are an attack */
#define DEFRAG_KEPT_MAX (4 * DEFRAG_BYTES_MAX)  /* bytes of all of them */
#define DEFRAG_NESTED (TUNNEL_DEPTH_MAX + 1)    /* datagrams that one frame can complete, one in the other */

struct fragment { struct fragment *next; uint32_t off, end; uint8_t bytes[]; };    /* in the order of arrival */

struct defrag_key { uint8_t src[16], dst[16]; uint32_t id; uint16_t vlan[VLANS_MAX];
                    uint8_t version, proto, vlans, depth; uint16_t pad; };
_Static_assert(sizeof(struct defrag_key) == 48, "six words, hashed and compared as they are");

struct datagram {
    struct defrag_key key;
    struct datagram *chain;                     /* of its bucket */
    struct datagram *older, *newer;
    uint64_t first_ns;
    struct fragment *head, **tail;
    uint8_t *front;                             /* all that stood before the first fragment's data */
    uint32_t front_len, l3, nh_at;              /* in front: the IP header; IPv6: the byte that names what follows */
    uint8_t nh;
    bool overlaps;
    uint32_t total, max_end;                    /* of its data; 0: not known yet */
    uint32_t n, kept, units;                    /* fragments, their bytes, units seen */
    uint64_t seen[DEFRAG_UNITS / 64];
};

struct defrag {
    struct pool pool;
    struct datagram **bucket, *oldest, *newest;
    uint64_t k0, k1;
};

/* A datagram that is whole: from the link header on (l3: where IP begins). Of the pool. */
struct whole { uint8_t *bytes; uint32_t len, l3; };

int defrag_init(struct defrag *d, uint64_t k0, uint64_t k1, uint64_t cap);     /* 0 or EC_ENOMEM */
void defrag_free(struct defrag *d);
/* Keep fragment p, and say with an event what is wrong with it. True: it was the last that was missing; the caller
 * gives *out back. [wrk] */
bool defrag_packet(struct worker *w, struct packet *p, struct whole *out);
void defrag_give_back(struct defrag *d, struct whole *out);
/* Forget what is not whole. */
void defrag_flush(struct worker *w);

/* policy.c: whose bytes count where two fragments of a datagram overlap: the policies of Novak, Target-Based
 * Fragmentation Reassembly (2005). */
enum { POLICY_FIRST, POLICY_LAST, POLICY_BSD, POLICY_BSD_RIGHT, POLICY_LINUX, POLICY_WINDOWS, POLICY_SOLARIS,
       POLICIES };
/* Do the bytes of the later fragment count? By their whole extents, end exclusive. */
bool policy_later_wins(uint32_t policy, const struct fragment *old, const struct fragment *later);

/* Memory of the pool; the oldest datagrams have to go for it, but never keep. NULL: there is not so much. */
void *defrag_room(struct worker *w, const struct datagram *keep, uint64_t n);
/* assemble.c. False: no memory, or it would be too large. */
bool defrag_assemble(struct worker *w, const struct datagram *g, struct whole *out);

#endif
