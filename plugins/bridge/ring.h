/* ring.h: one packet socket on one interface: it receives through a TPACKET_V2 ring, which wakes its reader for each
 * packet (TPACKET_V3 hands over blocks, milliseconds late), and sends what came in on the other side. Frames that the
 * kernel or the card has put together, or whose checksum is still to be made, keep their struct virtio_net_hdr, so that
 * they leave as they came. Needs CAP_NET_RAW. One thread. */
#ifndef BRIDGE_RING_H
#define BRIDGE_RING_H
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "plugins/bridge/link.h"

#define RING_LARGEST 65600u         /* bytes of the largest frame: 64 KiB of IP, Ethernet, tags */
#define RING_TAG 4u                 /* bytes of a VLAN tag */

/* What became of frames that were to be sent. */
enum ring_lost {
    RING_DOWN,                      /* the interface is down, or away */
    RING_FULL,                      /* its queue is full, and stayed so for RING_PATIENCE_MS */
    RING_LONG,                      /* longer than its MTU */
    RING_REFUSED,                   /* any other reason of the kernel's */
    RING_LOSSES
};
#define RING_PATIENCE_MS 10

struct ring {
    int fd;                         /* −1: closed */
    struct link link;               /* as it was when it was opened */
    uint8_t *map, *aside;           /* the slots; frames that are longer than one, by the caller's index */
    uint32_t slots, slot;           /* how many, bytes of one */
    uint32_t next, held;            /* the slot to be looked at, those that are handed out */
    uint64_t seen, lost;            /* frames, by the kernel's count; of those: no slot was free */
    uint64_t taken, outgoing, bad;  /* handed out; not from outside; longer than a slot, and there was no room aside */
    uint64_t tags;                  /* VLAN tags put back */
    uint64_t sent, unsent[RING_LOSSES];
};

/* A frame of the ring's; its bytes stay until ring_free(). */
struct ring_frame {
    struct virtio_net_hdr v;
    uint8_t *data;
    uint32_t len, slot;
    uint64_t ts_ns;
    bool sum_ok;                    /* its checksum need not be looked at */
};

/* Opens a ring of `bytes` for frames of at most `largest` bytes; longer ones wait aside, in the socket's own queue. It
 * receives nothing before ring_listen(). 0, or −1 and a sentence. */
int ring_open(struct ring *r, const struct link *l, uint32_t bytes, uint32_t largest, char *why, uint32_t n);
int ring_listen(struct ring *r, char *why, uint32_t n);
/* The clock of the next frame, ns; 0: there is none. */
uint64_t ring_peek(struct ring *r);
/* How full it is, in eighths: 0 to 8. */
uint32_t ring_eighths(const struct ring *r);
/* After ring_peek(): takes it. index: below RING_BATCH, another one for each frame that is out. false: it is none to be
 * handed on, and counted. */
#define RING_BATCH 64u
bool ring_take(struct ring *r, uint32_t index, struct ring_frame *f);
void ring_free(struct ring *r, uint32_t slot);
/* Sends them in this order; what cannot be sent is counted. Waits for room RING_PATIENCE_MS at most, each time that it
 * runs out. Returns how many were sent. */
uint32_t ring_send(struct ring *r, struct mmsghdr *m, uint32_t n);
/* Is the interface still there, and up? It also clears what the socket has to say of it, so that poll() sleeps. */
enum ring_state { RING_UP, RING_IS_DOWN, RING_GONE };
enum ring_state ring_look(struct ring *r);
void ring_count(struct ring *r);    /* brings seen and lost up to date */
void ring_close(struct ring *r);    /* what it still holds counts as lost */

#endif
