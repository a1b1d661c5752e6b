#include "plugins/bridge/ring.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADROOM 32u                /* before a frame, for its tag */
#define OVERHEAD (TPACKET2_HDRLEN + 16u + HEADROOM + (uint32_t)sizeof(struct virtio_net_hdr) + 16u)
#define BLOCK (1u << 20)
#define PAGE 4096u
#define QUEUE (8u << 20)            /* bytes of the socket's own queues, where it may have them */

#ifndef PACKET_IGNORE_OUTGOING
# define PACKET_IGNORE_OUTGOING 23
#endif

static int option(int fd, int name, const void *value, size_t size)
{
    return setsockopt(fd, SOL_PACKET, name, value, (socklen_t)size);
}

static int option_int(int fd, int name, int value)
{
    return option(fd, name, &value, sizeof value);
}

/* Only CAP_NET_ADMIN may have more than net.core.[rw]mem_max. */
static void queues(int fd)
{
    int size = QUEUE;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Nothing comes in until every worker has its ring: who is alone in a group would get the others' frames. */
static int deaf(int fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = { 1, &nothing };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Slots of whole pages, or such that fill them, in blocks of up to 1 MiB without a gap: slot i stands at i × slot. */
static int slots(struct ring *r, uint32_t bytes, uint32_t largest)
{
    uint32_t need = OVERHEAD + largest, each;
    struct tpacket_req q = { 0 };

    r->slot = need <= PAGE / 2 ? PAGE / 2 : (need + PAGE - 1) / PAGE * PAGE;
    each = BLOCK / r->slot;
    q.tp_frame_size = r->slot;
    q.tp_block_size = each * r->slot;
    q.tp_block_nr = bytes / q.tp_block_size ? bytes / q.tp_block_size : 1;
    q.tp_frame_nr = r->slots = q.tp_block_nr * each;
    if (option(r->fd, PACKET_RX_RING, &q, sizeof q))
        return -1;
    r->map = mmap(NULL, (size_t)r->slots * r->slot, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->map == MAP_FAILED)
        r->map = NULL;
    return r->map ? 0 : -1;
}

static int prepare(struct ring *r, uint32_t bytes, uint32_t largest)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = r->link.index };
    struct packet_mreq all = { .mr_ifindex = r->link.index, .mr_type = PACKET_MR_PROMISC };

    queues(r->fd);
    option_int(r->fd, PACKET_IGNORE_OUTGOING, 1);       /* since Linux 4.20; before, ring_take() passes them over */
    if (deaf(r->fd) || option_int(r->fd, PACKET_VERSION, TPACKET_V2) || option_int(r->fd, PACKET_RESERVE, HEADROOM) ||
        option_int(r->fd, PACKET_VNET_HDR, 1) || option_int(r->fd, PACKET_COPY_THRESH, 1) ||
        slots(r, bytes, largest))
        return -1;
    if (bind(r->fd, (const struct sockaddr *)&at, sizeof at) && errno != ENETDOWN)
        return -1;
    return option(r->fd, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
}

int ring_open(struct ring *r, const struct link *l, uint32_t bytes, uint32_t largest, char *why, uint32_t n)
{
    memset(r, 0, sizeof *r);
    r->link = *l;
    r->aside = malloc((size_t)RING_BATCH * (RING_LARGEST + RING_TAG));
    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd >= 0 && r->aside && !prepare(r, bytes, largest))
        return 0;
    if (errno == EPERM)
        snprintf(why, n, "cannot bridge %s: CAP_NET_RAW is missing; start as root, or give it with: setcap "
                 "cap_net_raw+ep PROGRAM", l->name);
    else
        snprintf(why, n, "cannot bridge %s with a ring of %u bytes: %s", l->name, bytes, strerror(errno));
    ring_close(r);
    return -1;
}

int ring_listen(struct ring *r, char *why, uint32_t n)
{
    int none = 0;

    if (!setsockopt(r->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none))
        return 0;
    snprintf(why, n, "cannot bridge %s: %s", r->link.name, strerror(errno));
    return -1;
}

static struct tpacket2_hdr *head(const struct ring *r, uint32_t slot)
{
    return (struct tpacket2_hdr *)(void *)(r->map + (size_t)slot * r->slot);
}

uint64_t ring_peek(struct ring *r)
{
    const struct tpacket2_hdr *h;

    if (r->fd < 0 || r->held == r->slots)
        return 0;
    h = head(r, r->next);
    if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return 0;
    return (uint64_t)h->tp_sec * 1000000000u + h->tp_nsec;
}

/* Frames fill the slots one after the other: where the last slot of an eighth is taken, all before it are. */
uint32_t ring_eighths(const struct ring *r)
{
    uint32_t n = 0;

    while (r->fd >= 0 && r->slots >= 8 && n < 8 &&
           __atomic_load_n(&head(r, (r->next + (n + 1) * (r->slots / 8) - 1) % r->slots)->tp_status, __ATOMIC_RELAXED) &
               TP_STATUS_USER)
        n++;
    return n;
}

