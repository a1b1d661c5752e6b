/* fanout.h: several sockets of one process share an interface's packets, by the kernel's hash of
 * the flow (packet(7), PACKET_FANOUT). */
#ifndef CAPTURE_FANOUT_H
#define CAPTURE_FANOUT_H
#include <pthread.h>
#include <stdint.h>

#define FANOUT_INTERFACES 64

struct fanout {                     /* of one process; the groups that it made */
    pthread_mutex_t lock;
    uint32_t n;
    struct { char name[16]; uint16_t id; } group[FANOUT_INTERFACES];
};

/* Joins the packet socket fd to the interface's group: the first one makes it, under a number that
 * no other process has. 0, or −errno. May block; not on the packet lane. [any] */
int fanout_join(struct fanout *f, const char *interface, int fd);

#endif
