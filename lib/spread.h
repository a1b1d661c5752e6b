/* spread.h: which worker a packet of an interface belongs to, decided in the kernel: a classic BPF program for
 * PACKET_FANOUT_CBPF. By the addresses of the outermost IP header alone, as plugins/capture/share.h does for files. */
#ifndef LIB_SPREAD_H
#define LIB_SPREAD_H
#include <linux/filter.h>
#include <stdint.h>

#define SPREAD_MAX 512

struct spread {
    uint16_t n;
    struct sock_filter f[SPREAD_MAX];
};

/* Its result, modulo the number of workers, is the same for both directions, for every fragment and for all that is
 * inside a tunnel between the same two hosts, whether the packet comes or goes; an ICMP error goes with what it is about.
 * 0 for what is not IP or is too short.
 * key: any number, so that nobody can choose addresses that meet on one worker. [any] */
void spread_write(struct spread *p, uint32_t key);

#endif
