/* sockets.h: the sockets of the host (/proc/net/tcp and its like), and which process holds each. */
#ifndef SYSMON_SOCKETS_H
#define SYSMON_SOCKETS_H
#include "plugins/sysmon/text.h"

#define SOCKETS_MAX 16384u          /* that are read; the others are counted */
#define OWNERS_MAX  65536u          /* descriptors of processes that are looked at */

enum socket_kind { SOCKET_TCP, SOCKET_TCP6, SOCKET_UDP, SOCKET_UDP6, SOCKET_KINDS };
struct sock {
    uint8_t local[16], remote[16];  /* IPv4 mapped */
    uint16_t local_port, remote_port;
    uint8_t kind, state;            /* state: TCP_* of Linux, 1 … 12; 0: it makes no sense */
    uint32_t uid, pid;              /* pid 0: not known */
    uint64_t inode;
};
struct owner { uint64_t inode; uint32_t pid; };
struct sockets {
    uint32_t n, owners;
    uint64_t over;                  /* sockets beyond SOCKETS_MAX */
    uint64_t owners_over;           /* descriptors beyond OWNERS_MAX */
    uint32_t hidden;                /* processes whose descriptors we may not see */
    uint32_t unreadable;            /* files of /proc/net that are not there */
    uint32_t cut;                   /* files of /proc/net that were longer than we read */
    struct sock *sock;
    struct owner *owner;            /* sorted by inode */
};

/* One file's lines into s, which has room for SOCKETS_MAX. What makes no sense is left out. */
void sockets_parse(struct text t, enum socket_kind kind, struct sockets *s);
/* Read all below proc (a folder's descriptor; -1: none). false: out of memory. */
bool sockets_read(struct sockets *s, int proc);
void sockets_free(struct sockets *s);

#endif
