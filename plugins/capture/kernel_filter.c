#include "plugins/capture/kernel_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SLL_LEN 16u                 /* the header that libpcap makes for packets of all interfaces (DLT_LINUX_SLL) */
#define AD(at) ((uint32_t)SKF_AD_OFF + (at))

/* On loopback each packet passes twice, and libpcap would throw one away uncounted. Jumps go by distance, so another
 * program may follow. */
static const struct sock_filter once[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_PKTTYPE)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_HATYPE)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0),
};
#define ONCE (sizeof once / sizeof *once)

/* Packets of all interfaces reach the kernel's program without that header; of its fields it knows two elsewhere. */
static int uncook(struct sock_filter *f)
{
    uint32_t mode = BPF_MODE(f->code), class = BPF_CLASS(f->code);

    if ((class != BPF_LD && class != BPF_LDX) || (mode != BPF_ABS && mode != BPF_IND && mode != BPF_MSH))
        return 0;
    if ((int32_t)f->k < 0)
        return 0;
    if (f->k >= SLL_LEN) {
        f->k -= SLL_LEN;
        return 0;
    }
    if (mode != BPF_ABS || BPF_SIZE(f->code) != BPF_H || (f->k != 0 && f->k != 14))
        return -1;
    f->code = BPF_LD | BPF_W | BPF_ABS;         /* the kernel gives its own values as words */
    f->k = f->k ? AD(SKF_AD_PROTOCOL) : AD(SKF_AD_PKTTYPE);
    return 0;
}

/* 0, or −1: the kernel does not take it. */
static int attach(pcap_t *p, const struct bpf_program *program)
{
    struct sock_filter f[BPF_MAXINSNS];
    struct sock_fprog all = {(uint16_t)(ONCE + program->bf_len), f};

    if (program->bf_len > BPF_MAXINSNS - ONCE)
        return -1;
    memcpy(f, once, sizeof once);
    memcpy(f + ONCE, program->bf_insns, program->bf_len * sizeof *f);
    for (size_t i = ONCE; i < all.len && pcap_datalink(p) == DLT_LINUX_SLL; i++)
        if (uncook(&f[i]))
            return -1;
    return setsockopt(pcap_fileno(p), SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all);
}

static int detach(int fd)
{
    int nothing = 0;

    return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof nothing) && errno != ENOENT ? -1 : 0;
}

int kernel_filter(pcap_t *p, const char *text, bool *libpcap, const char *interface, char *why, uint32_t n)
{
    bool twice = pcap_datalink(p) == DLT_LINUX_SLL || !strcmp(interface, "lo");
    struct bpf_program program;
    int err;

    if (!text)
        text = "";
    if (!*text && !*libpcap && !twice && !detach(pcap_fileno(p)))
        return 0;
    err = pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN);
    if (!err) {
        *libpcap = *libpcap || pcap_datalink(p) == DLT_LINUX_SLL2 || attach(p, &program);
        if (*libpcap)
            err = pcap_setfilter(p, &program);
        pcap_freecode(&program);
    }
    if (err)
        snprintf(why, n, "the filter '%s' cannot be used on %s: %s", text, interface, pcap_geterr(p));
    return err ? -1 : 0;
}