void ring_free(struct ring *r, uint32_t slot)
{
    __atomic_store_n(&head(r, slot)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->held--;
}

/* A frame that did not fit its slot: the kernel put it in the queue as well, if there was room. */
static bool aside(struct ring *r, uint32_t index, struct ring_frame *f)
{
    uint8_t *to = r->aside + (size_t)index * (RING_LARGEST + RING_TAG) + RING_TAG;
    struct iovec part[2] = { { &f->v, sizeof f->v }, { to, RING_LARGEST } };
    struct msghdr m = { .msg_iov = part, .msg_iovlen = 2 };
    ssize_t n = recvmsg(r->fd, &m, MSG_DONTWAIT);

    if (n <= (ssize_t)(sizeof f->v + ETH_HLEN) || m.msg_flags & MSG_TRUNC)
        return false;
    f->data = to;
    f->len = (uint32_t)n - (uint32_t)sizeof f->v;
    return true;
}

/* The kernel has taken the outermost tag out of the frame: back in front of the type it goes. */
static void tag_back(struct ring *r, const struct tpacket2_hdr *h, struct ring_frame *f)
{
    uint16_t tag[2] = { htons(h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q),
                        htons(h->tp_vlan_tci) };

    f->data -= RING_TAG;
    f->len += RING_TAG;
    memmove(f->data, f->data + RING_TAG, 2 * ETH_ALEN);
    memcpy(f->data + 2 * ETH_ALEN, tag, sizeof tag);
    if (f->v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        f->v.csum_start = (uint16_t)(f->v.csum_start + RING_TAG);
    if (f->v.hdr_len)
        f->v.hdr_len = (uint16_t)(f->v.hdr_len + RING_TAG);
    r->tags++;
}

static bool whole(struct ring *r, const struct tpacket2_hdr *h, uint32_t index, struct ring_frame *f)
{
    if (h->tp_status & TP_STATUS_COPY)
        return aside(r, index, f);
    f->data = (uint8_t *)(uintptr_t)h + h->tp_mac;
    f->len = h->tp_snaplen;
    memcpy(&f->v, f->data - sizeof f->v, sizeof f->v);
    return h->tp_snaplen == h->tp_len && h->tp_snaplen >= ETH_HLEN;
}

bool ring_take(struct ring *r, uint32_t index, struct ring_frame *f)
{
    const struct tpacket2_hdr *h = head(r, r->next);
    const struct sockaddr_ll *from = (const void *)((const uint8_t *)h + TPACKET_ALIGN(sizeof *h));
    bool ours = from->sll_pkttype == PACKET_OUTGOING, good;

    f->slot = r->next;
    r->next = r->next + 1 == r->slots ? 0 : r->next + 1;
    r->held++;
    good = whole(r, h, index, f);   /* also of an outgoing one: what stands aside is taken out in turn */
    if (ours || !good) {
        r->outgoing += ours;
        r->bad += !ours;
        ring_free(r, f->slot);
        return false;
    }
    f->ts_ns = (uint64_t)h->tp_sec * 1000000000u + h->tp_nsec;
    f->sum_ok = h->tp_status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID);
    if (h->tp_status & TP_STATUS_VLAN_VALID)
        tag_back(r, h, f);
    r->taken++;
    return true;
}

static enum ring_lost reason(int error)
{
    switch (error) {
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
        return RING_DOWN;
    case EMSGSIZE:
        return RING_LONG;
    case ENOBUFS:
        return RING_FULL;
    default:
        return RING_REFUSED;
    }
}

uint32_t ring_send(struct ring *r, struct mmsghdr *m, uint32_t n)
{
    struct pollfd room = { r->fd, POLLOUT, 0 };
    uint32_t sent = 0;
    bool waited = false;

    for (uint32_t at = 0; at < n; ) {
        int done = r->fd < 0 ? -1 : sendmmsg(r->fd, m + at, n - at, MSG_DONTWAIT);
        int error = r->fd < 0 ? ENODEV : errno;

        if (done > 0) {
            at += (uint32_t)done;
            sent += (uint32_t)done;
        } else if (error == EAGAIN && !waited) {
            waited = poll(&room, 1, RING_PATIENCE_MS) <= 0;
        } else if (error == EAGAIN) {
            r->unsent[RING_FULL] += n - at;
            break;
        } else if (error != EINTR) {
            r->unsent[reason(error)]++;
            at++;
        }
    }
    r->sent += sent;
    return sent;
}

enum ring_state ring_look(struct ring *r)
{
    struct ifreq q;
    int error;
    socklen_t size = sizeof error;

    if (r->fd < 0)
        return RING_GONE;
    getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    memset(&q, 0, sizeof q);
    memcpy(q.ifr_name, r->link.name, sizeof q.ifr_name);
    if (ioctl(r->fd, SIOCGIFINDEX, &q) || q.ifr_ifindex != r->link.index || ioctl(r->fd, SIOCGIFFLAGS, &q))
        return RING_GONE;
    return q.ifr_flags & IFF_UP ? RING_UP : RING_IS_DOWN;
}

void ring_count(struct ring *r)
{
    struct tpacket_stats s = { 0, 0 };
    socklen_t size = sizeof s;

    if (r->fd < 0 || getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &s, &size))
        return;
    r->seen += s.tp_packets;        /* since the last look; those that were lost are in it */
    r->lost += s.tp_drops;
}

void ring_close(struct ring *r)
{
    if (r->fd >= 0) {
        deaf(r->fd);                /* so that no frame comes between the last count and the end */
        ring_count(r);
        close(r->fd);
    }
    if (r->map)
        munmap(r->map, (size_t)r->slots * r->slot);
    free(r->aside);
    r->map = r->aside = NULL;
    r->fd = -1;
    r->held = 0;
    if (r->seen > r->taken + r->outgoing + r->bad + r->lost)
        r->lost = r->seen - r->taken - r->outgoing - r->bad;
}
