/* ring.h: the newest packets of one worker, in memory of a fixed size. One thread writes and never waits: where a
 * reader holds the ring, the packet is missed and counted. */
#ifndef PACKETS_RING_H
#define PACKETS_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RING_PACKET_MAX 262144u     /* bytes of one packet at most */

struct ring_packet {                /* what is known of one; its bytes follow it in the ring */
    uint64_t seq;                   /* of this ring, from 1, without a gap */
    uint64_t ts_ns, count;          /* the packet's time; its position in the capture */
    uint32_t caplen, wirelen;       /* bytes that are kept, and that there were */
    uint32_t linktype, iface;       /* LINKTYPE_*; interned in "iface", 0: none */
    uint32_t flags, reserved;       /* EC_FR_* */
};

struct ring {
    atomic_flag busy;               /* of all that follows but the counters */
    uint8_t *bytes;
    uint64_t *at;                   /* where packet seq % slots stands; positions only grow */
    uint32_t size, slots;           /* bytes; packets, a power of two */
    uint64_t tail, head;            /* oldest that is there; next to be written */
    uint64_t end;                   /* position behind the newest */
    atomic_uint_least64_t put, missed, put_bytes;
};

/* bytes: at least 2 × RING_PACKET_MAX, else that. slots: a power of two. false: out of memory. */
bool ring_open(struct ring *r, uint64_t bytes, uint32_t slots);
void ring_close(struct ring *r);
/* [wrk] Keep the first p->caplen of p's bytes; p->seq is not read. */
void ring_put(struct ring *r, const struct ring_packet *p, const uint8_t *data);
/* [any] Copy packet seq and its bytes, at most `room` of them. false: it is not there any more, or not yet. */
bool ring_get(struct ring *r, uint64_t seq, struct ring_packet *to, uint8_t *data, uint32_t room);
/* [any] Packets tail … head − 1 are there. */
void ring_range(struct ring *r, uint64_t *tail, uint64_t *head);
uint64_t ring_held(struct ring *r);     /* [any] bytes that its packets take */

#endif
