#include "plugins/capture/kernel_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter), "libpcap's programs are the kernel's");

/* 0, or −1: the kernel does not take it. */
static int attach(int fd, const struct bpf_program *program)
{
    struct sock_fprog f = {(uint16_t)program->bf_len, (struct sock_filter *)(void *)program->bf_insns};

    return program->bf_len > BPF_MAXINSNS ? -1 : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f);
}

static int detach(int fd)
{
    int nothing = 0;

    return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof nothing) && errno != ENOENT ? -1 : 0;
}

/* Packets of all interfaces come without their link header: libpcap rewrites programs for them. */
static bool cooked(pcap_t *p)
{
    return pcap_datalink(p) == DLT_LINUX_SLL || pcap_datalink(p) == DLT_LINUX_SLL2;
}

int kernel_filter(pcap_t *p, const char *text, bool *libpcap, const char *interface, char *why, uint32_t n)
{
    struct bpf_program program;
    int err;

    if (!text)
        text = "";
    if (!*text && !*libpcap && !detach(pcap_fileno(p)))
        return 0;
    err = pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN);
    if (!err) {
        *libpcap = *libpcap || cooked(p) || attach(pcap_fileno(p), &program);
        if (*libpcap)
            err = pcap_setfilter(p, &program);
        pcap_freecode(&program);
    }
    if (err)
        snprintf(why, n, "the filter '%s' cannot be used on %s: %s", text, interface, pcap_geterr(p));
    return err ? -1 : 0;
}
