/* fanout.h: several sockets of one process share an interface's packets (packet(7), PACKET_FANOUT). */
#ifndef CAPTURE_FANOUT_H
#define CAPTURE_FANOUT_H
#include <pthread.h>
#include <stdint.h>

#define FANOUT_INTERFACES 64

enum { FANOUT_ADDRESSES, FANOUT_FLOW };     /* lib/spread.h; the kernel's hash, IPv4 fragments put together first */

struct fanout {                     /* of one process; the groups that it made */
    pthread_mutex_t lock;
    uint32_t n, key;
    struct fanout_group {
        char name[16];
        uint16_t id;
        uint32_t in;                /* sockets that have joined and not left */
        uint64_t joined_ns;         /* the last of them, by the wall clock */
    } group[FANOUT_INTERFACES];
};

void fanout_init(struct fanout *f);
void fanout_fini(struct fanout *f);

/* Joins the packet socket fd to the interface's group: the first one makes it, under a number that
 * no other process has. by: FANOUT_*, the same for all of a group. 0, or −errno. May block; not on
 * the packet lane. [any] */
int fanout_join(struct fanout *f, const char *interface, int fd, uint32_t by);
void fanout_leave(struct fanout *f, const char *interface);     /* the socket that joined is about to be closed */
/* Since when n sockets share the interface's packets: ns, by the wall clock; 0: not yet. */
uint64_t fanout_since(struct fanout *f, const char *interface, uint32_t n);

#endif
