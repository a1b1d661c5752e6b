/* link.h: what an interface is, by the kernel's word (rtnetlink(7)); sysfs may be another network namespace's. [any] */
#ifndef BRIDGE_LINK_H
#define BRIDGE_LINK_H
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct link {
    char name[IFNAMSIZ];            /* the kernel's own: it may have been asked for by another name */
    int index, under, master;       /* ifindex; of what it stands on (or a veth's other end), of its bridge; 0: none */
    uint32_t mtu, flags, type;      /* bytes, IFF_*, ARPHRD_* */
    bool apart;                     /* `under` counts in another network namespace */
};

/* 0, or −1 and a sentence. */
int link_read(const char *name, struct link *l, char *why, uint32_t n);
/* Frames that the interface or its driver lost; 0: it does not exist. */
uint64_t link_losses(const char *name);
/* Two names, "eth1,eth2"; 0, or −1 and a sentence. */
int link_pair(const char *text, char name[2][IFNAMSIZ], char *why, uint32_t n);
/* NULL: a bridge between them makes no loop, else a sentence in why. */
const char *link_loop(const struct link *a, const struct link *b, char *why, uint32_t n);

#endif
