#include "plugins/bridge/share.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
# define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

#define NET(at) ((uint32_t)SKF_NET_OFF + (at))
#define MAC(at) ((uint32_t)SKF_LL_OFF + (at))

struct program { struct sock_filter f[128]; uint16_t n; };

static void add(struct program *p, uint16_t code, uint32_t k)
{
    p->f[p->n++] = (struct sock_filter){ code, 0, 0, k };
}

/* XOR of n words: that of two addresses does not know a direction. The kernel takes the result modulo the number of
 * workers, so its bits are mixed. */
static void sum(struct program *p, uint32_t at, uint32_t n)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, at);
    for (uint32_t i = 1; i < n; i++) {
        add(p, BPF_MISC | BPF_TAX, 0);
        add(p, BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
        add(p, BPF_ALU | BPF_XOR | BPF_X, 0);
    }
    add(p, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
    add(p, BPF_ALU | BPF_RSH | BPF_K, 16);
    add(p, BPF_RET | BPF_A, 0);
}

/* Where the accumulator is this type: the words there. */
static void where(struct program *p, uint32_t type, uint32_t at, uint32_t n)
{
    uint16_t jump = p->n;

    add(p, BPF_JMP | BPF_JEQ | BPF_K, type);
    sum(p, at, n);
    p->f[jump].jf = (uint8_t)(p->n - jump - 1);
}

static void either(struct program *p, uint32_t after)
{
    where(p, ETH_P_IP, NET(after + 12), 2);
    where(p, ETH_P_IPV6, NET(after + 8), 8);
}

/* The outermost tag is out of the frame already; a second one is still there. Of a MAC address its last four bytes are
 * enough. */
static void write_program(struct program *p)
{
    uint16_t tag;

    p->n = 0;
    add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL);
    either(p, 0);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q);
    p->f[p->n - 1].jt = 1;
    tag = p->n;
    add(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD);
    add(p, BPF_LD | BPF_H | BPF_ABS, NET(2));
    either(p, 4);
    p->f[tag].jf = (uint8_t)(p->n - tag - 1);
    add(p, BPF_LD | BPF_W | BPF_ABS, MAC(2));
    add(p, BPF_MISC | BPF_TAX, 0);
    add(p, BPF_LD | BPF_W | BPF_ABS, MAC(8));
    add(p, BPF_ALU | BPF_XOR | BPF_X, 0);
    add(p, BPF_RET | BPF_A, 0);
}

static int join(struct ring *const *r, uint32_t n)
{
    uint32_t type = PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_IGNORE_OUTGOING, arg;
    struct program p;
    struct sock_fprog f;
    int id = 0;
    socklen_t size = sizeof id;

    arg = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    if (setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg)) {
        type = PACKET_FANOUT_CBPF;              /* before Linux 5.8 */
        arg = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
        if (setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg))
            return -1;
    }
    if (getsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT, &id, &size))
        return -1;
    arg = (uint32_t)(id & 0xffff) | type << 16;
    for (uint32_t i = 1; i < n; i++)            /* in this order: a packet's number counts from the first who joined */
        if (setsockopt(r[i]->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof arg))
            return -1;
    write_program(&p);
    f = (struct sock_fprog){ p.n, p.f };
    return setsockopt(r[0]->fd, SOL_PACKET, PACKET_FANOUT_DATA, &f, sizeof f);
}

int share_join(struct ring *const *r, uint32_t n, char *why, uint32_t size)
{
    if (n < 2 || !join(r, n))
        return 0;
    snprintf(why, size, "cannot share %s between %u workers (PACKET_FANOUT): %s; use --workers 1", r[0]->link.name, n,
             strerror(errno));
    return -1;
}
